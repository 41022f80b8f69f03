using FhirIomt.Access;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Readings;

/// <summary>
/// Finds the Provenance of readings in the audit: by its id, by a reading, or by time and patient. A reading's version and the line about it are of one commit, so the line is
/// the first of that patient, from the version's time on, that names it.
/// </summary>
internal sealed class ReadingTrail(IStore store, SearchIndexer indexer)
{
    // A commit holds its transaction as long as the disk takes; the line gets its key at the end of it.
    private static readonly TimeSpan LongestCommit = TimeSpan.FromMinutes(1);

    private const int PageSize = 100;

    // What one Observation may have been changed to; who changes it more often is no device.
    private const int MaxVersions = 100;

    public async ValueTask<StoredResource?> FindAsync(string id, CancellationToken cancellationToken)
    {
        if (ReadingProvenance.Parse(id) is not var (key, _))
        {
            return null;
        }

        var lines = await store.ReadAuditAsync(new AuditQuery(key, key, null, Descending: false, 1) { WithReadings = true }, cancellationToken).ConfigureAwait(false);
        return lines.SelectMany(Tell).FirstOrDefault(provenance => provenance.Id == id);
    }

    /// <summary>A stretch of lines, told. Not filtered by what a caller may see.</summary>
    /// <returns>The Provenance of each line, and whether there may be more.</returns>
    public async ValueTask<(IReadOnlyList<(long Key, IReadOnlyList<StoredResource> Told)> Lines, bool IsEnd)> WalkAsync(AuditQuery query, CancellationToken cancellationToken)
    {
        var lines = await store.ReadAuditAsync(query, cancellationToken).ConfigureAwait(false);
        return ([.. lines.Select(line => (line.Key, (IReadOnlyList<StoredResource>)[.. Tell(line)]))], lines.Count < query.Limit);
    }

    /// <summary>The Provenance of all versions of those resources, each once, in the order of time.</summary>
    public async ValueTask<IReadOnlyList<StoredResource>> OfAsync(IEnumerable<(string Type, string Id)> readings, CancellationToken cancellationToken)
    {
        var found = new Found();
        foreach (var (type, id) in readings.Where(reading => IsReadings(reading.Id)).Distinct())
        {
            if (await store.ReadAsync(type, id, cancellationToken).ConfigureAwait(false) is { } current)
            {
                await AddAsync(found, current, cancellationToken).ConfigureAwait(false);
            }
        }

        return found.InOrder();
    }

    /// <summary>The same for resources that are known in their current version.</summary>
    public async ValueTask<IReadOnlyList<StoredResource>> OfAsync(IEnumerable<StoredResource> readings, CancellationToken cancellationToken)
    {
        var found = new Found();
        foreach (var current in readings.Where(reading => IsReadings(reading.Id)))
        {
            await AddAsync(found, current, cancellationToken).ConfigureAwait(false);
        }

        return found.InOrder();
    }

    // A reading's id is the hash of its source key. Of anything else no line needs to be looked for.
    private static bool IsReadings(string id) => id.Length == 64 && id.All(char.IsAsciiHexDigitLower);

    private async ValueTask AddAsync(Found found, StoredResource current, CancellationToken cancellationToken)
    {
        IReadOnlyList<StoredResource> versions = [current];
        if (current.Version > 1)
        {
            var history = await store.HistoryAsync(new HistoryQuery { Type = current.Type, Id = current.Id, Count = MaxVersions }, cancellationToken).ConfigureAwait(false);
            versions = history.Require().Versions;
        }

        foreach (var version in versions.Where(version => !version.IsDeleted))
        {
            await AddVersionAsync(found, version, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask AddVersionAsync(Found found, StoredResource version, CancellationToken cancellationToken)
    {
        var reference = $"{version.Type}/{version.Id}/_history/{version.Version}";
        if (found.Has(reference) || PatientCompartment.OwnerOf(version.Type, JsonTree.Parse(version.Body).Require().Root, indexer.ServerBase) is not { } patient)
        {
            return;
        }

        var (next, last) = (AuditKey.FirstOf(version.LastUpdated), AuditKey.FirstOf(version.LastUpdated + LongestCommit));
        while (true)
        {
            var lines = await store.ReadAuditAsync(new AuditQuery(next, last, patient, Descending: false, PageSize) { WithReadings = true }, cancellationToken).ConfigureAwait(false);
            foreach (var line in lines)
            {
                foreach (var (made, told) in Parts(line))
                {
                    if (made.Versions.Contains(reference, StringComparer.Ordinal))
                    {
                        found.Add(made, told());
                        return;
                    }
                }
            }

            if (lines.Count < PageSize)
            {
                return;
            }

            next = lines[^1].Key + 1;
        }
    }

    private static IEnumerable<StoredResource> Tell(StoredAudit line) => Parts(line).Select(part => part.Told());

    private static List<(ReadingsMade Made, Func<StoredResource> Told)> Parts(StoredAudit line)
    {
        var parts = new List<(ReadingsMade, Func<StoredResource>)>();
        if (!line.HasReadings)
        {
            return parts;
        }

        var root = JsonTree.Parse(line.Body).Require().Root;
        foreach (var item in root["v"u8].Items)
        {
            var (made, number) = (ReadingsMade.Read(item), parts.Count);
            parts.Add((made, () => ReadingProvenance.Of(line.Key, number, root, made)));
        }

        return parts;
    }

    private sealed class Found
    {
        private readonly HashSet<string> _versions = new(StringComparer.Ordinal);
        private readonly List<StoredResource> _provenance = [];

        public bool Has(string version) => _versions.Contains(version);

        public void Add(ReadingsMade made, StoredResource provenance)
        {
            _versions.UnionWith(made.Versions);
            _provenance.Add(provenance);
        }

        public IReadOnlyList<StoredResource> InOrder() => [.. _provenance.OrderBy(provenance => provenance.LastUpdated).ThenBy(provenance => provenance.Id, StringComparer.Ordinal)];
    }
}
