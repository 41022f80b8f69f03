import { element } from "./html";
import type { UnitChoice } from "./units";

export interface View extends UnitChoice {
  days: number;
  theme: "system" | "light" | "dark";
}

const key = "fhiriomt-vitals-view";

/** How this browser last looked at readings: nothing about a patient. */
export function storedView(): View {
  const view: View = { days: 14, glucose: "mg/dL", temperature: "Cel", theme: "system" };
  try {
    const stored = JSON.parse(localStorage.getItem(key) ?? "{}") as Partial<View>;
    return {
      days: ranges.some(([days]) => days === stored.days) ? stored.days! : view.days,
      glucose: stored.glucose === "mmol/L" ? "mmol/L" : "mg/dL",
      temperature: stored.temperature === "[degF]" ? "[degF]" : "Cel",
      theme: stored.theme === "light" || stored.theme === "dark" ? stored.theme : "system",
    };
  } catch {
    return view;
  }
}

const ranges: [number, string][] = [
  [1, "24 hours"],
  [7, "7 days"],
  [14, "14 days"],
  [30, "30 days"],
  [90, "90 days"],
  [365, "1 year"],
];

/** Time span, units, theme, refresh and print. */
export function controls(view: View, changed: (view: View, reload: boolean) => void, refresh: () => void): HTMLElement {
  const store = (reload: boolean) => {
    localStorage.setItem(key, JSON.stringify(view));
    changed(view, reload);
  };
  const choose = (label: string, options: [string, string][], value: string, pick: (value: string) => boolean) => {
    const id = `choose-${label.toLowerCase().replace(/\W+/g, "-")}`;
    const select = element("select", { id }, ...options.map(([option, text]) => element("option", { value: option, selected: option === value }, text)));
    select.addEventListener("change", () => store(pick(select.value)));
    return element("span", { class: "control" }, element("label", { for: id }, label), select);
  };
  const button = (text: string, act: () => void) => {
    const made = element("button", { type: "button" }, text);
    made.addEventListener("click", act);
    return made;
  };
  return element(
    "form",
    { class: "controls", "aria-label": "View" },
    choose("Time span", ranges.map(([days, text]) => [String(days), text]), String(view.days), (value) => {
      view.days = Number(value);
      return true;
    }),
    choose("Glucose", [["mg/dL", "mg/dL"], ["mmol/L", "mmol/L"]], view.glucose, (value) => {
      view.glucose = value as View["glucose"];
      return false;
    }),
    choose("Temperature", [["Cel", "°C"], ["[degF]", "°F"]], view.temperature, (value) => {
      view.temperature = value as View["temperature"];
      return false;
    }),
    choose("Colours", [["system", "as the system"], ["light", "light"], ["dark", "dark"]], view.theme, (value) => {
      view.theme = value as View["theme"];
      return false;
    }),
    button("Refresh", refresh),
    button("Print", () => print()),
  );
}

export function applyTheme(theme: View["theme"]): void {
  if (theme === "system") {
    delete document.documentElement.dataset["theme"];
  } else {
    document.documentElement.dataset["theme"] = theme;
  }
}
