using System.Buffers;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository.Readings.Routes;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Readings;

/// <summary>
/// Stores one reading under its source key, decided inside the transaction: nothing there, store it; the same there, it was sent again; another value at
/// the same time, a new version with status <c>amended</c> that keeps what the new reading does not bring; another reading of the same second under the short key, the longer key with the fraction.
/// </summary>
public sealed class ReadingOperation(MappedReading reading, ResolvedReading resolved, PreparedResource prepared, SearchIndexer indexer, IndexPolicy policy) : WriteOperation, IStoredReading
{
    private bool _joins;

    public WriteOperation Operation => this;

    public MappedReading Reading => reading;

    public ReadingStatus Status { get; private set; }

    public string ResourceId { get; private set; } = "";

    /// <summary>The version that was written, or else the one that is there.</summary>
    public long Version { get; private set; }

    public string PatientId => resolved.PatientId;

    public string DeviceId => resolved.DeviceId;

    public string ResourceType => prepared.Type;

    public override IReadOnlyList<(string Type, string Id)> Reads => [(prepared.Type, resolved.Key.ResourceId)];

    /// <summary>The id that its source key gives.</summary>
    internal string SourceId => resolved.Key.ResourceId;

    internal ResourceNode Resource => prepared.Tree.Root;

    public override void Run(IWriteTransaction transaction)
    {
        _joins = false;
        var existing = transaction.Find(prepared.Type, resolved.Key.ResourceId);
        if (existing is null)
        {
            Store(transaction, prepared, resolved.Key.ResourceId);
            return;
        }

        if (reading.IsEpisode)
        {
            GoOn(transaction, existing);
            return;
        }

        if (reading.SharesSecond || IsSameMoment(transaction, existing))
        {
            Compare(transaction, existing, resolved, prepared);
            return;
        }

        var longer = resolved with { Key = reading.SourceKey(resolved.PatientId, resolved.DeviceId, withFraction: true) };
        var variant = Rewrite(longer);
        if (transaction.Find(prepared.Type, longer.Key.ResourceId) is { } sibling)
        {
            Compare(transaction, sibling, longer, variant);
            return;
        }

        Store(transaction, variant, longer.Key.ResourceId);
    }

    /// <summary>As when it is sent again, though what is there was first stored under the key of another route's reading, whose identifiers it keeps.</summary>
    internal void RunAt(IWriteTransaction transaction, StoredResource existing)
    {
        _joins = true;
        Compare(transaction, existing, resolved, prepared);
    }

    /// <summary>Becomes the next version of another route's reading of the same measurement.</summary>
    internal void Replace(IWriteTransaction transaction, StoredResource existing)
    {
        _joins = true;
        var stored = JsonTree.Parse(existing.Body).Require().Root;
        var next = Joined(stored, Write(reading, resolved with { Amended = !RouteMoment.SameValue(stored, Resource) }));
        var version = transaction.Put(PreparedResource.Create(prepared.Type, next, indexer, policy), existing.Id, existing).Version;
        (Status, ResourceId, Version) = (ReadingStatus.Updated, existing.Id, version);
    }

    /// <summary>Writes, parses and indexes a reading; what the pipeline does before the transaction, and what a rare variant needs inside it.</summary>
    public static JsonTree Write(MappedReading reading, in ResolvedReading resolved)
    {
        // A vital-sign Observation has 900 to 1,300 bytes.
        var output = new ArrayBufferWriter<byte>(1536);
        reading.Write(output, resolved);
        return JsonTree.Parse(output.WrittenMemory).Require();
    }

    private void Store(IWriteTransaction transaction, PreparedResource resource, string id)
    {
        var stored = transaction.Put(resource, id, previous: null);
        (Status, ResourceId, Version) = (ReadingStatus.Stored, id, stored.Version);
    }

    // A message about it that comes late, or again, changes what it adds and nothing else.
    private void GoOn(IWriteTransaction transaction, StoredResource existing)
    {
        (ResourceId, Version, Status) = (existing.Id, existing.Version, ReadingStatus.Duplicate);
        if (existing.IsDeleted)
        {
            return;
        }

        var stored = JsonTree.Parse(existing.Body).Require().Root;
        var output = new ArrayBufferWriter<byte>(1536);
        reading.Update(stored, resolved, output);
        var updated = JsonTree.Parse(output.WrittenMemory).Require();
        if (!ResourceComparison.SameReading(stored, updated.Root))
        {
            Version = transaction.Put(PreparedResource.Create(prepared.Type, updated, indexer, policy), existing.Id, existing).Version;
            Status = ReadingStatus.Updated;
        }
    }

    private void Compare(IWriteTransaction transaction, StoredResource existing, in ResolvedReading key, PreparedResource incoming)
    {
        (ResourceId, Version) = (existing.Id, existing.Version);

        // A reading that was deleted stays deleted when its device sends it again (backfill must not resurrect).
        Status = ReadingStatus.Duplicate;
        if (existing.IsDeleted)
        {
            return;
        }

        var stored = JsonTree.Parse(existing.Body).Require().Root;
        if (ResourceComparison.SameReading(stored, Joined(stored, incoming.Tree).Root))
        {
            return;
        }

        var amended = Joined(stored, Write(reading, key with { Amended = true }));
        if (reading.AbsentStaysAbsent && ReadingMerge.AddsValue(stored, amended.Root))
        {
            Status = ReadingStatus.Refused;
            return;
        }

        if (reading.SharesSecond)
        {
            amended = ReadingMerge.WithPeriodOf(stored, amended.Root);
        }

        if (ReadingMerge.LacksAnything(stored, amended.Root))
        {
            amended = ReadingMerge.Merge(stored, amended.Root);
            if (ResourceComparison.SameReading(stored, amended.Root))
            {
                return;
            }
        }

        Version = transaction.Put(PreparedResource.Create(prepared.Type, amended, indexer, policy), existing.Id, existing).Version;
        Status = ReadingStatus.Updated;
    }

    private PreparedResource Rewrite(in ResolvedReading key) => PreparedResource.Create(prepared.Type, Write(reading, key), indexer, policy);

    private JsonTree Joined(ResourceNode stored, JsonTree incoming) => _joins ? ReadingMerge.WithIdentifiersOf(stored, incoming.Root) : incoming;

    // A deleted reading counts by what it was: another reading of the same second must not be taken for it and be lost.
    internal bool IsSameMoment(IWriteTransaction transaction, StoredResource existing)
    {
        var said = existing.IsDeleted ? transaction.FindVersion(existing.Type, existing.Id, existing.Version - 1) : existing;
        if (said is not { IsDeleted: false })
        {
            return true;
        }

        var root = JsonTree.Parse(said.Body).Require().Root;
        var text = root["effectivePeriod"u8]["start"u8].AsString() ?? root["effectiveDateTime"u8].AsString() ?? root["effectiveInstant"u8].AsString();
        return DateTimeOffset.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal, out var start) && start == reading.Start;
    }
}
