// Named checks, each told as one line; the process fails when one does.

export const world = JSON.parse(process.env.FHIRIOMT_WORLD ?? "{}");

let failed = 0;

export async function check(name, work) {
  try {
    await work();
    console.log(`ok ${name}`);
  } catch (error) {
    failed++;
    console.log(`not ok ${name}: ${error?.stack ?? error} ${error?.cause ? JSON.stringify(error.cause, null, 1) : ""}`);
  }
}

export function end() {
  process.exit(failed === 0 ? 0 : 1);
}
