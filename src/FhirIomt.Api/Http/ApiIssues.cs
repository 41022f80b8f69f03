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
        Issue.Error(IssueKind.NotSupported, "IOMT-0622", $"{Shorten(method)} is not offered here.", fix: "See /fhir/metadata for what the server offers.");

    public static Issue BadContentType(string? contentType) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0623", $"The content type '{Shorten(contentType ?? "")}' is not taken.", "Content-Type", "Send application/fhir+json or application/fhir+xml in UTF-8.");

    public static Issue NotAcceptable() =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0624", "The server answers application/fhir+json and application/fhir+xml, FHIR 4.0.", "Accept", "Accept one of them, or name it in _format.");

    public static Issue TooLarge(long limit) =>
        Issue.Error(IssueKind.TooLong, "IOMT-0625", $"The body is larger than {limit} bytes.", fix: "Send it in smaller parts.");

    public static Issue BadVersion(string header) =>
        Issue.Error(IssueKind.Value, "IOMT-0626", $"{header} must be a version such as W/\"3\".", header, "Send the ETag as the server gave it.");

    public static Issue BadBase64(string where) =>
        Issue.Error(IssueKind.Value, "IOMT-0635", "This is not base64.", where, "Encode the data as base64.");

    public static Issue BadId() =>
        Issue.Error(IssueKind.Value, "IOMT-0628", "The id is not a FHIR id.", "id", "Use 1 to 64 characters of A-Z, a-z, 0-9, '-' and '.'.");

    public static Issue BodyBroken() =>
        Issue.Error(IssueKind.Structure, "IOMT-0629", "The body ended before it was complete.", fix: "Send as many bytes as Content-Length says.");

    public static Issue Internal(string traceId) =>
        Issue.Error(IssueKind.Exception, "IOMT-0630", "The server failed. The operator finds this request by its trace id.", fix: $"Trace id {traceId}.");

    public static Issue Overloaded() =>
        Issue.Error(IssueKind.Transient, "IOMT-0631", "The server cannot take writes at the moment.", fix: "Send the request again after the time in Retry-After.");

    public static Issue BadArgument(string name, string value, string expected) =>
        Issue.Error(IssueKind.Value, "IOMT-0632", $"'{Shorten(value)}' is not a value for '{name}'.", name, $"Give {expected}.");

    public static Issue UnknownArgument(string name) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0633", $"'{Shorten(name)}' is not a parameter of this interaction.", name, "Remove it.");

    public static Issue Tunnelled() =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0634", "A method in a header is not followed.", "X-HTTP-Method-Override", "Send the request with its own method.");

    public static Issue NotABatch() =>
        Issue.Error(IssueKind.Invalid, "IOMT-0636", "The base takes a Bundle of type batch or transaction.", "Bundle.type", "To store another resource, POST it to its type: /fhir/Bundle.");

    public static Issue TooManyEntries(int limit) =>
        Issue.Error(IssueKind.TooCostly, "IOMT-0637", $"A batch or transaction takes at most {limit} entries.", "Bundle.entry", "Send several.");

    public static Issue EntryWithoutRequest() =>
        Issue.Error(IssueKind.Required, "IOMT-0638", "The entry has no request.method or no request.url.", fix: "Say what to do: POST Patient, PUT Patient/1, GET Observation?code=…");

    public static Issue EntryWithoutResource() =>
        Issue.Error(IssueKind.Required, "IOMT-0639", "The entry has no resource to write.", fix: "Put the resource into entry.resource.");

    public static Issue NotInTransaction() =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0642", "An operation cannot be part of a transaction.", fix: "Call it by itself, or send a batch.");

    public static Issue NotParameters() =>
        Issue.Error(IssueKind.Invalid, "IOMT-0644", "The operation takes a Parameters resource.", "Parameters", "Put what you send into Parameters.parameter.");

    public static Issue MissingParameter(string name) =>
        Issue.Error(IssueKind.Required, "IOMT-0645", $"The parameter '{name}' is missing.", name, "Give it, in a Parameters resource or in the address.");

    public static Issue UnknownProfile(string profile) =>
        Issue.Error(IssueKind.NotFound, "IOMT-0646", $"The profile '{Shorten(profile)}' is not known here.", "profile", "Store its StructureDefinition on this server first.");

    public static Issue BadEncoding() =>
        Issue.Error(IssueKind.Structure, "IOMT-0647", "The body cannot be decompressed.", "Content-Encoding", "Compress it as Content-Encoding says, or send it as it is.");

    public static Issue UnknownEncoding(string encoding) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0648", $"The content encoding '{Shorten(encoding)}' is not taken.", "Content-Encoding", "Send gzip, br, deflate, or no encoding.");

    public static Issue TooMuchRead(long limit) =>
        Issue.Error(IssueKind.TooCostly, "IOMT-0649", $"The answers of this Bundle are larger than {limit} bytes; this entry was not carried out.", fix: "Send the entry by itself, or fewer reads in a Bundle.");

    public static Issue TokenMissing() =>
        Issue.Error(IssueKind.Login, "IOMT-0820", "The request has no access token.", "Authorization", "Send 'Authorization: Bearer TOKEN'; /fhir/.well-known/smart-configuration says where to get one.");

    public static Issue TokenInvalid() =>
        Issue.Error(IssueKind.Login, "IOMT-0821", "The access token is not valid any more, or never was.", "Authorization", "Get a new one at the token endpoint.");

    private static string Shorten(string text) => text.Length <= 64 ? text : text[..64] + "…";
}
