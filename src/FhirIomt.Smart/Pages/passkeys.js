// Passkeys on the pages for signing in and for the account: the only script that those pages load. What the authenticator says goes into the form that asked for it, and the form is sent.
"use strict";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

function send(form, fields) {
  for (const [name, value] of Object.entries(fields)) {
    const input = form.appendChild(document.createElement("input"));
    input.type = "hidden";
    input.name = name;
    input.value = text(value);
  }
  form.submit();
}

async function register(form) {
  const data = form.dataset;
  const { response } = await navigator.credentials.create({
    publicKey: {
      challenge: bytes(data.challenge),
      rp: { id: data.party, name: data.partyName },
      user: { id: new TextEncoder().encode(data.user), name: data.userName, displayName: data.userName },
      pubKeyCredParams: [{ type: "public-key", alg: -7 }, { type: "public-key", alg: -257 }],
      excludeCredentials: data.known.split(" ").filter(Boolean).map((id) => ({ type: "public-key", id: bytes(id) })),
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
      attestation: "none",
    },
  });
  send(form, { client_data: response.clientDataJSON, attestation: response.attestationObject });
}

async function signIn(form) {
  const data = form.dataset;
  const { rawId, response } = await navigator.credentials.get({
    publicKey: { challenge: bytes(data.challenge), rpId: data.party, userVerification: "required" },
  });
  send(form, {
    credential: rawId,
    client_data: response.clientDataJSON,
    authenticator_data: response.authenticatorData,
    signature: response.signature,
    user_handle: response.userHandle ?? new ArrayBuffer(0),
  });
}

// Without script, or where there are no passkeys, the forms stay hidden: they could do nothing.
for (const form of window.PublicKeyCredential ? document.querySelectorAll("form[data-passkey]") : []) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    (form.dataset.passkey === "register" ? register(form) : signIn(form)).catch(() => {
      form.querySelector("[data-failed]").hidden = false;
    });
  });
}
