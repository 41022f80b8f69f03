/** What went wrong, as a person can act on it. */
export type Failure = "denied" | "expired" | "unreachable" | "refused";

interface StatusError {
  statusCode?: number;
  status?: number;
  message?: string;
}

export function failureOf(error: unknown): Failure {
  const known = error as StatusError | undefined;
  const status = known?.statusCode ?? known?.status;
  if (status === 401 || /expired|unauthorized/i.test(known?.message ?? "")) {
    return "expired";
  }

  return status === 403 || status === 404 ? "denied" : status === undefined || status >= 500 ? "unreachable" : "refused";
}

export function explain(failure: Failure): string {
  switch (failure) {
    case "denied":
      return "You have no access to this patient's readings, or the patient has refused it. Nothing is shown.";
    case "expired":
      return "Your access has ended. Launch the app again to go on.";
    case "unreachable":
      return "The server does not answer at the moment. What is shown may be out of date; the app goes on trying.";
    case "refused":
      return "The server refused the request. Tell the people who run it what you were doing.";
  }
}
