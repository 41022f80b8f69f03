import { element, localTime } from "./html";
import { spoken } from "./charts";
import { flag, kinds, type Reading } from "./readings";
import type { UnitChoice } from "./units";

/** More rows than this nobody reads; the charts show all. */
const maxRows = 200;

/** The newest readings, as a table: for reading exact values, and for those who cannot see the charts. */
export function table(readings: Reading[], choice: UnitChoice, deviceName: (reference: string | null) => string): HTMLElement {
  const newest = readings.slice(-maxRows).reverse();
  const rows = newest.map((reading) => {
    const beside = flag(reading);
    return element(
      "tr",
      {},
      element("td", {}, element("time", { datetime: new Date(reading.time).toISOString() }, localTime(reading.time))),
      element("th", { scope: "row" }, kinds.find((info) => info.kind === reading.kind)!.title),
      element("td", { class: beside ? `value ${beside}` : "value" }, spoken(reading, choice), beside ? element("span", { class: "flag" }, beside === "high" ? " ▲ high" : " ▼ low") : null),
      element("td", {}, deviceName(reading.device)),
      element("td", {}, [reading.status === "final" ? "" : reading.status, reading.source ?? ""].filter(Boolean).join(", ") || "–"),
    );
  });
  const caption = readings.length > maxRows ? `The ${maxRows} newest of ${readings.length} readings` : `All ${readings.length} readings, newest first`;
  return element(
    "section",
    { class: "panel" },
    element("h2", { id: "readings-title" }, "Readings"),
    element(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "readings-title" },
      element(
        "table",
        {},
        element("caption", {}, caption),
        element("thead", {}, element("tr", {}, ...["Time", "What", "Value", "Device", "Status, source"].map((title) => element("th", { scope: "col" }, title)))),
        element("tbody", {}, ...rows),
      ),
    ),
  );
}

/** The newest value of each kind. */
export function tiles(readings: Reading[], choice: UnitChoice): HTMLElement[] {
  return kinds.flatMap((info) => {
    const newest = readings.findLast((reading) => reading.kind === info.kind);
    if (!newest) {
      return [];
    }

    const beside = flag(newest);
    return [
      element(
        "div",
        { class: beside ? `tile ${beside}` : "tile" },
        element("span", { class: "tile-title" }, info.title),
        element("strong", {}, spoken(newest, choice)),
        element("span", { class: "hint" }, `${beside ? `${beside === "high" ? "▲ high" : "▼ low"} · ` : ""}${localTime(newest.time)}`),
      ),
    ];
  });
}
