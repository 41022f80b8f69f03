import { expect, test } from "vitest";
import { byDay, summarise } from "../src/glucose";
import type { Reading } from "../src/readings";

const start = new Date(2026, 10, 1).getTime();

function every5Minutes(values: number[]): Reading[] {
  return values.map((value, index) => ({ id: String(index), kind: "glucose", time: start + index * 300_000, value, diastolic: null, device: null, source: null, status: "final" }));
}

test("time in range counts 70 and 180 in, and the shares make 100 %", () => {
  const summary = summarise(every5Minutes([53, 54, 69, 70, 180, 181, 250, 251]))!;
  expect(summary).toMatchObject({ veryLow: 12.5, low: 25, inRange: 25, high: 25, veryHigh: 12.5, count: 8, coverage: 100 });
});

test("GMI follows from the mean", () => {
  expect(summarise(every5Minutes([154, 154, 154]))!.gmi).toBeCloseTo(6.99, 2);
});

test("a silent sensor lowers the coverage", () => {
  const readings = every5Minutes(Array.from({ length: 20 }, () => 100)).filter((_, index) => index < 5 || index >= 15);
  expect(summarise(readings)!.coverage).toBeCloseTo(50, 5);
});

test("nothing has no summary", () => {
  expect(summarise([])).toBeNull();
});

test("days are the browser's, newest first", () => {
  const days = byDay(every5Minutes(Array.from({ length: 300 }, () => 100)));
  expect(days.map(({ day, points }) => [day, points.length])).toEqual([["2026-11-02", 12], ["2026-11-01", 288]]);
  expect(days[0]!.points[0]!.minute).toBe(0);
});
