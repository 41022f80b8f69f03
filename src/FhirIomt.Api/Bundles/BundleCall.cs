using FhirIomt.Api.Http;
using FhirIomt.Api.Shaping;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Api.Bundles;

/// <summary>A call that came as an entry of a batch or transaction: what headers say over HTTP, <c>entry.request</c> says here.</summary>
internal sealed class BundleCall : FhirCall
{
    private readonly ResourceNode _entry;
    private readonly FhirCall _bundle;

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public BundleCall(ResourceNode entry, FhirCall bundle, FhirRoute route, IReadOnlyDictionary<string, string> parts, string query, ResponseShape shape)
    {
        _entry = entry;
        _bundle = bundle;
        Route = route;
        QueryString = query;
        Shape = shape;
        Scope = bundle.Scope;
        Cancelled = bundle.Cancelled;
        Type = parts.GetValueOrDefault("type", route.FixedType);
        Id = parts.GetValueOrDefault("id", "");
        Version = parts.GetValueOrDefault("version", "");
        Inner = parts.GetValueOrDefault("inner", "");
    }

    public FhirRoute Route { get; }

    public override string Method => _entry["request"u8]["method"u8].AsString() ?? "";

    public override string QueryString { get; }

    public override string? Header(string name) => name == "Prefer" ? _bundle.Header(name) : _entry["request"u8][name switch
    {
        "If-Match" => "ifMatch"u8,
        "If-None-Match" => "ifNoneMatch"u8,
        "If-Modified-Since" => "ifModifiedSince"u8,
        "If-None-Exist" => "ifNoneExist"u8,
        _ => default,
    }].AsString();

    public override ValueTask<Outcome<FhirBody, FhirAnswer>> ReadAsync()
    {
        var resource = _entry["resource"u8];
        return ValueTask.FromResult<Outcome<FhirBody, FhirAnswer>>(resource.Exists
            ? new FhirBody(MediaTypes.Json, resource.Raw) { IsEntry = true }
            : FhirAnswer.BadRequest(ApiIssues.EntryWithoutResource()));
    }
}
