using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.Searching;

/// <summary>A search as it will run: what the URL asked for, checked and typed. Source: FHIR R4 §3.1.1.</summary>
public sealed record SearchQuery
{
    public required string ResourceType { get; init; }

    /// <summary>All must hold; the values inside one criterion are alternatives.</summary>
    public IReadOnlyList<SearchCriterion> Criteria { get; init; } = [];

    /// <summary>Empty: the engine's cheapest stable order.</summary>
    public IReadOnlyList<SortKey> Sort { get; init; } = [];

    public int Count { get; init; } = SearchLimits.DefaultCount;

    public IReadOnlyList<IncludeRule> Includes { get; init; } = [];

    public TotalMode Total { get; init; }

    /// <summary>Answer the number of matches only (<c>_summary=count</c> or <c>_count=0</c>).</summary>
    public bool CountOnly { get; init; }

    /// <summary>Where the page starts: what <see cref="SearchPage.Next"/> of the page before said.</summary>
    public string? Cursor { get; init; }
}

public enum TotalMode
{
    None,
    Accurate,
}

public sealed record SortKey(SearchParameter Parameter, bool Descending);

/// <summary><c>_include=Source:parameter[:target]</c>.</summary>
public sealed record IncludeRule(SearchParameter Parameter, string? TargetType);

/// <summary>Limits on what can explode; each is said in the refusal.</summary>
public static class SearchLimits
{
    public const int DefaultCount = 50;

    /// <summary>A page of 1,000 Observations is about 1 MB; larger pages gain no measurable throughput.</summary>
    public const int MaxCount = 1000;

    /// <summary>Alternatives in one parameter; SQLite's own limit on bound values is 32,766 in all.</summary>
    public const int MaxAlternatives = 100;

    public const int MaxParameters = 50;

    public const int MaxIncludes = 10;

    /// <summary>Resources that one page may include.</summary>
    public const int MaxIncluded = 1000;
}

/// <summary>The comparison prefixes of FHIR R4 §3.1.1.4.2.</summary>
public enum SearchPrefix
{
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    StartsAfter,
    EndsBefore,
    Approximately,
}

/// <summary>One parameter of a search with its alternatives. A closed set.</summary>
public abstract record SearchCriterion
{
    private SearchCriterion(SearchParameter parameter) => Parameter = parameter;

    public SearchParameter Parameter { get; }

    /// <summary><c>_id</c>.</summary>
    public sealed record Ids(SearchParameter Of, IReadOnlyList<string> Values) : SearchCriterion(Of);

    /// <param name="Negated"><c>:not</c>: no value of the parameter matches any alternative.</param>
    public sealed record Tokens(SearchParameter Of, IReadOnlyList<TokenMatch> Values, bool Negated) : SearchCriterion(Of);

    public sealed record Dates(SearchParameter Of, IReadOnlyList<DateMatch> Values) : SearchCriterion(Of);

    public sealed record References(SearchParameter Of, IReadOnlyList<ReferenceMatch> Values) : SearchCriterion(Of);

    public sealed record Strings(SearchParameter Of, IReadOnlyList<string> Values, StringMatchMode Mode) : SearchCriterion(Of);

    public sealed record Uris(SearchParameter Of, IReadOnlyList<string> Values) : SearchCriterion(Of);

    /// <summary><c>:missing</c>.</summary>
    public sealed record Missing(SearchParameter Of, bool IsMissing) : SearchCriterion(Of);
}

public enum StringMatchMode
{
    StartsWith,
    Contains,
    Exact,
}

/// <summary>One of the four token forms: <c>code</c> (any system), <c>system|code</c>, <c>|code</c> (no system), <c>system|</c> (any code).</summary>
/// <param name="System">Null: any. Empty: none.</param>
/// <param name="Code">Null: any.</param>
public readonly record struct TokenMatch(string? System, string? Code)
{
    public bool Matches(string? system, string code) =>
        (System is null || System == (system ?? "")) && (Code is null || Code == code);
}

/// <summary>A prefix and the interval that the written value covers: start inclusive, end exclusive, UTC.</summary>
public readonly record struct DateMatch(SearchPrefix Prefix, DateTimeOffset Start, DateTimeOffset End)
{
    /// <summary>FHIR R4 §3.1.1.4.7: the resource's interval against this one's; <c>eq</c> is containment.</summary>
    public bool Matches(DateTimeOffset start, DateTimeOffset end) => Prefix switch
    {
        SearchPrefix.Equal => start >= Start && end <= End,
        SearchPrefix.NotEqual => !(start >= Start && end <= End),
        SearchPrefix.Greater => end > End,
        SearchPrefix.Less => start < Start,
        SearchPrefix.GreaterOrEqual => end > End || (start >= Start && end <= End),
        SearchPrefix.LessOrEqual => start < Start || (start >= Start && end <= End),
        SearchPrefix.StartsAfter => start >= End,
        SearchPrefix.EndsBefore => end <= Start,
        _ => start < End && end > Start,
    };
}

/// <param name="Type">Null: any type that the parameter allows.</param>
/// <param name="Url">For a target that is not on this server.</param>
public readonly record struct ReferenceMatch(string? Type, string? Id, string? Url);

/// <summary>One stored version of a resource.</summary>
/// <param name="Body">The JSON as it is served, <c>meta.versionId</c> and <c>meta.lastUpdated</c> included.</param>
public sealed record StoredResource(string Type, string Id, long Version, DateTimeOffset LastUpdated, ReadOnlyMemory<byte> Body)
{
    /// <summary>The version is a deletion; <see cref="Body"/> is empty.</summary>
    public bool IsDeleted { get; init; }
}

/// <summary>One page of a search.</summary>
/// <param name="Next">Cursor of the next page, or null on the last.</param>
/// <param name="Total">Number of all matches, if it is known.</param>
public sealed record SearchPage(IReadOnlyList<StoredResource> Matches, IReadOnlyList<StoredResource> Included, string? Next, long? Total);
