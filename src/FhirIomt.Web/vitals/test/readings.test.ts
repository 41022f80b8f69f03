import { describe, expect, test } from "vitest";
import type { Observation } from "../src/fhirTypes";
import { codeSearch, flag, parse, type Reading } from "../src/readings";
import { convert } from "../src/units";

const ucum = "http://unitsofmeasure.org";

function observation(code: string, more: Partial<Observation>): Observation {
  return { resourceType: "Observation", id: "o1", status: "final", code: { coding: [{ system: "http://loinc.org", code }] }, effectiveDateTime: "2026-11-20T08:00:00Z", ...more };
}

function reading(of: Observation): Reading {
  const parsed = parse(of);
  if (!("reading" in parsed)) {
    throw new Error(parsed.skipped);
  }

  return parsed.reading;
}

describe("a reading", () => {
  test("keeps its value, time and device", () => {
    const read = reading(observation("8867-4", { valueQuantity: { value: 72, code: "/min", system: ucum }, device: { reference: "Device/d" } }));
    expect(read).toMatchObject({ kind: "heartRate", value: 72, time: Date.UTC(2026, 10, 20, 8), device: "Device/d" });
  });

  test("of blood pressure is a pair", () => {
    const component = (code: string, value: number) => ({ code: { coding: [{ system: "http://loinc.org", code }] }, valueQuantity: { value, code: "mm[Hg]", system: ucum } });
    expect(reading(observation("85354-9", { component: [component("8462-4", 78), component("8480-6", 121)] }))).toMatchObject({ value: 121, diastolic: 78 });
  });

  test("in another unit is converted, and in an unknown one is not drawn", () => {
    expect(reading(observation("99504-3", { valueQuantity: { value: 5.5, code: "mmol/L", system: ucum } })).value).toBeCloseTo(99.1, 1);
    expect(parse(observation("99504-3", { valueQuantity: { value: 5.5, code: "furlong", system: ucum } }))).toEqual({ skipped: "a value without a known unit" });
    expect(parse(observation("99504-3", { valueQuantity: { value: 5.5, unit: "mmol/L" } }))).toEqual({ skipped: "a value without a known unit" });
  });

  test("entered in error, without a time or of a day only is not drawn", () => {
    const value = { valueQuantity: { value: 72, code: "/min", system: ucum } };
    expect(parse(observation("8867-4", { ...value, status: "entered-in-error" }))).toEqual({ skipped: "entered-in-error" });
    expect(parse(observation("8867-4", { ...value, effectiveDateTime: undefined }))).toEqual({ skipped: "no time" });
    expect(parse(observation("8867-4", { ...value, effectiveDateTime: "2026-11-20" }))).toEqual({ skipped: "no time" });
  });

  test("of another code system is not mistaken", () => {
    const other = observation("8867-4", { valueQuantity: { value: 72, code: "/min", system: ucum } });
    other.code.coding![0]!.system = "urn:example";
    expect(parse(other)).toEqual({ skipped: "another code" });
  });

  test("beside its band is flagged", () => {
    const spo2 = (value: number) => flag(reading(observation("59408-5", { valueQuantity: { value, code: "%", system: ucum } })));
    expect([spo2(90), spo2(95), spo2(100)]).toEqual(["low", null, null]);
  });
});

test("the codes asked for name their system", () => {
  expect(codeSearch().split(",").every((code) => code.startsWith("http://loinc.org|"))).toBe(true);
});

test("units convert there and back", () => {
  expect(convert(100, "mg/dL", "mmol/L")).toBeCloseTo(5.551, 3);
  expect(convert(convert(37.2, "Cel", "[degF]")!, "[degF]", "Cel")).toBeCloseTo(37.2, 9);
  expect(convert(1, "mg/dL", "Cel")).toBeNull();
});
