import FHIR from "fhirclient";
import type Client from "fhirclient/lib/Client";
import "uplot/dist/uPlot.min.css";
import { banner } from "./banner";
import { Charts } from "./charts";
import { applyTheme, controls, storedView, type View } from "./controls";
import { explain, failureOf } from "./failures";
import { summarise, type GlucoseSummary } from "./glucose";
import { byId, element, localTime } from "./html";
import { Loader, type Loaded } from "./load";
import { kinds, shown } from "./readings";
import { table, tiles } from "./table";
import { format, unitText } from "./units";

/** A bedside reading is stored within a second; asking more often than this gains nothing a person can use. */
const refreshMilliseconds = 15_000;

class Vitals {
  private readonly view: View = storedView();
  private readonly loader: Loader;
  private readonly charts: Charts;
  private loaded: Loaded | null = null;
  private drawnState = "";
  private running: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly client: Client) {
    this.loader = new Loader(client);
    this.charts = new Charts(announce, (reference) => this.loader.deviceName(reference));
  }

  async start(): Promise<void> {
    applyTheme(this.view.theme);
    const patient = await this.loader.patient();
    byId("banner").replaceChildren(banner(patient, this.client.state.tokenResponse?.["need_patient_banner"] !== false));
    byId("controls").replaceChildren(
      controls(
        this.view,
        (view, reload) => {
          applyTheme(view.theme);
          this.drawnState = "";
          reload ? void this.refresh() : this.draw();
        },
        () => void this.refresh(),
      ),
    );
    byId("controls").hidden = false;
    document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(this.timer) : void this.refresh()));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.drawnState = "";
      this.draw();
    });
    await this.refresh();
  }

  private async refresh(): Promise<void> {
    clearTimeout(this.timer);
    this.running?.abort();
    const running = (this.running = new AbortController());
    try {
      const since = new Date(Date.now() - this.view.days * 24 * 3600 * 1000);
      this.loaded = await this.loader.since(since, running.signal);
      this.draw();
    } catch (error) {
      if (running.signal.aborted) {
        return;
      }

      const failure = failureOf(error);
      fail(explain(failure), failure === "expired");
      if (failure === "denied" || failure === "expired") {
        // What may no longer be seen does not stay on the screen.
        this.forget();
        return;
      }
    }

    if (!document.hidden) {
      this.timer = setTimeout(() => void this.refresh(), refreshMilliseconds);
    }
  }

  private forget(): void {
    this.loaded = null;
    this.drawnState = "";
    this.charts.clear();
    byId("controls").hidden = true;
    for (const id of ["banner", "tiles", "charts", "readings"]) {
      byId(id).replaceChildren();
    }
  }

  private draw(): void {
    const loaded = this.loaded;
    if (!loaded) {
      return;
    }

    say(this.summary(loaded));
    const newest = loaded.readings.map((reading) => `${reading.id}:${reading.value}:${reading.status}`).join();
    const state = `${newest}|${JSON.stringify(this.view)}`;
    if (state === this.drawnState) {
      return;
    }

    // Nothing has changed: a redraw would take the zoom and the cursor away.
    this.drawnState = state;
    this.charts.clear();
    const to = Date.now();

    // Days before the first reading would squeeze the rest into a corner.
    const first = loaded.readings[0]?.time ?? to;
    const range = { from: Math.max(to - this.view.days * 24 * 3600 * 1000, first - (to - first) * 0.02), to };
    byId("tiles").replaceChildren(...tiles(loaded.readings, this.view));
    const panels = kinds.flatMap((info) => {
      const own = loaded.readings.filter((reading) => reading.kind === info.kind);
      return own.length === 0 ? [] : [this.charts.draw(info, own, this.view, range), ...(info.kind === "glucose" ? this.glucose(loaded) : [])];
    });
    byId("charts").replaceChildren(...panels);
    byId("readings").replaceChildren(...(loaded.readings.length === 0 ? [] : [table(loaded.readings, this.view, (reference) => this.loader.deviceName(reference))]));
    this.charts.resize();
  }

  private glucose(loaded: Loaded): HTMLElement[] {
    const readings = loaded.readings.filter((reading) => reading.kind === "glucose");
    const summary = summarise(readings);
    // Finger pricks make no day: at a reading every two hours there is something to lay over each other.
    return summary === null || summary.count < 12 * Math.max(1, summary.days)
      ? []
      : [element("section", { class: "panel" }, element("h2", {}, "Glucose by time of day"), this.charts.drawDays(readings, this.view), glucoseFacts(summary, this.view))];
  }

  private summary(loaded: Loaded): string {
    const at = `Updated ${new Date().toLocaleTimeString()}.`;
    const skipped = [...loaded.skipped].map(([reason, count]) => `${count} not drawn (${reason})`).join(", ");
    const rest = [skipped && `${skipped}.`, loaded.truncated && "Older readings of this span are not shown: choose a shorter one."].filter(Boolean).join(" ");
    const last = loaded.readings[loaded.readings.length - 1];
    return last
      ? `${loaded.readings.length} readings, the newest of ${localTime(last.time)}. ${at} ${rest}`.trim()
      : `No readings in this time span. ${at} ${rest}`.trim();
  }
}

function glucoseFacts(summary: GlucoseSummary, view: View): HTMLElement {
  const mean = shown("glucose", summary.mean, view);
  const bound = (value: number) => {
    const { value: converted, unit } = shown("glucose", value, view);
    return format(converted, unit);
  };
  const percent = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} %`;
  const facts: [string, string][] = [
    [`Time in range ${bound(70)}–${bound(180)} ${unitText(view.glucose)}`, percent(summary.inRange)],
    [`Above ${bound(250)}`, percent(summary.veryHigh)],
    [`${bound(180)}–${bound(250)}`, percent(summary.high)],
    [`${bound(54)}–${bound(70)}`, percent(summary.low)],
    [`Below ${bound(54)}`, percent(summary.veryLow)],
    ["Mean", `${format(mean.value, mean.unit)} ${unitText(mean.unit)}`],
    ["GMI", `${summary.gmi.toFixed(1)} %`],
    ["Variation (CV)", percent(summary.variation)],
    ["Days, coverage", `${summary.days.toFixed(1)}, ${percent(summary.coverage)}`],
  ];
  const enough = summary.days >= 13.5 && summary.coverage >= 70;
  return element(
    "div",
    {},
    element("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])),
    enough ? null : element("p", { class: "hint" }, "Fewer than 14 days or less than 70 % of the sensor's readings: time in range and GMI are uncertain."),
  );
}

function announce(text: string): void {
  byId("announcer").textContent = text;
}

function say(text: string): void {
  const state = byId("state");
  state.className = "state";
  state.setAttribute("role", "status");
  if (state.textContent !== text) {
    state.textContent = text;
  }
}

function fail(text: string, isOver: boolean): void {
  const state = byId("state");
  state.className = "state failed";
  state.setAttribute("role", "alert");
  state.replaceChildren(text, isOver ? element("a", { href: "./launch.html" }, " Launch again") : "");
}

FHIR.oauth2
  .ready()
  .then((client) => {
    if (!client.patient.id) {
      fail("The launch named no patient.", true);
      return;
    }

    return new Vitals(client).start();
  })
  .catch((error: unknown) => {
    const failure = failureOf(error);
    const isLaunch = !sessionStorage.getItem("SMART_KEY") || failure === "unreachable";
    fail(isLaunch && failure === "unreachable" ? "This page is part of a launch. Open it from the patient's record, or launch it by itself." : explain(failure), true);
  });
