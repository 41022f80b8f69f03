using FhirIomt.Core;

namespace FhirIomt.Api.Http;

/// <summary>Refusals that are about HTTP: IOMT-0620 to IOMT-0639, and IOMT-0820/0821 for missing and unknown tokens.</summary>
internal static class ApiIssues
{
    public static Issue UnknownType(string type) =>
        Issue.Error(IssueKind.NotFound, "IOMT-0620", $"'{Shorten(type)}' is not an R4 resource type.", fix: "Type names are case-sensitive: Patient, Observation, Device, …");

    public static Issue UnknownPath() =>
        Issue.Error(IssueKind.NotFound, "IOMT-0621", "There is nothing at this address.", fix: "See /fhir/metadata for what the server offers.");

    public static Issue NotAllowed(string method) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0622", $"{method} is not offered here.", fix: "See /fhir/metadata for what the server offers.");

    public static Issue BadContentType(string? contentType) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0623", $"The content type '{Shorten(contentType ?? "")}' is not taken.", "Content-Type", "Send application/fhir+json in UTF-8.");

    public static Issue NotAcceptable() =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0624", "The server answers application/fhir+json only.", "Accept", "Accept application/fhir+json.");

    public static Issue TooLarge(long limit) =>
        Issue.Error(IssueKind.TooLong, "IOMT-0625", $"The body is larger than {limit} bytes.", fix: "Send it in smaller parts.");

    public static Issue BadVersion(string header) =>
        Issue.Error(IssueKind.Value, "IOMT-0626", $"{header} must be a version such as W/\"3\".", header, "Send the ETag as the server gave it.");

    public static Issue BadCondition() =>
        Issue.Error(IssueKind.Value, "IOMT-0627", "If-None-Exist must be a search, such as identifier=system|value.", "If-None-Exist", "Give at least one search parameter.");

    public static Issue BadId() =>
        Issue.Error(IssueKind.Value, "IOMT-0628", "The id is not a FHIR id.", "id", "Use 1 to 64 characters of A-Z, a-z, 0-9, '-' and '.'.");

    public static Issue BodyBroken() =>
        Issue.Error(IssueKind.Structure, "IOMT-0629", "The body ended before it was complete.", fix: "Send as many bytes as Content-Length says.");

    public static Issue Internal(string traceId) =>
        Issue.Error(IssueKind.Exception, "IOMT-0630", "The server failed. The operator finds this request by its trace id.", fix: $"Trace id {traceId}.");

    public static Issue Overloaded() =>
        Issue.Error(IssueKind.Transient, "IOMT-0631", "The server cannot take writes at the moment.", fix: "Send the request again after the time in Retry-After.");

    public static Issue TokenMissing() =>
        Issue.Error(IssueKind.Login, "IOMT-0820", "The request has no access token.", "Authorization", "Send 'Authorization: Bearer TOKEN'; /fhir/.well-known/smart-configuration says where to get one.");

    public static Issue TokenInvalid() =>
        Issue.Error(IssueKind.Login, "IOMT-0821", "The access token is not valid any more, or never was.", "Authorization", "Get a new one at the token endpoint.");

    private static string Shorten(string text) => text.Length <= 64 ? text : text[..64] + "…";
}
