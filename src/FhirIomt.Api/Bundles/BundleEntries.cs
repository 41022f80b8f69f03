using FhirIomt.Api.Http;
using FhirIomt.Api.Shaping;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Smart;

namespace FhirIomt.Api.Bundles;

/// <summary>One entry of a batch or transaction: the call it makes, or why it makes none.</summary>
internal sealed record BundleEntry(int Number, ResourceNode Node, BundleCall? Call, FhirAnswer? Refused)
{
    public string? FullUrl => Node["fullUrl"u8].AsString();
}

/// <summary>Reads the entries of a batch or transaction with the server's own table of routes, so that an entry and a request of its own mean the same.</summary>
internal sealed class BundleEntries(FhirRoutes routes, ServerAddress address)
{
    public IReadOnlyList<BundleEntry> Read(ResourceNode bundle, FhirCall call)
    {
        var entries = new List<BundleEntry>(bundle["entry"u8].Count);
        foreach (var node in bundle["entry"u8].Items)
        {
            var number = entries.Count;
            var read = Call(node, call);
            entries.Add(read.TryGetValue(out var entry, out var refused)
                ? new BundleEntry(number, node, entry, null)
                : new BundleEntry(number, node, null, At(refused, number)));
        }

        return entries;
    }

    /// <summary>The refusal with its place in the Bundle.</summary>
    public static FhirAnswer At(FhirAnswer refused, int entry) =>
        entry < 0 || refused.Content is not FhirContent.Outcome outcome ? refused : refused with { Content = new FhirContent.Outcome([.. outcome.Issues.Select(issue => Place(issue, entry))]) };

    private static Issue Place(Issue issue, int entry)
    {
        var inside = issue.Expression switch
        {
            null => "",
            // An expression that begins with the resource's type continues the path to the resource; the name of a header or parameter does not.
            { Length: > 0 } text when char.IsAsciiLetterUpper(text[0]) && FhirDefinitions.R4.IsResourceType(text.Split('.', '[')[0]) => text.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot ? ".resource" + text[dot..] : ".resource",
            _ => ".request",
        };
        return issue with { Expression = $"Bundle.entry[{entry}]{inside}" };
    }

    private Outcome<BundleCall, FhirAnswer> Call(ResourceNode entry, FhirCall bundle)
    {
        var request = entry["request"u8];
        if (request["method"u8].AsString() is not { } method || request["url"u8].AsString() is not { Length: > 0 } url)
        {
            return FhirAnswer.BadRequest(ApiIssues.EntryWithoutRequest());
        }

        var question = url.IndexOf('?', StringComparison.Ordinal);
        var query = question < 0 ? "" : url[(question + 1)..];
        var path = question < 0 ? url : url[..question];
        if (path == address.FhirBase || path.StartsWith(address.FhirBase + "/", StringComparison.Ordinal))
        {
            path = path[address.FhirBase.Length..];
        }

        var segments = path.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(Uri.UnescapeDataString).ToArray();
        if (segments.Length > 0 && segments[0][0] is not ('$' or '_') && !FhirDefinitions.R4.IsResourceType(segments[0]))
        {
            return FhirAnswer.Refused(404, ApiIssues.UnknownType(segments[0]));
        }

        // A Bundle in a Bundle would make a request of any depth.
        if (segments.Length == 0 && method == "POST")
        {
            return FhirAnswer.Refused(404, ApiIssues.UnknownPath());
        }

        if (routes.Match(method, segments) is not { } match)
        {
            return routes.Knows(segments) ? FhirAnswer.Refused(405, ApiIssues.NotAllowed(method)) : FhirAnswer.Refused(404, ApiIssues.UnknownPath());
        }

        if (match.Parts.TryGetValue("type", out var type) && !FhirDefinitions.R4.IsResourceType(type))
        {
            return FhirAnswer.Refused(404, ApiIssues.UnknownType(type));
        }

        if (match.Parts.TryGetValue("inner", out var inner) && inner != "*" && !FhirDefinitions.R4.IsResourceType(inner))
        {
            return FhirAnswer.Refused(404, ApiIssues.UnknownType(inner));
        }

        if (match.Parts.TryGetValue("id", out var id) && !FhirRequest.IsId(id))
        {
            return FhirAnswer.BadRequest(ApiIssues.BadId());
        }

        var call = new BundleCall(entry, bundle, match.Route, match.Parts, query, ResponseShape.Plain);
        return call.Reshape(call.Arguments) is { } badShape ? badShape : call.Shape.Format == FhirFormat.Xml ? FhirAnswer.Refused(406, ApiIssues.NotAcceptable()) : call;
    }
}
