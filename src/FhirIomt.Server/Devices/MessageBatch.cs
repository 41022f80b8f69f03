using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir;
using FhirIomt.Ingest;
using FhirIomt.Mapping;
using FhirIomt.Repository.Readings;

namespace FhirIomt.Server.Devices;

/// <summary>The messages of one request. The id of a message is <c>{Id}-{index}</c>.</summary>
internal sealed record MessageBatch(string Id, IngestRequest Request, DateTimeOffset ReceivedAt)
{
    public Sender Sender => Request.Sender;

    public ActiveMapping Mapping => Request.Mapping;

    public RequestOrigin? Origin => Request.Origin;

    public TimeZoneInfo? Zone => Request.Zone;

    /// <summary>The patients whom messages of the batch name, by identifier: null for nobody, or more than one.</summary>
    public Dictionary<string, string?> NamedPatients { get; } = new(StringComparer.Ordinal);
}

/// <summary>One message on its way through the pipeline: what is to be stored of it, and what cannot be.</summary>
internal sealed class MessageWork(MessageEntry entry)
{
    private readonly List<Issue> _issues = [];
    private readonly List<IStoredReading> _operations = [];
    private bool _quarantined;
    private bool _refused;
    private bool _leftOut;

    public int Index => entry.Index;

    public IReadOnlyList<MappedReading> Readings { get; private set; } = [];

    public IReadOnlyList<IStoredReading> Operations => _operations;

    public IReadOnlyList<Issue> Issues => _issues;

    /// <summary>The message as it came in, for quarantine.</summary>
    public ReadOnlyMemory<byte> Envelope => entry is MessageEntry.Taken taken ? taken.Reading.Envelope : entry is MessageEntry.Unreadable unreadable ? unreadable.Reading.Envelope : default;

    /// <summary>Kept for replay: something of it was not stored, and not for a reason that only the sender can mend.</summary>
    public bool IsKept => _quarantined || HasRefused;

    // Decided in the transaction, by what is stored.
    private bool HasRefused => _operations.Exists(operation => operation.Status == ReadingStatus.Refused);

    public void Add(MapResult mapped)
    {
        Readings = mapped.Readings;
        _issues.AddRange(mapped.Issues);
        _leftOut = mapped.IsLeftOut;
        _quarantined |= (mapped.Readings.Count == 0 && !_leftOut) || mapped.Issues.Any(issue => issue.Refuses);
    }

    public void Store(IStoredReading operation, IReadOnlyList<Issue> warnings)
    {
        _operations.Add(operation);
        _issues.AddRange(warnings);
    }

    public void Quarantine(params IReadOnlyList<Issue> issues)
    {
        _issues.AddRange(issues);
        _quarantined = true;
    }

    public void Refuse(params IReadOnlyList<Issue> issues)
    {
        _issues.AddRange(issues);
        _refused = true;
    }

    public void Fail(Issue issue, bool isRefusal)
    {
        if (isRefusal)
        {
            Refuse(issue);
        }
        else
        {
            Quarantine(issue);
        }
    }

    /// <summary>The receipt, once the operations have run.</summary>
    public MessageReceipt ToReceipt(string batchId) =>
        new(Index, $"{batchId}-{Index}", Status(), [.. Written.Select(operation => $"{operation.ResourceType}/{operation.ResourceId}")], HasRefused ? [.. _issues, RefusedReadings.AsTheMappingAsks()] : _issues);

    private IEnumerable<IStoredReading> Written => _operations.Where(operation => operation.Status != ReadingStatus.Refused);

    private MessageStatus Status()
    {
        if (!Written.Any())
        {
            return IsKept ? MessageStatus.Quarantined : _leftOut ? MessageStatus.Ignored : MessageStatus.Refused;
        }

        if (IsKept || _refused)
        {
            return MessageStatus.Partial;
        }

        if (_operations.Exists(operation => operation.Status == ReadingStatus.Stored))
        {
            return MessageStatus.Stored;
        }

        return _operations.Exists(operation => operation.Status == ReadingStatus.Updated) ? MessageStatus.Updated : MessageStatus.Duplicate;
    }
}
