import uPlot from "uplot";
import { element, localTime } from "./html";
import { bloodPressureNormal, shown, unitOf, type Band, type KindInfo, type Reading } from "./readings";
import { byDay } from "./glucose";
import { format, unitText, type UnitChoice } from "./units";

type Column = (number | null)[];

interface Drawn {
  plot: uPlot;
  host: HTMLElement;
}

/** All charts of the page: they share one zoom in time, and can be walked with the arrow keys. */
export class Charts {
  private drawn: Drawn[] = [];

  constructor(
    private readonly announce: (text: string) => void,
    private readonly deviceName: (reference: string | null) => string,
  ) {
    addEventListener("resize", () => this.resize());
    addEventListener("beforeprint", () => this.resize(680));
    addEventListener("afterprint", () => this.resize());
  }

  clear(): void {
    this.drawn.forEach(({ plot }) => plot.destroy());
    this.drawn = [];
  }

  /** One kind over time. */
  draw(info: KindInfo, readings: Reading[], choice: UnitChoice, range: { from: number; to: number }): HTMLElement {
    const unit = unitOf(info.kind, choice);
    const isPressure = info.kind === "bloodPressure";
    const [times, rows, series] = columns(info, readings, choice);
    const summary = describe(info.title, series, rows, unit);
    const host = element("div", { class: "chart", tabindex: "0", role: "img", "aria-label": summary });
    const bands = isPressure ? [bloodPressureNormal.systolic, bloodPressureNormal.diastolic] : info.normal ? [info.normal] : [];
    const plot = new uPlot(
      {
        width: 600,
        height: 220,
        scales: { x: { time: true, min: range.from / 1000, max: range.to / 1000 }, y: { range: (_, low, high) => spread(low, high, bands.map((band) => converted(info, band, choice))) } },
        axes: axes(unit),
        cursor: { sync: { key: "vitals", setSeries: false }, drag: { x: true, y: false, setScale: true } },
        series: [{}, ...series.map((name, index) => line(name, unit, index, isPressure))],
        hooks: {
          drawClear: [(chart) => shade(chart, bands.map((band) => converted(info, band, choice)))],
          draw: isPressure ? [pairs] : [],
          setScale: [(chart, key) => this.follow(chart, key)],
        },
      },
      [times, ...rows] as uPlot.AlignedData,
      host,
    );
    this.drawn.push({ plot, host });
    this.walk(plot, host, readings, times, choice);
    return element("section", { class: "panel" }, element("h2", {}, `${info.title} (${unitText(unit)})`), host, element("p", { class: "hint" }, summary));
  }

  /** A sensor's days laid over each other. */
  drawDays(readings: Reading[], choice: UnitChoice): HTMLElement {
    const days = byDay(readings).slice(0, 14);
    const minutes = [...new Set(days.flatMap(({ points }) => points.map((point) => point.minute)))].sort((left, right) => left - right);
    const place = new Map(minutes.map((minute, index) => [minute, index]));
    const rows = days.map(({ points }) => {
      const row: (number | null | undefined)[] = Array.from({ length: minutes.length }, () => undefined);
      let before: number | null = null;
      for (const { minute, value } of points) {
        // A line over a sensor's silence would show what nobody measured.
        if (before !== null && minute - before > 60) {
          row[Math.min((place.get(before) ?? 0) + 1, minutes.length - 1)] = null;
        }

        row[place.get(minute)!] = shown("glucose", value, choice).value;
        before = minute;
      }

      return row;
    });
    const unit = choice.glucose;
    const host = element("div", { class: "chart", role: "img", "aria-label": `Glucose by time of day, ${days.length} days laid over each other` });
    const plot = new uPlot(
      {
        width: 600,
        height: 240,
        scales: { x: { time: false, min: 0, max: 1440 } },
        axes: [{ ...axes(unit)[0], values: (_, ticks) => ticks.map((tick) => `${String(Math.floor(tick / 60)).padStart(2, "0")}:00`), incrs: [60, 120, 180, 240, 360] }, axes(unit)[1]!],
        series: [{ label: "time", value: (_, minute) => (minute == null ? "" : clock(minute)) }, ...days.map(({ day }, index) => ({ ...line(day, unit, index, false), points: { show: false } }))],
        legend: { live: false },
        hooks: { drawClear: [(chart) => shade(chart, [converted({ kind: "glucose" }, { low: 70, high: 180 }, choice)])] },
      },
      [minutes, ...rows] as uPlot.AlignedData,
      host,
    );
    this.drawn.push({ plot, host });
    return host;
  }

  resize(width?: number): void {
    for (const { plot, host } of this.drawn) {
      plot.setSize({ width: Math.max(280, width ?? host.clientWidth), height: plot.height });
    }
  }

  // Zooming one chart in time zooms the others.
  private follow(from: uPlot, key: string): void {
    const { min, max } = from.scales["x"] ?? {};
    if (key !== "x" || min == null || max == null || max <= 1440) {
      return;
    }

    for (const { plot } of this.drawn) {
      const scale = plot.scales["x"];
      if (plot !== from && scale?.time && (scale.min !== min || scale.max !== max)) {
        plot.setScale("x", { min, max });
      }
    }
  }

  private walk(plot: uPlot, host: HTMLElement, readings: Reading[], times: number[], choice: UnitChoice): void {
    const byTime = new Map(readings.map((reading) => [reading.time / 1000, reading]));
    const stops = times.map((time, index) => ({ reading: byTime.get(time), index })).filter((stop) => stop.reading !== undefined);
    let at = stops.length;
    host.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -stops.length, End: stops.length }[event.key];
      if (event.key === "Escape") {
        plot.setData(plot.data);
        return;
      }

