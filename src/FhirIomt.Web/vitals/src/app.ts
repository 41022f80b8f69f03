/** As the server registers it. */
export const clientId = "fhiriomt-vitals";

const reads = ["patient/Patient.rs", "patient/Observation.rs", "patient/Device.rs"];

/** What the app asks for: the one patient's readings and their devices, and who looks at them. */
export function scopes(isEhrLaunch: boolean): string {
  return [isEhrLaunch ? "launch" : "launch/patient", "openid", "fhirUser", "online_access", ...reads].join(" ");
}

/** The FHIR base of the server that hands out the app: /fhir beside /apps. */
export function ownServer(): string {
  return new URL("../../fhir", location.href.replace(/[?#].*$/, "")).href;
}
