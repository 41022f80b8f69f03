using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage;

/// <summary>A walk through versions (R4 §3.1.0.13): of one resource, of a type, or of everything.</summary>
public sealed record HistoryQuery
{
    /// <summary>Null: every type.</summary>
    public string? Type { get; init; }

    /// <summary>Null: every resource; needs a type otherwise.</summary>
    public string? Id { get; init; }

    /// <summary>Only versions written at or after that instant.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Only versions that were current at some time of that interval: start inclusive, end exclusive.</summary>
    public (DateTimeOffset Start, DateTimeOffset End)? At { get; init; }

    public int Count { get; init; } = SearchLimits.DefaultCount;

    /// <summary>What <see cref="HistoryPage.Next"/> of the page before said.</summary>
    public string? Cursor { get; init; }
}

/// <param name="Versions">Newest first.</param>
/// <param name="Next">Cursor of the next page, or null on the last.</param>
public sealed record HistoryPage(IReadOnlyList<StoredResource> Versions, string? Next);
