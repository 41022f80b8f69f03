import type { Patient } from "./fhirTypes";
import { element } from "./html";

/** Who this is about. An EHR that shows a banner of its own says so, and then one line is enough. */
export function banner(patient: Patient, isNeeded: boolean): HTMLElement {
  const name = nameOf(patient);
  document.title = `Vitals: ${name}`;
  const facts = [
    patient.birthDate ? `born ${patient.birthDate}${ageOf(patient.birthDate)}` : "birth date not told",
    patient.gender ?? "gender not told",
    ...(patient.identifier ?? []).slice(0, 2).map((identifier) => `${identifier.type?.text ?? identifier.type?.coding?.[0]?.display ?? "id"} ${identifier.value ?? ""}`),
  ];
  return element(
    "div",
    { class: isNeeded ? "patient" : "patient patient-short", id: "patient" },
    element("strong", {}, name),
    element("span", {}, isNeeded ? facts.join(" · ") : (facts[0] ?? "")),
  );
}

export function nameOf(patient: Patient): string {
  const name = patient.name?.find((one) => one.use === "official") ?? patient.name?.[0];
  return name?.text ?? ([name?.family, name?.given?.join(" ")].filter(Boolean).join(", ") || "Name not told");
}

function ageOf(birthDate: string): string {
  const born = /^(\d{4})(?:-(\d{2})-(\d{2}))?$/.exec(birthDate);
  if (!born?.[1]) {
    return "";
  }

  const now = new Date();
  const before = born[2] !== undefined && born[3] !== undefined && (now.getMonth() + 1 < Number(born[2]) || (now.getMonth() + 1 === Number(born[2]) && now.getDate() < Number(born[3])));
  const years = now.getFullYear() - Number(born[1]) - (before ? 1 : 0);
  return ` (${born[2] === undefined ? "about " : ""}${years} years)`;
}
