using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Patch;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Repository;

/// <summary>One write that somebody asks for: a request of its own, or an entry of a Bundle. A closed set.</summary>
public abstract record WriteRequest
{
    private WriteRequest(string type) => Type = type;

    public string Type { get; }

    /// <param name="IfNoneExist">The condition of a conditional create, or null.</param>
    public sealed record Create(string Of, JsonTree Resource, SearchQuery? IfNoneExist) : WriteRequest(Of)
    {
        /// <summary>
        /// The id that follows from what the resource is about, of a submission that may come again: what is there already is not made twice, what was deleted stays deleted, other
        /// content is an update. Needs no right to search.
        /// </summary>
        public string? OwnId { get; init; }
    }

    public sealed record Update(string Of, WriteTarget Target, JsonTree Resource, VersionCondition Condition) : WriteRequest(Of);

    public sealed record Patch(string Of, WriteTarget Target, ResourcePatch Change, VersionCondition Condition) : WriteRequest(Of);

    public sealed record Delete(string Of, WriteTarget Target, VersionCondition Condition) : WriteRequest(Of);
}

/// <summary>What a write is about: one id, or whatever a search finds. A closed set.</summary>
public abstract record WriteTarget
{
    private WriteTarget()
    {
    }

    public sealed record Instance(string Id) : WriteTarget;

    public sealed record Matching(SearchQuery Query) : WriteTarget;
}

/// <param name="IfMatch">What the current version must be; null where it may be any, or none.</param>
/// <param name="IfNoneMatch"><c>If-None-Match: *</c>: only when there is none yet.</param>
public readonly record struct VersionCondition(ExpectedVersion? IfMatch, bool IfNoneMatch = false);

/// <summary>What <c>If-Match</c> asks for (RFC 9110 §13.1.1).</summary>
/// <param name="Versions">One of these; empty for <c>*</c>: whichever there is.</param>
public sealed record ExpectedVersion(IReadOnlyList<long> Versions)
{
    public bool Is(long version) => Versions.Count == 0 || Versions.Contains(version);

    public override string ToString() => Versions.Count == 0 ? "*" : string.Join(" or ", Versions);
}

/// <summary>A change to a resource. A closed set.</summary>
public abstract record ResourcePatch
{
    private ResourcePatch()
    {
    }

    public abstract Outcome<JsonTree> Apply(JsonTree resource);

    /// <summary>RFC 6902.</summary>
    public sealed record Json(JsonTree Document) : ResourcePatch
    {
        public override Outcome<JsonTree> Apply(JsonTree resource) => JsonPatch.Apply(resource, Document.Root);
    }

    /// <summary><c>$meta-add</c> and <c>$meta-delete</c>.</summary>
    public sealed record Meta(ResourceNode Change, bool Removes) : ResourcePatch
    {
        public override Outcome<JsonTree> Apply(JsonTree resource) => Writing.MetaChange.Apply(resource, Change, Removes);
    }

    /// <summary>FHIRPath Patch (R4, fhirpatch): a Parameters resource.</summary>
    public sealed record FhirPath(JsonTree Parameters) : ResourcePatch
    {
        public override Outcome<JsonTree> Apply(JsonTree resource) => FhirPathPatch.Apply(resource, Parameters.Root, FhirDefinitions.R4);
    }
}
