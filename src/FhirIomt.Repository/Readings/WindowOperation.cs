using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Readings;

/// <summary>
/// Stores the readings of one hour, day or correlation that came together: one look and one write for all of them. Where each stands is decided by
/// <see cref="MappedReading.Place"/>, inside the transaction; a reading that has to stand apart is stored as if it came alone.
/// </summary>
public sealed class WindowOperation(ResolvedReading resolved, SearchIndexer indexer, IndexPolicy policy) : WriteOperation
{
    private readonly List<WindowReading> _parts = [];

    public override IReadOnlyList<(string Type, string Id)> Reads => _parts[0].Reading.WindowKey(resolved.PatientId, resolved.DeviceId) is { } key ? [(_parts[0].ResourceType, key.ResourceId)] : [];

    /// <param name="alone">The reading as it is stored when it has to stand apart.</param>
    public WindowReading Add(ReadingOperation alone)
    {
        var part = new WindowReading(alone, this);
        _parts.Add(part);
        return part;
    }

    public override void Run(IWriteTransaction transaction)
    {
        var shelf = new TransactionShelf(transaction, _parts[0].ResourceType, indexer, policy);
        var parts = new Dictionary<MappedReading, WindowReading>(_parts.Select(part => KeyValuePair.Create(part.Reading, part)), ReferenceEqualityComparer.Instance);
        foreach (var placed in _parts[0].Reading.Place([.. _parts.Select(part => part.Reading)], resolved, shelf))
        {
            parts[placed.Reading].Become(placed, shelf.VersionOf(placed.Key.ResourceId), transaction);
        }
    }

    private sealed class TransactionShelf(IWriteTransaction transaction, string type, SearchIndexer indexer, IndexPolicy policy) : IWindowShelf
    {
        private readonly Dictionary<string, StoredResource?> _found = new(StringComparer.Ordinal);

        public WindowContent Find(in SourceKey key)
        {
            var stored = _found[key.ResourceId] = transaction.Find(type, key.ResourceId);
            var memory = transaction.FindRecord(RecordKind.WindowMemory, key.ResourceId)?.Body ?? default;
            return stored is null ? new WindowContent(default, IsDeleted: false, memory)
                : new WindowContent(stored.IsDeleted ? default : JsonTree.Parse(stored.Body).Require().Root, stored.IsDeleted, memory);
        }

        /// <summary>The version that was written, or else the one that is there.</summary>
        public long VersionOf(string? id) => id is not null && _found.GetValueOrDefault(id) is { } stored ? stored.Version : 0;

        public void Put(in SourceKey key, JsonTree? resource, ReadOnlyMemory<byte> memory)
        {
            if (resource is not null)
            {
                _found[key.ResourceId] = transaction.Put(PreparedResource.Create(type, resource, indexer, policy), key.ResourceId, _found[key.ResourceId]);
            }

            transaction.PutRecord(new StoredRecord(RecordKind.WindowMemory, key.ResourceId, memory));
        }
    }
}

/// <summary>One reading of a <see cref="WindowOperation"/>.</summary>
public sealed class WindowReading(ReadingOperation alone, WindowOperation window) : IStoredReading
{
    public WriteOperation Operation => window;

    public MappedReading Reading => alone.Reading;

    public ReadingStatus Status { get; private set; }

    public string ResourceType => alone.ResourceType;

    public string ResourceId { get; private set; } = "";

    public string PatientId => alone.PatientId;

    public string DeviceId => alone.DeviceId;

    public long Version { get; private set; }

    internal void Become(in PlacedReading placed, long version, IWriteTransaction transaction)
    {
        if (placed.Place == WindowPlace.Apart)
        {
            alone.Run(transaction);
            (Status, ResourceId, Version) = (alone.Status, alone.ResourceId, alone.Version);
            return;
        }

        Status = placed.Place switch
        {
            WindowPlace.Taken => ReadingStatus.Stored,
            WindowPlace.Changed => ReadingStatus.Updated,
            WindowPlace.Known => ReadingStatus.Duplicate,
            _ => ReadingStatus.Refused,
        };
        ResourceId = placed.Key.ResourceId ?? "";
        Version = version;
    }
}
