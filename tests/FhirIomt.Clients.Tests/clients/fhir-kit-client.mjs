// fhir-kit-client: how a program reads, with the token of an app.
import assert from "node:assert/strict";
import FhirKit from "fhir-kit-client";
import { check, end, world } from "./checks.mjs";

const Client = FhirKit.default ?? FhirKit;
const fhir = new Client({ baseUrl: world.fhir, bearerToken: world.access_token });

await check("finds the endpoints by SMART's discovery", async () => {
  const metadata = await fhir.smartAuthMetadata();
  assert.equal(String(metadata.tokenUrl), world.token_endpoint);
  assert.ok(String(metadata.authorizeUrl).startsWith(world.root));
});

await check("reads the capability statement", async () => {
  assert.equal((await fhir.capabilityStatement()).fhirVersion, "4.0.1");
});

await check("reads the patient in context and no other", async () => {
  assert.equal((await fhir.read({ resourceType: "Patient", id: world.patient })).id, world.patient);
  await assert.rejects(fhir.read({ resourceType: "Patient", id: world.other_patient }), (error) => error.response.status === 404);
});

await check("searches, and follows the pages", async () => {
  let page = await fhir.search({ resourceType: "Observation", searchParams: { patient: world.patient, _count: 2, _sort: "-date" } });
  const ids = [];
  while (page) {
    ids.push(...(page.entry ?? []).map((entry) => entry.resource.id));
    page = page.link.some((link) => link.relation === "next") ? await fhir.nextPage({ bundle: page }) : null;
  }

  assert.equal(ids.length, world.observations);
  assert.equal(new Set(ids).size, ids.length);
});

await check("searches within the patient's compartment", async () => {
  const page = await fhir.search({ resourceType: "Observation", compartment: { resourceType: "Patient", id: world.patient }, searchParams: { _count: 100 } });
  assert.equal(page.entry.length, world.observations);
});

end();