      if (step === undefined || stops.length === 0) {
        return;
      }

      event.preventDefault();
      at = Math.max(0, Math.min(stops.length - 1, at + step));
      const { reading, index } = stops[at]!;
      const top = shown(reading!.kind, reading!.value, choice);
      plot.setCursor({ left: plot.valToPos(times[index]!, "x"), top: plot.valToPos(top.value, "y") });
      this.announce(`${localTime(reading!.time)}: ${spoken(reading!, choice)}, ${this.deviceName(reading!.device)}`);
    });
  }
}

/** A reading as text, in the clinician's unit. */
export function spoken(reading: Reading, choice: UnitChoice): string {
  const top = shown(reading.kind, reading.value, choice);
  const value = reading.kind === "bloodPressure" ? `${format(top.value, top.unit)}/${reading.diastolic === null ? "?" : format(reading.diastolic, top.unit)}` : format(top.value, top.unit);
  return `${value} ${unitText(top.unit)}`;
}

// A gap is a point without a value in the middle of the silence.
function columns(info: KindInfo, readings: Reading[], choice: UnitChoice): [number[], Column[], string[]] {
  const times: number[] = [];
  const rows: Column[] = info.kind === "bloodPressure" ? [[], []] : [[]];
  let before: number | null = null;
  for (const reading of readings) {
    if (before !== null && reading.time - before > info.gapSeconds * 1000) {
      times.push((before + reading.time) / 2000);
      rows.forEach((row) => row.push(null));
    }

    times.push(reading.time / 1000);
    rows[0]!.push(shown(info.kind, reading.value, choice).value);
    rows[1]?.push(reading.diastolic);
    before = reading.time;
  }

  return [times, rows, info.kind === "bloodPressure" ? ["Systolic", "Diastolic"] : [info.title]];
}

function describe(title: string, series: string[], rows: Column[], unit: string): string {
  const parts = rows.map((row, index) => {
    const values = row.filter((value): value is number => value !== null);
    const range = values.length === 0 ? "none" : `${format(Math.min(...bounds(values)), unit)} to ${format(Math.max(...bounds(values)), unit)}, last ${format(values[values.length - 1]!, unit)}`;
    return `${rows.length > 1 ? `${series[index]} ` : ""}${values.length} readings: ${range} ${unitText(unit)}`;
  });
  return `${title}. ${parts.join("; ")}.`;
}

// Spread into Math.min, twenty thousand arguments are too many for some browsers.
function bounds(values: number[]): [number, number] {
  return values.reduce<[number, number]>(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}

function colour(name: string): string {
  // Of a custom property only the text is told, light-dark(…) and all: a colour that uses it is told as it is seen.
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = `var(${name})`;
  const seen = getComputedStyle(probe).color;
  probe.remove();
  return seen;
}

function axes(unit: string): uPlot.Axis[] {
  const common = { stroke: () => colour("--text-muted"), grid: { stroke: () => colour("--grid"), width: 1 }, ticks: { stroke: () => colour("--grid") } };
  return [{ ...common }, { ...common, size: 56, values: (_, ticks) => ticks.map((tick) => (unit === "mmol/L" ? tick.toFixed(1) : String(Math.round(tick * 10) / 10))) }];
}

const lineColours = ["--line-1", "--line-2", "--line-3", "--line-4"];

function line(label: string, unit: string, index: number, isPair: boolean): uPlot.Series {
  return {
    label,
    stroke: () => colour(lineColours[index % lineColours.length]!),
    width: isPair ? 0 : 1.5,
    dash: index >= lineColours.length ? [6, 3] : [],
    points: { show: isPair ? true : undefined, size: isPair ? 7 : 5 },
    value: (_, value) => (value == null ? "–" : `${format(value, unit)} ${unitText(unit)}`),
  } as uPlot.Series;
}

function converted(info: { kind: KindInfo["kind"] }, band: Band, choice: UnitChoice): Band {
  return { low: shown(info.kind, band.low, choice).value, high: shown(info.kind, band.high, choice).value };
}

function shade(chart: uPlot, bands: Band[]): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.fillStyle = colour("--band");
  for (const band of bands) {
    const top = Math.max(bbox.top, chart.valToPos(band.high, "y", true));
    const bottom = Math.min(bbox.top + bbox.height, chart.valToPos(band.low, "y", true));
    if (bottom > top) {
      ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
    }
  }

  ctx.restore();
}

// A bar from the systolic to the diastolic value of each pair.
function pairs(chart: uPlot): void {
  const [times, high, low] = chart.data;
  const { ctx } = chart;
  ctx.save();
  ctx.strokeStyle = colour("--line-1");
  ctx.lineWidth = 2;
  ctx.beginPath();
  times?.forEach((time, index) => {
    const [top, bottom] = [high?.[index], low?.[index]];
    if (top != null && bottom != null && time >= (chart.scales["x"]?.min ?? 0) && time <= (chart.scales["x"]?.max ?? Infinity)) {
      const x = chart.valToPos(time, "x", true);
      ctx.moveTo(x, chart.valToPos(top, "y", true));
      ctx.lineTo(x, chart.valToPos(bottom, "y", true));
    }
  });
  ctx.stroke();
  ctx.restore();
}

// The normal band is always in sight: a flat line says little without it.
function spread(low: number | null, high: number | null, bands: Band[]): [number, number] {
  const all = [...bands.flatMap((band) => [band.low, band.high]), ...(low === null || high === null ? [] : [low, high])];
  const [least, most] = all.length === 0 ? [0, 1] : bounds(all);
  const margin = Math.max((most - least) * 0.08, 0.5);
  return [least - margin, most + margin];
}

function clock(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(Math.floor(minute % 60)).padStart(2, "0")}`;
}
