import type Client from "fhirclient/lib/Client";
import type { Bundle, Device, Observation, Patient } from "./fhirTypes";
import { codeSearch, parse, type Reading } from "./readings";

/** A page of 1,000 is about 1.2 MB, so this is what a browser draws without effort: 69 days of a glucose sensor. */
const maxPages = 20;
const pageSize = 1000;

export interface Loaded {
  readings: Reading[];
  devices: Map<string, Device>;
  /** How many Observations could not be drawn, by reason. */
  skipped: Map<string, number>;
  /** There are older ones that were not fetched. */
  truncated: boolean;
}

export class Loader {
  private readonly devices = new Map<string, Device>();

  constructor(private readonly client: Client) {}

  async patient(): Promise<Patient> {
    return (await this.client.request(`Patient/${encodeURIComponent(this.client.patient.id ?? "")}`)) as unknown as Patient;
  }

  /** The readings since a moment, oldest first, with the devices that took them. */
  async since(start: Date, signal: AbortSignal): Promise<Loaded> {
    const search = new URLSearchParams({
      patient: this.client.patient.id ?? "",
      code: codeSearch(),
      date: `ge${start.toISOString()}`,
      _sort: "-date",
      _count: String(pageSize),
      _include: "Observation:device",
    });
    const loaded: Loaded = { readings: [], devices: this.devices, skipped: new Map(), truncated: false };
    let url: string | null = `Observation?${search}`;
    for (let page = 0; url !== null; page++) {
      if (page === maxPages) {
        loaded.truncated = true;
        break;
      }

      const bundle = (await this.client.request({ url, signal, headers: { "Cache-Control": "no-cache" } })) as unknown as Bundle;
      this.take(bundle, loaded);
      url = bundle.link?.find((link) => link.relation === "next")?.url ?? null;
    }

    loaded.readings.sort((left, right) => left.time - right.time);
    return loaded;
  }

  /** What a person calls the device. */
  deviceName(reference: string | null): string {
    if (reference === null) {
      return "not told";
    }

    const device = this.devices.get(reference);
    const name = device?.deviceName?.[0]?.name ?? device?.type?.text ?? device?.type?.coding?.[0]?.display ?? device?.modelNumber;
    const serial = device?.serialNumber ?? device?.identifier?.[0]?.value;
    return [name, serial].filter(Boolean).join(" ") || reference;
  }

  private take(bundle: Bundle, loaded: Loaded): void {
    for (const { resource } of bundle.entry ?? []) {
      if (resource?.resourceType === "Device") {
        this.devices.set(`Device/${(resource as Device).id}`, resource as Device);
      } else if (resource?.resourceType === "Observation") {
        const parsed = parse(resource as Observation);
        if ("reading" in parsed) {
          loaded.readings.push(parsed.reading);
        } else {
          loaded.skipped.set(parsed.skipped, (loaded.skipped.get(parsed.skipped) ?? 0) + 1);
        }
      }
    }
  }
}
