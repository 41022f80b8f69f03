// Prints the software bill of materials of the server as CycloneDX 1.6: every package that ends up in what is published, with version and hash.
// Usage: node tools/sbom.mjs > sbom.json      (after a build: it reads what the restore and npm resolved)
import { readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";

const root = new URL("..", import.meta.url);
const read = (path) => JSON.parse(readFileSync(new URL(path, root), "utf8"));

function nuget() {
  const assets = read("src/FhirIomt.Server/obj/project.assets.json");
  const [target] = Object.values(assets.targets);
  return Object.entries(target)
    // What has no file to run is there for the build only.
    .filter(([, use]) => use.type === "package" && Object.keys({ ...use.runtime, ...use.native, ...use.runtimeTargets }).some((file) => !file.endsWith("_._")))
    .map(([key]) => {
      const [name, version] = key.split("/");
      const sha512 = assets.libraries[key].sha512;
      return component("nuget", name, version, sha512 && Buffer.from(sha512, "base64").toString("hex"));
    });
}

// Only the app's own dependencies are bundled; the tools that build it are not.
function npm() {
  const lock = read("src/FhirIomt.Web/package-lock.json");
  return Object.entries(lock.packages)
    .filter(([path, item]) => path !== "" && !item.dev && !item.optional && !item.peer)
    .map(([path, item]) => {
      const [algorithm, hash] = (item.integrity ?? "").split("-");
      return component("npm", item.name ?? path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length), item.version, algorithm === "sha512" ? Buffer.from(hash, "base64").toString("hex") : undefined);
    });
}

function component(kind, name, version, sha512) {
  const purl = `pkg:${kind}/${name.split("/").map(encodeURIComponent).join("/")}@${version}`;
  return { type: "library", "bom-ref": purl, name, version, purl, ...(sha512 ? { hashes: [{ alg: "SHA-512", content: sha512 }] } : {}) };
}

const components = [...nuget(), ...npm()].sort((left, right) => left.purl.localeCompare(right.purl));
const commit = execFileSync("git", ["rev-parse", "HEAD"], { cwd: root, encoding: "utf8" }).trim();
const main = { type: "application", "bom-ref": "fhiriomt", name: "fhiriomt", version: commit.slice(0, 12), licenses: [{ license: { id: "Apache-2.0" } }] };

// The same input gives the same document: the serial number follows from what is in it.
const digest = createHash("sha256").update(commit).update(JSON.stringify(components)).digest("hex");
const serial = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-5${digest.slice(13, 16)}-a${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
console.log(JSON.stringify({
  bomFormat: "CycloneDX",
  specVersion: "1.6",
  serialNumber: `urn:uuid:${serial}`,
  version: 1,
  metadata: { component: main },
  components,
  dependencies: [{ ref: "fhiriomt", dependsOn: components.map((item) => item["bom-ref"]) }],
}, null, 2));
