import type { Reading } from "./readings";

/** Shares of the readings, in percent: the ranges of the international consensus on time in range (2019), in mg/dL. */
export interface GlucoseSummary {
  veryLow: number;
  low: number;
  inRange: number;
  high: number;
  veryHigh: number;
  mean: number;
  /** Glucose management indicator in percent: 3.31 + 0.02392 × mean in mg/dL (Bergenstal 2018). */
  gmi: number;
  /** Coefficient of variation in percent. */
  variation: number;
  days: number;
  /** Of the five-minute slots between the first and the last reading, the part that has one, in percent. */
  coverage: number;
  count: number;
}

const day = 24 * 3600 * 1000;
const slot = 5 * 60 * 1000;

/** Null when there is nothing to summarise. Only meaningful for a sensor's readings; a few finger pricks are no day. */
export function summarise(readings: Reading[]): GlucoseSummary | null {
  const [first] = readings;
  const last = readings[readings.length - 1];
  if (!first || !last) {
    return null;
  }

  const values = readings.map((reading) => reading.value);
  const share = (test: (value: number) => boolean) => (100 * values.filter(test).length) / values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1));
  const slots = new Set(readings.map((reading) => Math.floor(reading.time / slot)));
  return {
    veryLow: share((value) => value < 54),
    low: share((value) => value >= 54 && value < 70),
    inRange: share((value) => value >= 70 && value <= 180),
    high: share((value) => value > 180 && value <= 250),
    veryHigh: share((value) => value > 250),
    mean,
    gmi: 3.31 + 0.02392 * mean,
    variation: mean === 0 ? 0 : (100 * deviation) / mean,
    days: (last.time - first.time) / day,
    coverage: Math.min(100, (100 * slots.size) / (Math.floor(last.time / slot) - Math.floor(first.time / slot) + 1)),
    count: values.length,
  };
}

/** The readings of each calendar day in the browser's time zone, as minutes after midnight, newest day first. */
export function byDay(readings: Reading[]): { day: string; points: { minute: number; value: number }[] }[] {
  const days = new Map<string, { minute: number; value: number }[]>();
  for (const reading of readings) {
    const local = new Date(reading.time);
    const key = `${local.getFullYear()}-${String(local.getMonth() + 1).padStart(2, "0")}-${String(local.getDate()).padStart(2, "0")}`;
    const points = days.get(key) ?? [];
    points.push({ minute: local.getHours() * 60 + local.getMinutes() + local.getSeconds() / 60, value: reading.value });
    days.set(key, points);
  }

  return [...days].sort(([left], [right]) => right.localeCompare(left)).map(([key, points]) => ({ day: key, points }));
}
