// openid-client: the code flow with all three kinds of client, refresh, userinfo, introspection, revocation.
import assert from "node:assert/strict";
import { importPKCS8 } from "jose";
import * as client from "openid-client";
import { Browser } from "./browser.mjs";
import { check, end, world } from "./checks.mjs";

// SMART asks for typ in the assertion's header, which the library leaves out unless told.
const smart = { [client.modifyAssertion]: (header) => (header.typ = "JWT") };

const insecure = { execute: [client.allowInsecureRequests] };
const scope = "openid fhirUser launch/patient offline_access patient/Patient.rs patient/Observation.rs";

async function authentication(app) {
  switch (app.type) {
    case "public":
      return client.None();
    case "secret":
      return client.ClientSecretBasic(app.secret);
    default:
      return client.PrivateKeyJwt({ key: await importPKCS8(app.pem, "ES384"), kid: app.kid }, smart);
  }
}

for (const app of world.apps) {
  let config;
  let tokens;
  await check(`${app.type}: discovery`, async () => {
    config = await client.discovery(new URL(world.issuer), app.client_id, { token_endpoint_auth_signing_alg: "ES384" }, await authentication(app), insecure);
    assert.equal(config.serverMetadata().issuer, world.issuer);
  });

  await check(`${app.type}: a code becomes tokens, with a verified id_token`, async () => {
    const verifier = client.randomPKCECodeVerifier();
    const [state, nonce] = [client.randomState(), client.randomNonce()];
    const address = client.buildAuthorizationUrl(config, {
      redirect_uri: app.redirect_uri, scope, state, nonce, aud: world.fhir, code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
    });
    const back = await new Browser(world.root).authorize(address, { username: world.user, password: world.password, patient: world.patient });
    tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true });
    assert.equal(tokens.patient, world.patient);
    assert.ok(tokens.claims().fhirUser.endsWith(world.fhirUser));
  });

  await check(`${app.type}: userinfo is of the same person`, async () => {
    const claims = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
    assert.ok(claims.fhirUser.endsWith(world.fhirUser));
  });

  await check(`${app.type}: a refresh keeps the patient, and the old refresh token is spent`, async () => {
    const again = await client.refreshTokenGrant(config, tokens.refresh_token);
    assert.equal(again.patient, world.patient);
    assert.notEqual(again.refresh_token, tokens.refresh_token);
    await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token), { error: "invalid_grant" });

    // Used twice: the whole family is over.
    await assert.rejects(client.refreshTokenGrant(config, again.refresh_token), { error: "invalid_grant" });
  });

  if (app.type !== "public") {
    await check(`${app.type}: introspection and revocation`, async () => {
      const verifier = client.randomPKCECodeVerifier();
      const address = client.buildAuthorizationUrl(config, {
        redirect_uri: app.redirect_uri, scope, state: "s", aud: world.fhir, code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
      });
      const back = await new Browser(world.root).authorize(address, { username: world.user, password: world.password, patient: world.patient });
      const fresh = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: "s" });
      const told = await client.tokenIntrospection(config, fresh.access_token);
      assert.equal(told.active, true);
      assert.equal(told.client_id, app.client_id);
      assert.equal(told.patient, world.patient);
      await client.tokenRevocation(config, fresh.access_token);
      assert.deepEqual(await client.tokenIntrospection(config, fresh.access_token), { active: false });
    });
  }
}

end();
