namespace FhirIomt.Storage;

/// <summary>One line of the audit, as it is to be kept. Only who writes it knows what it says; the store keeps it in order and sees that nobody changes it.</summary>
/// <param name="Body">A JSON object without white space; its member <c>p</c> lists the patients, and <c>v</c>, an array that only some have, tells what readings became.</param>
/// <param name="Patients">Whose record it is about; the audit is found by them.</param>
public sealed record AuditRow(ReadOnlyMemory<byte> Body, IReadOnlyList<string> Patients)
{
    /// <summary>Whether it tells what readings became.</summary>
    public bool HasReadings => HasReadingsIn(Body.Span);

    /// <summary>Whether a line's body does. Within a text the quotes would be escaped.</summary>
    internal static bool HasReadingsIn(ReadOnlySpan<byte> body) => body.IndexOf("\"v\":["u8) >= 0;
}

/// <summary>One line of the audit, as it is kept.</summary>
/// <param name="Key">Its place in the one order of all lines, of all nodes; it tells the time too (<see cref="AuditKey"/>).</param>
public sealed record StoredAudit(long Key, ReadOnlyMemory<byte> Body)
{
    /// <summary>Whether it tells what readings became.</summary>
    public bool HasReadings => AuditRow.HasReadingsIn(Body.Span);
}

/// <summary>A stretch of the audit.</summary>
/// <param name="First">Inclusive.</param>
/// <param name="Last">Inclusive.</param>
/// <param name="Patient">Only lines about that patient; null for all.</param>
/// <param name="Descending">The newest first.</param>
public sealed record AuditQuery(long First, long Last, string? Patient, bool Descending, int Limit)
{
    /// <summary>Lines that tell nothing of readings may be left out: of a patient's lines the others are found without everybody who looked at the record.</summary>
    public bool WithReadings { get; init; }
}

/// <summary>The key of a line: the tick of the store's clock when it was written, so that a span of time is a span of keys.</summary>
public static class AuditKey
{
    public static DateTimeOffset TimeOf(long key) => Sql.ResourceKey.TimeOf(key);

    /// <summary>The smallest key at or after that time.</summary>
    public static long FirstOf(DateTimeOffset time) => Sql.ResourceKey.FirstTickOf(time);
}

/// <summary>What walking through the audit's chain found.</summary>
/// <param name="Rows">Lines that were looked at.</param>
/// <param name="Batches">Commits that they came in.</param>
/// <param name="Head">The hash at the end, in hexadecimal: whoever noted it can have it looked for later.</param>
/// <param name="Problem">The first thing that does not fit; null when everything does.</param>
/// <param name="HasExpected">Whether the hash that was asked for is one of the chain.</param>
public sealed record AuditCheckReport(long Rows, long Batches, string Head, string? Problem, bool HasExpected);
