import type { Observation, Quantity } from "./fhirTypes";
import { convert, type UnitChoice } from "./units";

/** What the app draws, one chart each. */
export type Kind = "heartRate" | "respiratoryRate" | "spo2" | "temperature" | "bloodPressure" | "glucose" | "weight";

export interface Band {
  low: number;
  high: number;
}

export interface KindInfo {
  kind: Kind;
  title: string;
  /** UCUM, before the clinician's choice. */
  unit: string;
  /** LOINC codes that mean it. */
  codes: string[];
  /** Adults at rest; where a reading brings its own reference range, the server's word counts and this does not. */
  normal: Band | null;
  /** A longer silence than this between two readings is a gap, in seconds. */
  gapSeconds: number;
}

const hour = 3600;

/** In the order in which they are shown. */
export const kinds: KindInfo[] = [
  { kind: "glucose", title: "Glucose", unit: "mg/dL", codes: ["99504-3", "105272-9", "2339-0", "2345-7", "41653-7", "14745-4", "15074-8", "14770-2", "1558-6"], normal: { low: 70, high: 180 }, gapSeconds: hour },
  { kind: "heartRate", title: "Heart rate", unit: "/min", codes: ["8867-4", "40443-4"], normal: { low: 60, high: 100 }, gapSeconds: 6 * hour },
  { kind: "bloodPressure", title: "Blood pressure", unit: "mm[Hg]", codes: ["85354-9", "55284-4"], normal: null, gapSeconds: 14 * 24 * hour },
  { kind: "spo2", title: "Oxygen saturation", unit: "%", codes: ["59408-5", "2708-6"], normal: { low: 95, high: 100 }, gapSeconds: 6 * hour },
  { kind: "respiratoryRate", title: "Respiratory rate", unit: "/min", codes: ["9279-1"], normal: { low: 12, high: 20 }, gapSeconds: 6 * hour },
  { kind: "temperature", title: "Body temperature", unit: "Cel", codes: ["8310-5", "8331-1", "8328-7", "8332-9"], normal: { low: 36.1, high: 37.8 }, gapSeconds: 2 * 24 * hour },
  { kind: "weight", title: "Body weight", unit: "kg", codes: ["29463-7", "3141-9"], normal: null, gapSeconds: 60 * 24 * hour },
];

export const bloodPressureNormal = { systolic: { low: 90, high: 130 }, diastolic: { low: 60, high: 85 } };

const systolicCode = "8480-6";
const diastolicCode = "8462-4";
const loinc = "http://loinc.org";

/** One reading, in the unit of its kind. */
export interface Reading {
  id: string;
  kind: Kind;
  /** Milliseconds since 1970. */
  time: number;
  value: number;
  /** Blood pressure: value is the systolic one. */
  diastolic: number | null;
  /** Reference of the device, such as Device/17. */
  device: string | null;
  source: string | null;
  status: string;
}

export type Parsed = { reading: Reading } | { skipped: string };

const allCodes = new Map(kinds.flatMap((info) => info.codes.map((code) => [code, info] as const)));

/** Every code that the app asks for, as a search value. */
export function codeSearch(): string {
  return [...allCodes.keys()].map((code) => `${loinc}|${code}`).join(",");
}

/** An Observation as a reading; what cannot be drawn says why, so that it is counted and not lost from sight. */
export function parse(observation: Observation): Parsed {
  const info = observation.code.coding?.map((coding) => (coding.system === loinc && coding.code ? allCodes.get(coding.code) : undefined)).find((found) => found);
  if (!info) {
    return { skipped: "another code" };
  }

  if (observation.status === "entered-in-error" || observation.status === "cancelled") {
    return { skipped: observation.status };
  }

  const time = timeOf(observation);
  if (time === null) {
    return { skipped: "no time" };
  }

  const values = info.kind === "bloodPressure" ? pressures(observation) : single(observation.valueQuantity, info.unit);
  if (values === null) {
    return { skipped: observation.dataAbsentReason ? "no value" : "a value without a known unit" };
  }

  const [value, diastolic] = values;
  return {
    reading: {
      id: observation.id,
      kind: info.kind,
      time,
      value,
      diastolic,
      device: observation.device?.reference ?? null,
      source: observation.meta?.source ?? null,
      status: observation.status,
    },
  };
}

/** The value of a reading in the clinician's unit, and that unit. */
export function shown(kind: Kind, value: number, choice: UnitChoice): { value: number; unit: string } {
  const unit = unitOf(kind, choice);
  return { value: convert(value, kinds.find((info) => info.kind === kind)!.unit, unit) ?? value, unit };
}

export function unitOf(kind: Kind, choice: UnitChoice): string {
  return kind === "glucose" ? choice.glucose : kind === "temperature" ? choice.temperature : kinds.find((info) => info.kind === kind)!.unit;
}

/** "high", "low" or null for a reading beside its normal band. */
export function flag(reading: Reading): "high" | "low" | null {
  if (reading.kind === "bloodPressure") {
    const { systolic, diastolic } = bloodPressureNormal;
    if (reading.value > systolic.high || (reading.diastolic ?? 0) > diastolic.high) {
      return "high";
    }

    return reading.value < systolic.low || (reading.diastolic !== null && reading.diastolic < diastolic.low) ? "low" : null;
  }

  const normal = kinds.find((info) => info.kind === reading.kind)!.normal;
  return normal === null ? null : reading.value > normal.high ? "high" : reading.value < normal.low ? "low" : null;
}

// A partial date (2026-11) is an interval and no point to draw.
function timeOf(observation: Observation): number | null {
  const text = observation.effectiveDateTime ?? observation.effectiveInstant ?? observation.effectivePeriod?.start;
  return text && text.includes("T") && !Number.isNaN(Date.parse(text)) ? Date.parse(text) : null;
}

function single(quantity: Quantity | undefined, unit: string): [number, null] | null {
  const value = inUnit(quantity, unit);
  return value === null ? null : [value, null];
}

function pressures(observation: Observation): [number, number | null] | null {
  const of = (code: string) =>
    inUnit(observation.component?.find((component) => component.code.coding?.some((coding) => coding.system === loinc && coding.code === code))?.valueQuantity, "mm[Hg]");
  const systolic = of(systolicCode);
  return systolic === null ? null : [systolic, of(diastolicCode)];
}

function inUnit(quantity: Quantity | undefined, unit: string): number | null {
  if (quantity?.value === undefined || quantity.system !== "http://unitsofmeasure.org" || !quantity.code) {
    return null;
  }

  const code = quantity.code === "{beats}/min" || quantity.code === "{Beats}/min" || quantity.code === "{breaths}/min" ? "/min" : quantity.code;
  return convert(quantity.value, code, unit);
}
