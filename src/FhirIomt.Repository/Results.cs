using FhirIomt.Core;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Repository;

/// <summary>Why something was not done. The HTTP layer turns each into one status code.</summary>
public enum RefusalKind
{
    /// <summary>The content breaks FHIR or a profile.</summary>
    Invalid,

    /// <summary>The request itself is malformed: an id that does not fit, a condition that cannot be parsed.</summary>
    BadRequest,
    Forbidden,

    /// <summary>Not there, or not permitted: the two look the same.</summary>
    NotFound,
    Gone,
    PreconditionFailed,
    Conflict,
    NotAllowed,
}

public sealed record Refusal(RefusalKind Kind, IReadOnlyList<Issue> Issues)
{
    public Refusal(RefusalKind kind, Issue issue)
        : this(kind, [issue])
    {
    }
}

/// <summary>What a read answers. A closed set.</summary>
public abstract record ReadResult
{
    private ReadResult()
    {
    }

    public sealed record Found(StoredResource Resource) : ReadResult;

    public sealed record Refused(Refusal Refusal) : ReadResult;
}

/// <summary>What a write answers. A closed set.</summary>
public abstract record WriteResult
{
    private WriteResult()
    {
    }

    public sealed record Created(StoredResource Resource, IReadOnlyList<Issue> Warnings) : WriteResult;

    public sealed record Updated(StoredResource Resource, IReadOnlyList<Issue> Warnings) : WriteResult;

    /// <summary>Nothing was written: a conditional create that found its match, or an update that changes nothing.</summary>
    public sealed record Unchanged(StoredResource Resource) : WriteResult;

    /// <summary>The deletions that were written; none when there was nothing to delete.</summary>
    public sealed record Deleted(IReadOnlyList<StoredResource> Resources) : WriteResult;

    public sealed record Refused(Refusal Refusal) : WriteResult;
}

/// <summary>What a search answers. A closed set.</summary>
public abstract record SearchResult
{
    private SearchResult()
    {
    }

    public sealed record Found(SearchPage Page) : SearchResult
    {
        /// <summary>The resources in which matches that are answered alone stand.</summary>
        public IReadOnlyList<StoredResource> Containers { get; init; } = [];
    }

    public sealed record Refused(Refusal Refusal) : SearchResult;
}

/// <summary>What a history answers. A closed set.</summary>
public abstract record HistoryResult
{
    private HistoryResult()
    {
    }

    /// <param name="Versions">Newest first.</param>
    public sealed record Found(IReadOnlyList<StoredResource> Versions, string? Next) : HistoryResult;

    public sealed record Refused(Refusal Refusal) : HistoryResult;
}
