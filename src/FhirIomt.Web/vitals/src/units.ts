/** How the clinician wants to read glucose and temperature. */
export type GlucoseUnit = "mg/dL" | "mmol/L";
export type TemperatureUnit = "Cel" | "[degF]";

export interface UnitChoice {
  glucose: GlucoseUnit;
  temperature: TemperatureUnit;
}

/** Millimoles of glucose in a litre for a milligram in a decilitre: 10 / 180.156 g/mol. */
const mmolPerMg = 10 / 180.156;

const poundsPerKilogram = 2.2046226218;

/** A value in the UCUM unit wanted, or null when the two units have nothing in common here. */
export function convert(value: number, from: string, to: string): number | null {
  if (from === to) {
    return value;
  }

  switch (`${from}>${to}`) {
    case "mg/dL>mmol/L":
      return value * mmolPerMg;
    case "mmol/L>mg/dL":
      return value / mmolPerMg;
    case "Cel>[degF]":
      return value * 1.8 + 32;
    case "[degF]>Cel":
      return (value - 32) / 1.8;
    case "K>Cel":
      return value - 273.15;
    case "g>kg":
      return value / 1000;
    case "[lb_av]>kg":
      return value / poundsPerKilogram;
    case "kPa>mm[Hg]":
      return value * 7.50061683;
    default:
      return null;
  }
}

/** UCUM codes as people write them. */
export function unitText(code: string): string {
  switch (code) {
    case "Cel":
      return "°C";
    case "[degF]":
      return "°F";
    case "mm[Hg]":
      return "mmHg";
    case "/min":
      return "/min";
    case "{beats}/min":
      return "/min";
    default:
      return code;
  }
}

/** Digits that the device class is accurate to; more would pretend. */
export function digits(unit: string): number {
  return unit === "mmol/L" || unit === "Cel" || unit === "[degF]" || unit === "kg" ? 1 : 0;
}

export function format(value: number, unit: string): string {
  return value.toFixed(digits(unit));
}
