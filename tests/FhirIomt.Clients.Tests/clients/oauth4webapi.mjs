// oauth4webapi, which accepts nothing that the standards do not: the code flow, backend services, and errors.
import assert from "node:assert/strict";
import { importPKCS8 } from "jose";
import * as oauth from "oauth4webapi";
import { Browser } from "./browser.mjs";
import { check, end, world } from "./checks.mjs";

const insecure = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(world.issuer);
const scope = "openid fhirUser launch/patient patient/Patient.rs";
let server;

await check("discovery as OpenID Connect has it", async () => {
  server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
});

await check("discovery as RFC 8414 has it", async () => {
  const metadata = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...insecure, algorithm: "oauth2" }));
  assert.equal(metadata.token_endpoint, server.token_endpoint);
});

const app = world.apps.find((one) => one.type === "public");
const client = { client_id: app.client_id };

async function code(verifier, more = {}) {
  const address = new URL(server.authorization_endpoint);
  address.search = new URLSearchParams({
    client_id: app.client_id, redirect_uri: app.redirect_uri, response_type: "code", scope, state: "st~ate", aud: world.fhir,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256", nonce: "no-nce", ...more,
  });
  return new Browser(world.root).authorize(address, { username: world.user, password: world.password, patient: world.patient });
}

await check("the code flow, with iss and state in the answer and everything in the id_token", async () => {
  const verifier = oauth.generateRandomCodeVerifier();
  const parameters = oauth.validateAuthResponse(server, client, await code(verifier), "st~ate");
  const response = await oauth.authorizationCodeGrantRequest(server, client, oauth.None(), parameters, app.redirect_uri, verifier, insecure);
  const answer = await oauth.processAuthorizationCodeResponse(server, client, response, { expectedNonce: "no-nce", requireIdToken: true });
  assert.equal(answer.patient, world.patient);
  await oauth.validateApplicationLevelSignature(server, response, insecure);
});

await check("a wrong verifier is invalid_grant", async () => {
  const parameters = oauth.validateAuthResponse(server, client, await code(oauth.generateRandomCodeVerifier()), "st~ate");
  const response = await oauth.authorizationCodeGrantRequest(server, client, oauth.None(), parameters, app.redirect_uri, oauth.generateRandomCodeVerifier(), insecure);
  await assert.rejects(oauth.processAuthorizationCodeResponse(server, client, response), (error) => error.error === "invalid_grant");
});

await check("a refusal comes back as an error of the standard", async () => {
  const address = new URL(server.authorization_endpoint);
  address.search = new URLSearchParams({
    client_id: app.client_id, redirect_uri: app.redirect_uri, response_type: "code", scope, state: "s", aud: world.fhir, prompt: "none",
    code_challenge: await oauth.calculatePKCECodeChallenge("v".repeat(43)), code_challenge_method: "S256",
  });
  const page = await new Browser(world.root).open(address);
  assert.throws(() => oauth.validateAuthResponse(server, client, page.left, "s"), (error) => error.error === "login_required");
});

await check("backend services with private_key_jwt", async () => {
  const backend = world.backend;
  const key = await importPKCS8(backend.pem, "ES384");
  const response = await oauth.clientCredentialsGrantRequest(server, { client_id: backend.client_id }, oauth.PrivateKeyJwt({ key, kid: backend.kid }, { [oauth.modifyAssertion]: (header) => (header.typ = "JWT") }), { scope: "system/Observation.rs" }, insecure);
  const answer = await oauth.processClientCredentialsResponse(server, { client_id: backend.client_id }, response);
  assert.equal(answer.scope, "system/Observation.rs");
  assert.equal(answer.refresh_token, undefined);
  assert.ok(answer.expires_in <= 300);
});

end();
