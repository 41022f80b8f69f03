// jose as a forger: assertions (facts of SMART's asymmetric authentication, A2 to A16) and access tokens (group D) that must not work.
import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, createPublicKey, createPrivateKey, randomUUID } from "node:crypto";
import { base64url, exportJWK, importPKCS8, SignJWT, UnsecuredJWT } from "jose";
import { check, end, world } from "./checks.mjs";

const { backend, token_endpoint: endpoint } = world;
const key = await importPKCS8(backend.pem, "ES384");
const publicKey = createPublicKey(createPrivateKey(backend.pem));
const claims = () => ({ iss: backend.client_id, sub: backend.client_id, aud: endpoint, exp: Math.floor(Date.now() / 1000) + 200, jti: randomUUID() });
const header = { alg: "ES384", kid: backend.kid, typ: "JWT" };
const sign = (payload = claims(), head = header, by = key) => new SignJWT(payload).setProtectedHeader(head).sign(by);

async function ask(assertion) {
  const body = new URLSearchParams({ grant_type: "client_credentials", scope: "system/Observation.rs", client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", client_assertion: assertion });
  const response = await fetch(endpoint, { method: "POST", body });
  assert.match(response.headers.get("cache-control") ?? "", /no-store/);
  return { status: response.status, body: await response.json() };
}

async function refused(assertion) {
  const answer = await ask(assertion);
  assert.ok(answer.status === 400 || answer.status === 401, `status ${answer.status}`);
  assert.equal(answer.body.error, "invalid_client");
}

await check("a genuine assertion works, once", async () => {
  const assertion = await sign();
  assert.equal((await ask(assertion)).status, 200);
  await refused(assertion);
});

await check("A2 two parts, five parts, no JWT", async () => {
  const [head, payload] = (await sign()).split(".");
  await refused(`${head}.${payload}`);
  await refused("a.b.c.d.e");
  await refused("not a token");
});

await check("A3 alg none in every spelling", async () => {
  await refused(new UnsecuredJWT(claims()).encode());
  for (const alg of ["none", "None", "nOnE", "NONE", ""]) {
    await refused(`${base64url.encode(JSON.stringify({ ...header, alg }))}.${base64url.encode(JSON.stringify(claims()))}.`);
  }
});

await check("A4 HMAC with the public key's bytes", async () => {
  for (const [alg, hash] of [["HS256", "sha256"], ["HS384", "sha384"]]) {
    for (const secret of [publicKey.export({ type: "spki", format: "pem" }), JSON.stringify(await exportJWK(publicKey))]) {
      const signed = `${base64url.encode(JSON.stringify({ ...header, alg }))}.${base64url.encode(JSON.stringify(claims()))}`;
      await refused(`${signed}.${createHmac(hash, secret).update(signed).digest("base64url")}`);
    }
  }
});

await check("A5 A6 another algorithm, another curve, another kind of key", async () => {
  const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  await refused(await sign(claims(), { ...header, alg: "ES256" }, p256));
  for (const alg of ["RS256", "RS384", "RS512", "PS384"]) {
    await refused(await sign(claims(), { ...header, alg }, rsa));
  }
});

await check("A7 kid missing, unknown, a path, SQL, very long", async () => {
  const { kid: _, ...without } = header;
  await refused(await sign(claims(), without));
  for (const kid of ["other", "../../dev/null", "' OR 1=1 --", "https://evil.example/key", "x".repeat(5000)]) {
    await refused(await sign(claims(), { ...header, kid }));
  }
});

await check("A8 A10 typ and crit", async () => {
  const { typ: _, ...without } = header;
  await refused(await sign(claims(), without));
  await refused(await sign(claims(), { ...header, typ: "at+jwt" }));
  const signed = `${base64url.encode(JSON.stringify({ ...header, crit: ["x"], x: 1 }))}.${base64url.encode(JSON.stringify(claims()))}`;
  await refused(`${signed}.${"A".repeat(128)}`);
});

await check("A9 a key that the token brings itself", async () => {
  const own = generateKeyPairSync("ec", { namedCurve: "P-384" });
  const jwk = await exportJWK(own.publicKey);
  await refused(await sign(claims(), { ...header, jwk }, own.privateKey));
  await refused(await sign(claims(), { ...header, jku: `${world.root}/evil.json` }, own.privateKey));
  await refused(await sign(claims(), { ...header, x5u: "https://evil.example/x" }, own.privateKey));
});

await check("A11 A12 issuer, subject and audience", async () => {
  for (const wrong of [
    { iss: "other" }, { sub: "other" }, { iss: "nobody", sub: "nobody" }, { aud: undefined }, { aud: world.fhir + "/Patient" }, { aud: "https://evil.example" },
    { aud: [endpoint, "https://evil.example"] }, { aud: [endpoint] }, { aud: endpoint + "/" }, { aud: endpoint.toUpperCase() },
  ]) {
    await refused(await sign({ ...claims(), ...wrong }));
  }
});

await check("A13 A14 A15 times and jti", async () => {
  const now = Math.floor(Date.now() / 1000);
  for (const wrong of [
    { exp: undefined }, { exp: now - 3600 }, { exp: now + 3600 }, { exp: String(now + 200) }, { exp: 1e300 }, { exp: now + 200.5 }, { exp: -1 },
    { nbf: now + 3600 }, { iat: now + 3600 }, { jti: undefined }, { jti: "" }, { jti: "x".repeat(10_000) }, { jti: 7 },
  ]) {
    await refused(await sign({ ...claims(), ...wrong }));
  }
});

await check("A15 of twenty at once with one jti, one", async () => {
  const assertion = await sign();
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(assertion)));
  assert.equal(answers.filter((answer) => answer.status === 200).length, 1);
});

await check("A16 tampered, cut, DER, zero and padded signatures", async () => {
  const [head, payload, signature] = (await sign()).split(".");
  const other = base64url.encode(JSON.stringify({ ...claims(), sub: backend.client_id }));
  await refused(`${head}.${other}.${signature}`);
  await refused(`${head}.${payload}.${signature.slice(0, -4)}`);
  await refused(`${head}.${payload}.${Buffer.alloc(96).toString("base64url")}`);
  await refused(`${head}.${payload}.${signature}=`);
  await refused(`${head}.${payload}.${signature} `);
  await refused(`${head}.${payload}.`);
  const { sign: signRaw } = await import("node:crypto");
  const der = signRaw("sha384", Buffer.from(`${head}.${payload}`), { key: createPrivateKey(backend.pem), dsaEncoding: "der" });
  await refused(`${head}.${payload}.${der.toString("base64url")}`);
});

await check("D65 to D78 no JWT is an access token here", async () => {
  const at = { ...claims(), iss: world.issuer, aud: world.fhir, scope: "system/*.cruds", patient: world.patient };
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  const forged = [
    new UnsecuredJWT(at).encode(),
    await sign(at, { ...header, typ: "at+jwt" }),
    await sign(at, { alg: "RS256", kid: "../../dev/null", typ: "at+jwt" }, rsa),
    await sign(),
    "a.b.c",
    "x".repeat(10_000),
  ];
  for (const token of forged) {
    const response = await fetch(`${world.fhir}/Patient/${world.patient}`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(response.status, 401, token.slice(0, 60));
    assert.match(response.headers.get("www-authenticate") ?? "", /invalid_token/);
  }
});

end();
