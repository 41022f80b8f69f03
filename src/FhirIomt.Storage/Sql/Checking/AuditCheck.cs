using System.Globalization;

namespace FhirIomt.Storage.Sql.Checking;

/// <summary>Walks the audit from its beginning: every line, every hash, every entry under a patient, and the end that the clock remembers.</summary>
internal sealed class AuditCheck(SqlConnection connection, string? expected, IProgress<long>? progress)
{
    private const int PageSize = 1000;

    private long _rows;
    private long _lines;
    private long _batches;
    private long _patients;
    private readonly long _filed = connection.Scalar("SELECT audit_filed FROM clock");
    private byte[] _hash = [];
    private bool _hasExpected;

    public AuditCheckReport Run()
    {
        using var chain = new AuditChain();
        var problem = Walk(chain) ?? End();
        return new AuditCheckReport(_lines, _batches, Convert.ToHexStringLower(_hash), problem, _hasExpected);
    }

    private string? Walk(AuditChain chain)
    {
        var after = -1L;
        while (true)
        {
            var batches = Batches(after);
            foreach (var batch in batches)
            {
                if (Look(chain, batch, after) is { } problem)
                {
                    return problem;
                }

                after = batch.Last;
            }

            if (batches.Count < PageSize)
            {
                return null;
            }
        }
    }

    private string? Look(AuditChain chain, Batch batch, long after)
    {
        // An anchor stands for what was there before it and has been taken away when its time was over.
        if (batch.Size == 0)
        {
            (_hash, _hasExpected) = (batch.Hash, _hasExpected || Convert.ToHexStringLower(batch.Hash) == expected);
            return _batches == 0 ? null : $"A beginning of the audit stands in its middle, at {Place(batch.Last)}.";
        }

        chain.Begin(_hash);
        var (size, rows) = (0L, 0L);
        foreach (var row in Rows(after, batch.Last))
        {
            if (row.Key < batch.First)
            {
                return $"The line at {Place(row.Key)} belongs to no commit: it was put in later.";
            }

            if (AuditPack.Lines(row) is not { } lines)
            {
                return $"The lines at {Place(row.Key)} cannot be read: they were changed.";
            }

            (size, rows) = (size + lines.Count, rows + 1);
            chain.Add(row.Key, row.Body.Span);
            if (Unlisted(row.Key, lines) is { } problem)
            {
                return problem;
            }
        }

        _hash = chain.End();
        if (size != batch.Size)
        {
            return $"The commit from {Place(batch.First)} to {Place(batch.Last)} had {batch.Size} lines and has {size}: lines were taken away or put in.";
        }

        if (!_hash.AsSpan().SequenceEqual(batch.Hash))
        {
            return $"A line from {Place(batch.First)} to {Place(batch.Last)}, or its place in the chain, was changed.";
        }

        (_rows, _lines, _batches) = (_rows + rows, _lines + size, _batches + 1);
        _hasExpected |= Convert.ToHexStringLower(_hash) == expected;
        progress?.Report(_lines);
        return null;
    }

    // The end is remembered apart from the lines, so cutting off the newest shows.
    private string? End()
    {
        using (var rows = connection.Prepare("SELECT chain FROM clock").Run())
        {
            if (!rows.Step() || !_hash.AsSpan().SequenceEqual(rows.Blob(0)))
            {
                return "The newest commits are missing at the end of the audit, or were put there.";
            }
        }

        return connection.Scalar("SELECT count(*) FROM audit") != _rows ? "There are lines after the last commit: they were put in later."
            : Entries() != _patients ? "There are entries of lines under patients that those lines do not name."
            : null;
    }

    // A line that is not listed under its patient is not found by who asks for the patient.
    private string? Unlisted(long key, IReadOnlyList<StoredAudit> lines)
    {
        if (AuditRows.PatientsOf(lines) is not { } patients)
        {
            return $"A line at {Place(key)} cannot be read: it was changed.";
        }

        // It will be filed by what it says itself.
        if (key > _filed)
        {
            return null;
        }

        foreach (var (id, readings) in patients)
        {
            if (!IsListed(key, new AuditHeading(id, true)) && (readings || !IsListed(key, new AuditHeading(id, false))))
            {
                return $"A line at {Place(key)} is not listed under a patient that it names.";
            }

            _patients++;
        }

        return null;
    }

    private bool IsListed(long key, AuditHeading heading) => AuditRows.EntryFrom(connection, heading, key)?.BinarySearch(key) >= 0;

    // Of a round that is under way there are some that are newer.
    private long Entries()
    {
        using var rows = connection.Prepare("SELECT last, earlier FROM audit_patient").Run();
        var count = 0L;
        while (rows.Step())
        {
            count += AuditKeys.Unpack(rows.Int64(0), rows.Blob(1)).Count(key => key <= _filed);
        }

        return count;
    }

    private List<Batch> Batches(long after)
    {
        using var rows = connection.Prepare("SELECT first, last, size, hash FROM audit_batch WHERE last>? ORDER BY last LIMIT ?").Add(after).Add((long)PageSize).Run();
        var found = new List<Batch>();
        while (rows.Step())
        {
            found.Add(new Batch(rows.Int64(0), rows.Int64(1), rows.Int64(2), rows.Blob(3)));
        }

        return found;
    }

    private IEnumerable<StoredAudit> Rows(long after, long last) =>
        AuditRows.Rows(connection, new AuditQuery(after + 1, last, null, Descending: false, int.MaxValue)).TakeWhile(row => row.Key <= last);

    private static string Place(long key) => string.Create(CultureInfo.InvariantCulture, $"{AuditKey.TimeOf(key):yyyy-MM-dd'T'HH:mm:ss.fff'Z'} (key {key})");

    private readonly record struct Batch(long First, long Last, long Size, byte[] Hash);
}
