using FhirIomt.Core;

namespace FhirIomt.Smart.Authorize;

/// <summary>What becomes of an authorization request. A closed set.</summary>
internal abstract record AuthorizeVerdict
{
    private AuthorizeVerdict()
    {
    }

    /// <summary>The person is told, and the browser goes nowhere: whoever sent it may not be who it says (RFC 6749 §4.1.2.1).</summary>
    public sealed record ShowError(Issue Issue) : AuthorizeVerdict;

    /// <summary>The client is told.</summary>
    public sealed record SendBack(string RedirectUri, string? State, string Error, string Description) : AuthorizeVerdict;

    public sealed record Accept(PendingAuthorization Pending) : AuthorizeVerdict;
}

/// <summary>What people are told instead of being sent anywhere: IOMT-0850 to IOMT-0861.</summary>
internal static class AuthorizeIssues
{
    public static Issue UnknownClient() =>
        Issue.Error(IssueKind.NotFound, "IOMT-0850", "The app that sent you here is not registered.", "client_id", "Tell whoever runs the app: its client_id is unknown or disabled here.");

    public static Issue BadRedirectUri() => Issue.Error(
        IssueKind.Value, "IOMT-0851", "The app wants you back at an address that is not registered for it.", "redirect_uri", "Tell whoever runs the app: redirect_uri must be one of its registered addresses, character by character.");

    public static Issue BadAudience(string fhirBase) =>
        Issue.Error(IssueKind.Value, "IOMT-0852", "The app asks for access to another server.", "aud", $"Tell whoever runs the app: aud must be {fhirBase}.");

    public static Issue Repeated(string parameter) =>
        Issue.Error(IssueKind.Invalid, "IOMT-0853", $"The app gave '{(parameter.Length <= 64 ? parameter : parameter[..64])}' twice.", "parameters", "Tell whoever runs the app: each parameter may be given once.");

    public static Issue Unreadable() =>
        Issue.Error(IssueKind.Invalid, "IOMT-0854", "The request cannot be read.", fix: "Tell whoever runs the app: send a GET, or a form of at most 64 KiB.");

    public static Issue StateTooLong(int longest) =>
        Issue.Error(IssueKind.TooLong, "IOMT-0855", "The app's state is too long to be given back.", "state", $"Tell whoever runs the app: state has at most {longest} characters.");

    public static Issue Over() =>
        Issue.Error(IssueKind.Expired, "IOMT-0856", "This sign-in is over: it was finished, or it took too long.", fix: "Start again in the app.");

    public static Issue OtherBrowser() =>
        Issue.Error(IssueKind.Security, "IOMT-0857", "This sign-in was begun in another browser.", fix: "Start again in the app.");

    public static Issue ForeignForm() => Issue.Error(
        IssueKind.Security, "IOMT-0858", "The form did not come from a page that this browser got here.", fix: "Allow cookies for this address, go back, load the page anew and send the form again.");
}
