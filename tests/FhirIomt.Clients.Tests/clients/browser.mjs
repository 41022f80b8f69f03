// A person's browser for programs: it keeps cookies, follows redirects on one server and fills forms by their fields. The pages need no script.

export class Browser {
  #cookies = new Map();

  constructor(root) {
    this.root = root;
  }

  /** Walks from an authorization address to the app: logs in, chooses a patient where asked, and allows everything. Answers the address at the app. */
  async authorize(address, { username, password, patient }) {
    let page = await this.open(address);
    for (let step = 0; step < 6; step++) {
      if (page.left) {
        return page.left;
      }

      const form = page.forms.find((one) => ["/auth/login", "/auth/consent"].includes(one.action) || (one.action === "/auth/patient" && one.has("patient")));
      if (!form) {
        throw new Error(`No form on the page: ${page.status} ${page.html.slice(0, 500)}`);
      }

      const filled = form.action === "/auth/login" ? { username, password } : form.action === "/auth/patient" ? { patient, action: "choose" } : { action: "allow" };
      page = await this.#send("POST", new URL(form.action, this.root), new URLSearchParams([...form.fields.filter(([name]) => !(name in filled)), ...Object.entries(filled)]));
    }

    throw new Error("The pages do not end.");
  }

  open(address) {
    return this.#send("GET", new URL(address, this.root));
  }

  async #send(method, url, body) {
    for (let hop = 0; hop < 10; hop++) {
      const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      const response = await fetch(url, { method, body, redirect: "manual", headers: cookie ? { cookie } : {} });
      for (const line of response.headers.getSetCookie()) {
        const [pair] = line.split(";");
        const at = pair.indexOf("=");
        this.#cookies.set(pair.slice(0, at), pair.slice(at + 1));
      }

      const location = response.headers.get("location");
      if (!location) {
        const html = await response.text();
        return { status: response.status, html, forms: formsOf(html) };
      }

      const next = new URL(location, url);
      if (next.origin !== new URL(this.root).origin) {
        return { status: response.status, html: "", forms: [], left: next };
      }

      [method, url, body] = ["GET", next, undefined];
    }

    throw new Error("The redirects do not end.");
  }
}

function formsOf(html) {
  return [...html.matchAll(/<form[^>]*action="([^"]*)"[^>]*>(.*?)<\/form>/gs)].map(([, action, inside]) => {
    const inputs = [...inside.matchAll(/<(?:input|button)([^>]*)>/g)].map(([, text]) => Object.fromEntries([...text.matchAll(/([a-z-]+)(?:="([^"]*)")?/g)].map(([, name, value]) => [name, decode(value ?? "")])));
    return {
      action: decode(action),
      has: (name) => inputs.some((input) => input.name === name),
      fields: inputs.filter((input) => input.name && input.type !== "submit" && input.type !== "radio" && (input.type !== "checkbox" || "checked" in input)).map((input) => [input.name, input.value ?? ""]),
    };
  });
}

function decode(text) {
  return text.replace(/&#x([0-9a-f]+);/gi, (_, code) => String.fromCodePoint(parseInt(code, 16))).replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code))).replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
