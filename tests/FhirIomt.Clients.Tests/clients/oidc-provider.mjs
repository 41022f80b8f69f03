// oidc-provider as the issuer of somebody else: it signs JWT access tokens for our FHIR base, and the server takes them as far as it trusts it. Each run has a new key.
import assert from "node:assert/strict";
import { exportJWK, generateKeyPair } from "jose";
import Provider from "oidc-provider";
import { check, end, world } from "./checks.mjs";

const { privateKey } = await generateKeyPair("RS256", { extractable: true });
const key = { ...(await exportJWK(privateKey)), kid: `k-${Date.now()}`, use: "sig", alg: "RS256" };
const client = (client_id) => ({ client_id, client_secret: "a secret of the test alone", grant_types: ["client_credentials"], redirect_uris: [], response_types: [] });
const provider = new Provider(world.issuer, {
  clients: [client("backend"), client("person")],
  jwks: { keys: [key] },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => ({ scope: "system/Patient.rs system/Observation.rs user/Patient.rs", audience: resource, accessTokenTTL: 300, accessTokenFormat: "jwt", jwt: { sign: { alg: "RS256" } } }),
    },
  },
  extraTokenClaims: (_, token) => (token.clientId === "person" ? { fhirUser: world.fhirUser } : {}),
});
const server = provider.listen(Number(new URL(world.issuer).port), "127.0.0.1");
await new Promise((resolve) => server.once("listening", resolve));

async function token(client_id, scope, resource = world.fhir) {
  const body = new URLSearchParams({ grant_type: "client_credentials", client_id, client_secret: "a secret of the test alone", scope, resource });
  const response = await fetch(`${world.issuer}/token`, { method: "POST", body });
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer.access_token;
}

const read = async (path, bearer) => (await fetch(`${world.fhir}/${path}`, { headers: { authorization: `Bearer ${bearer}` } })).status;

await check("a JWT access token of oidc-provider reads what its client may", async () => {
  assert.equal(await read(`Patient/${world.patient}`, await token("backend", "system/Patient.rs")), 200);
});

await check("scopes beyond the trust in the issuer are left out", async () => {
  assert.equal(await read("Observation", await token("backend", "system/Patient.rs system/Observation.rs")), 403);
});

await check("a person of the issuer's is who fhirUser says, with that person's rights", async () => {
  const bearer = await token("person", "user/Patient.rs");
  assert.equal(await read(`Patient/${world.patient}`, bearer), 200);
  assert.equal(await read(`Patient/${world.hidden}`, bearer), 404);
});

await check("a token for another resource is refused", async () => {
  assert.equal(await read(`Patient/${world.patient}`, await token("backend", "system/Patient.rs", "https://elsewhere.example/fhir")), 401);
});

server.closeAllConnections();
server.close();
end();
