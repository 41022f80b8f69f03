using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir;
using FhirIomt.Ingest;
using FhirIomt.Mapping;
using FhirIomt.Repository.Readings;

namespace FhirIomt.Server.Devices;

/// <summary>The messages of one request in a passage of the pipeline. The id of a message is <c>{Id}-{index}</c>; other requests of the same passage have the same id and other indexes.</summary>
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
/// <param name="index">Counts through all messages of the passage.</param>
/// <param name="keptKey">Under which it is remembered that the message waits in quarantine; null where nobody sends again.</param>
internal sealed class MessageWork(MessageBatch batch, MessageEntry entry, int index, string? keptKey)
{
    private readonly List<Issue> _issues = [];
    private readonly List<IStoredReading> _operations = [];
    private bool _quarantined;
    private bool _refused;
    private bool _leftOut;

    public MessageBatch Batch => batch;

    public MessageEntry Entry => entry;

    public int Index => index;

    public string? KeptKey => keptKey;

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
    public MessageReceipt ToReceipt()
    {
        var written = Written();
        return new MessageReceipt(Index, $"{batch.Id}-{Index}", Status(written.Count > 0), written, IssuesNow());
    }

    // What is decided in the transaction is known only now; of most readings there is nothing to tell.
    private IReadOnlyList<Issue> IssuesNow() => !HasRefused && !_operations.Exists(static operation => operation.Notice is not null)
        ? _issues
        : [.. _issues, .. _operations.Select(operation => operation.Notice).OfType<Issue>().Distinct(), .. HasRefused ? [RefusedReadings.AsTheMappingAsks()] : (Issue[])[]];

    private List<string> Written()
    {
        var written = new List<string>(_operations.Count);
        foreach (var operation in _operations)
        {
            if (operation.Status != ReadingStatus.Refused)
            {
                written.Add($"{operation.ResourceType}/{operation.ResourceId}");
            }
        }

        return written;
    }

    private MessageStatus Status(bool hasWritten)
    {
        if (!hasWritten)
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

/// <summary>The stretches of a passage that are of one request each.</summary>
internal static class MessageRuns
{
    public static IEnumerable<(MessageBatch Batch, int Start, int Count)> Of(IReadOnlyList<MessageWork> work)
    {
        for (var start = 0; start < work.Count;)
        {
            var end = start + 1;
            while (end < work.Count && ReferenceEquals(work[end].Batch, work[start].Batch))
            {
                end++;
            }

            yield return (work[start].Batch, start, end - start);
            start = end;
        }
    }
}
