using FhirIomt.Api.Bundles;
using FhirIomt.Api.Http;
using FhirIomt.Api.Interactions;
using FhirIomt.Api.Operations;

namespace FhirIomt.Api;

/// <summary>Every interaction and operation below <c>/fhir</c>: the same table answers HTTP requests and the entries of Bundles.</summary>
internal sealed class FhirRoutes
{
    private const string CgmGuide = "http://hl7.org/fhir/uv/cgm/";

    public FhirRoutes(Read read, History history, Write write, Search search, SystemBundle bundle, CgmSubmission cgm, AuditEvents audit, FhirOperations operations)
    {
        All =
        [
            new("batch/transaction", "POST", "", call => bundle.HandleAsync(call, this)),
            new("history-system", "GET,HEAD", "_history", history.HandleAsync),
            new("history-type", "GET,HEAD", "{type}/_history", history.HandleAsync),
            new("history-instance", "GET,HEAD", "{type}/{id}/_history", history.HandleAsync),
            new("$submit-cgm-bundle", "POST", "$submit-cgm-bundle", call => cgm.HandleAsync(call, this)) { OperationDefinition = CgmGuide + "OperationDefinition/submit-cgm-bundle" },
            .. operations.Routes,
            new("read", "GET,HEAD", "AuditEvent/{id}", audit.ReadAsync),
            new("search-type", "GET,HEAD", "AuditEvent", audit.SearchAsync),
            new("search-compartment", "GET,HEAD", "Patient/{id}/AuditEvent", audit.SearchAsync),
            new("search-system", "GET,HEAD", "", search.GetAsync),
            new("search-system", "POST", "_search", search.PostAsync),
            new("search-type", "POST", "{type}/_search", search.PostAsync),
            new("search-type", "GET,HEAD", "{type}", search.GetAsync),
            new("create", "POST", "{type}", write.HandleAsync) { IsWrite = true },
            new("conditional-update", "PUT", "{type}", write.HandleAsync) { IsWrite = true },
            new("conditional-patch", "PATCH", "{type}", write.HandleAsync) { IsWrite = true },
            new("conditional-delete", "DELETE", "{type}", write.HandleAsync) { IsWrite = true },
            new("read", "GET,HEAD", "{type}/{id}", read.CurrentAsync),
            new("update", "PUT", "{type}/{id}", write.HandleAsync) { IsWrite = true },
            new("patch", "PATCH", "{type}/{id}", write.HandleAsync) { IsWrite = true },
            new("delete", "DELETE", "{type}/{id}", write.HandleAsync) { IsWrite = true },
            new("search-compartment", "GET,HEAD", "{type}/{id}/{inner}", search.GetAsync),
            new("search-compartment", "POST", "{type}/{id}/{inner}/_search", search.PostAsync),
            new("vread", "GET,HEAD", "{type}/{id}/_history/{version}", read.VersionAsync),
        ];
    }

    public IReadOnlyList<FhirRoute> All { get; }

    /// <summary>The capability statements of guides that this server meets.</summary>
    public IReadOnlyList<string> Instantiates { get; } = [CgmGuide + "CapabilityStatement/cgm-data-receiver"];

    /// <summary>The methods that an address takes, for the Allow header of a 405.</summary>
    public string MethodsOf(string pattern) => string.Join(", ", All.Where(route => route.Pattern == pattern).SelectMany(route => route.Method.Split(',')).Distinct(StringComparer.Ordinal));

    /// <summary>Whether a path below the base is the address of something, whatever the method.</summary>
    public bool Knows(string[] segments) => All.Any(route => route.IsAt(segments));

    /// <summary>The route of a method and a path below the base, and the parts of the path that it names; null when there is none.</summary>
    public (FhirRoute Route, IReadOnlyDictionary<string, string> Parts)? Match(string method, string[] segments)
    {
        foreach (var route in All)
        {
            if (route.Match(method, segments) is { } parts)
            {
                return (route, parts);
            }
        }

        return null;
    }
}
