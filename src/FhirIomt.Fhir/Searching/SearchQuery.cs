using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.Searching;

/// <summary>A search as it will run: what the URL asked for, checked and typed. Source: FHIR R4 §3.1.1.</summary>
public sealed record SearchQuery
{
    /// <summary>A concrete type; <c>Resource</c> when <see cref="Parts"/> has one search for each type.</summary>
    public required string ResourceType { get; init; }

    /// <summary>All must hold; the values inside one criterion are alternatives.</summary>
    public IReadOnlyList<SearchCriterion> Criteria { get; init; } = [];

    /// <summary>A search over several types: the criteria for each of them. Order, count and includes are said here.</summary>
    public IReadOnlyList<SearchQuery> Parts { get; init; } = [];

    /// <summary>Empty: the engine's cheapest stable order.</summary>
    public IReadOnlyList<SortKey> Sort { get; init; } = [];

    public int Count { get; init; } = SearchLimits.DefaultCount;

    public IReadOnlyList<IncludeRule> Includes { get; init; } = [];

    public TotalMode Total { get; init; }

    /// <summary>Answer the number of matches only (<c>_summary=count</c> or <c>_count=0</c>).</summary>
    public bool CountOnly { get; init; }

    /// <summary>Whether resources inside others are found; a store knows only those that stand by themselves.</summary>
    public ContainedMode Contained { get; init; }

    /// <summary>What is answered for a match inside another resource: itself alone (<c>_containedType=contained</c>), or its container.</summary>
    public bool ContainedAlone { get; init; }

    /// <summary>Where the page starts: what <see cref="SearchPage.Next"/> of the page before said.</summary>
    public string? Cursor { get; init; }

    /// <summary>Says which matches in which order: a cursor of another search is refused by it. The same on every node and in every process.</summary>
    public long Fingerprint { get; init; }
}

public enum TotalMode
{
    None,
    Accurate,
}

/// <summary><c>_contained</c> (R4 §3.1.1.5.5).</summary>
public enum ContainedMode
{
    None,
    Only,
    Both,
}

public sealed record SortKey(SearchParameter Parameter, bool Descending);

/// <summary>An <c>_include</c> or <c>_revinclude</c> (R4 §3.1.1.5.4).</summary>
/// <param name="SourceType">The type that holds the reference.</param>
/// <param name="Parameter">Its reference parameter; null for <c>*</c>: all of them.</param>
/// <param name="TargetType">Null: any.</param>
/// <param name="Reverse">Resources that refer to what was found, instead of those it refers to.</param>
/// <param name="Iterate">Also from resources that were themselves included.</param>
public sealed record IncludeRule(string SourceType, SearchParameter? Parameter, string? TargetType, bool Reverse, bool Iterate);

/// <summary>One page of a search.</summary>
/// <param name="Next">Cursor of the next page, or null on the last.</param>
/// <param name="Total">Number of all matches, if it is known.</param>
public sealed record SearchPage(IReadOnlyList<StoredResource> Matches, IReadOnlyList<StoredResource> Included, string? Next, long? Total)
{
    /// <summary>More resources belong to the page than <see cref="SearchLimits.MaxIncluded"/>; the answer says so.</summary>
    public bool IncludesCut { get; init; }
}

/// <summary>One stored version of a resource.</summary>
/// <param name="Body">The JSON as it is served, <c>meta.versionId</c> and <c>meta.lastUpdated</c> included.</param>
public sealed record StoredResource(string Type, string Id, long Version, DateTimeOffset LastUpdated, ReadOnlyMemory<byte> Body)
{
    // Of a copy, but for what was read from its body, which may be another.
    private StoredResource(StoredResource other) => (Type, Id, Version, LastUpdated, Body, IsDeleted) = (other.Type, other.Id, other.Version, other.LastUpdated, other.Body, other.IsDeleted);

    /// <summary>The version is a deletion; <see cref="Body"/> is empty.</summary>
    public bool IsDeleted { get; init; }

    /// <summary>What the check on what leaves read from <see cref="Body"/>: a version never changes, so who keeps it need not have it read again.</summary>
    public ResourceGlance? Glance { get; set; }

    /// <summary>The same for what an include read last.</summary>
    public ResourceReferences? References { get; set; }
}

/// <param name="Of">By these parameters.</param>
/// <param name="Values">Where it refers to by them.</param>
public sealed record ResourceReferences(IReadOnlyList<SearchParameter> Of, IReadOnlyList<IndexValue.Reference> Values);

/// <param name="Owner">The id of the patient that it belongs to, strictly; null when it belongs to none.</param>
/// <param name="HasLabels">It carries tags or security labels.</param>
public sealed record ResourceGlance(string? Owner, bool HasLabels);
