type Child = Node | string | null;

/** An element with attributes and children; text goes in as text, so nothing that the server sends becomes markup. */
export function element<K extends keyof HTMLElementTagNameMap>(name: K, attributes: Record<string, string | boolean> = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) {
      made.setAttribute(key, "");
    } else if (value !== false) {
      made.setAttribute(key, value);
    }
  }

  made.append(...children.filter((child): child is Node | string => child !== null));
  return made;
}

export function byId(id: string): HTMLElement {
  return document.getElementById(id)!;
}

export function localTime(time: number): string {
  return new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}
