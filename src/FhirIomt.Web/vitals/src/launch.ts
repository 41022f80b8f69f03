import FHIR from "fhirclient";
import { clientId, ownServer, scopes } from "./app";

// SMART App Launch 2.2: an EHR opens this page with iss and launch; without them the app launches by itself at the server that it came from.
const parameters = new URLSearchParams(location.search);
const state = document.getElementById("state")!;
const isEhrLaunch = parameters.has("launch");
const iss = parameters.get("iss") ?? ownServer();

async function launch(): Promise<void> {
  // The page's policy lets it speak to its own server only, so a launch from elsewhere is told at once and not after a failed request.
  if (new URL(iss).origin !== location.origin) {
    throw new Error(`This copy of the app reads from ${location.origin} only.`);
  }

  await FHIR.oauth2.authorize({
    clientId,
    scope: scopes(isEhrLaunch),
    iss,
    redirectUri: "./index.html",
    pkceMode: "required",
  });
}

launch().catch((error: unknown) => {
  state.setAttribute("role", "alert");
  state.textContent = `The app could not be launched. ${error instanceof Error ? error.message : ""}`;
});
