/** The parts of FHIR R4 resources that the app reads. */
export interface Coding {
  system?: string;
  code?: string;
  display?: string;
}

export interface CodeableConcept {
  coding?: Coding[];
  text?: string;
}

export interface Quantity {
  value?: number;
  unit?: string;
  system?: string;
  code?: string;
}

export interface Reference {
  reference?: string;
  display?: string;
}

export interface Component {
  code: CodeableConcept;
  valueQuantity?: Quantity;
  dataAbsentReason?: CodeableConcept;
}

export interface Observation {
  resourceType: "Observation";
  id: string;
  meta?: { lastUpdated?: string; source?: string };
  status: string;
  code: CodeableConcept;
  effectiveDateTime?: string;
  effectiveInstant?: string;
  effectivePeriod?: { start?: string; end?: string };
  valueQuantity?: Quantity;
  component?: Component[];
  dataAbsentReason?: CodeableConcept;
  device?: Reference;
}

export interface Device {
  resourceType: "Device";
  id: string;
  deviceName?: { name: string }[];
  manufacturer?: string;
  modelNumber?: string;
  serialNumber?: string;
  identifier?: { system?: string; value?: string }[];
  type?: CodeableConcept;
}

export interface Patient {
  resourceType: "Patient";
  id: string;
  name?: { text?: string; family?: string; given?: string[]; use?: string }[];
  birthDate?: string;
  gender?: string;
  identifier?: { system?: string; value?: string; type?: CodeableConcept }[];
}

export interface Bundle {
  resourceType: "Bundle";
  entry?: { resource?: Observation | Device | { resourceType: string } }[];
  link?: { relation: string; url: string }[];
}
