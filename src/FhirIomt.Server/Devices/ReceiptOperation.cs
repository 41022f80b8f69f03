using System.Text;
using FhirIomt.Repository.Auditing;
using FhirIomt.Repository.Readings;
using FhirIomt.Server.Devices.Quarantine;
using FhirIomt.Storage;

namespace FhirIomt.Server.Devices;

/// <summary>
/// Writes the receipts, the audit's line that the readings' Provenance is told from, and the messages that are kept for replay, in the transaction of the readings themselves: what a vendor was told, and what it was
/// not told because the line broke, can both be asked for again.
/// </summary>
/// <param name="work">Of one passage, that of each sender together; a message that was waiting comes alone.</param>
internal sealed class ReceiptOperation(int chunk, MessageWork[] work, DateTimeOffset keptUntil, AuditLog audit, long room) : WriteOperation
{
    private static readonly string Software = $"FhirIomt {typeof(ReceiptOperation).Assembly.GetName().Version?.ToString(3)}";

    private readonly List<(MessageBatch Batch, int Start, int Count)> _runs = [.. MessageRuns.Of(work)];
    private MessageReceipt[] _receipts = [];

    public IReadOnlyList<MessageReceipt> Receipts => _receipts;

    private QuarantinedMessage? Replayed => work[0].Batch.Request.Replayed;

    public static string RecordId(string batchId, int chunk) => $"{batchId}-{chunk}";

    public override void Run(IWriteTransaction transaction)
    {
        Kept = 0;
        _receipts = [.. work.Select(ReceiptOf)];
        if (Replayed is { } replayed)
        {
            Release(transaction, replayed);
        }
        else
        {
            var body = ReceiptRecord.Write([.. _runs.Select(run => (run.Batch.Sender.Id, ReceiptsOf(run)))]);
            transaction.PutRecord(new StoredRecord(RecordKind.Receipt, RecordId(work[0].Batch.Id, chunk), body, keptUntil));
            Keep(transaction);
        }

        foreach (var run in _runs)
        {
            Record(transaction, run.Batch, new ArraySegment<MessageWork>(work, run.Start, run.Count));
            Remember(transaction, run.Batch, ReceiptsOf(run));
        }
    }

    /// <summary>Messages that wait now and did not before.</summary>
    public int Kept { get; private set; }

    /// <summary>Puts another receipt in the place of a message's first one, as long as that is kept.</summary>
    public static void Rewrite(IWriteTransaction transaction, MessageReceipt receipt)
    {
        var (batchId, index) = Place(receipt.Id);
        if (transaction.FindRecord(RecordKind.Receipt, RecordId(batchId, index / IngestPipeline.ChunkSize)) is not { } record)
        {
            return;
        }

        transaction.PutRecord(record with { Body = ReceiptRecord.Replace(record.Body, receipt with { Index = index }) });
    }

    private static (string BatchId, int Index) Place(string messageId)
    {
        var dash = messageId.LastIndexOf('-');
        return (messageId[..dash], int.Parse(messageId.AsSpan(dash + 1), System.Globalization.CultureInfo.InvariantCulture));
    }

    // A full quarantine keeps nothing more, and says so: then the sender still has the message.
    private MessageReceipt ReceiptOf(MessageWork message)
    {
        if (Replayed is { } replayed)
        {
            return message.ToReceipt() with { Id = replayed.Id, Index = Place(replayed.Id).Index };
        }

        var receipt = message.ToReceipt();
        if (!message.IsKept || Kept < room)
        {
            Kept += message.IsKept ? 1 : 0;
            return receipt;
        }

        return receipt with { Status = receipt.Status == MessageStatus.Quarantined ? MessageStatus.Refused : receipt.Status, Issues = [.. receipt.Issues, QuarantineIssues.Full()] };
    }

    private void Keep(IWriteTransaction transaction)
    {
        var kept = 0;
        for (var index = 0; index < work.Length && kept < Kept; index++)
        {
            if (work[index].IsKept)
            {
                kept++;
                var batch = work[index].Batch;
                var message = QuarantinedMessage.Of(batch, work[index], Receipts[index].Id);
                transaction.PutRecord(new StoredRecord(RecordKind.Quarantine, message.Id, message.Write()));
                if (work[index].KeptKey is { } key)
                {
                    transaction.PutRecord(new StoredRecord(RecordKind.SeenMessage, key, Encoding.UTF8.GetBytes($"\"{message.Id}\""), batch.ReceivedAt + batch.Request.RepeatsKnown));
                }
            }
        }
    }

    // All of it stored: it waits no longer. Otherwise it waits for what stands in its way now.
    private void Release(IWriteTransaction transaction, QuarantinedMessage replayed)
    {
        var receipt = Receipts[0];
        var now = transaction.FindRecord(RecordKind.Quarantine, replayed.Id);
        var isStillThat = now is not null && QuarantinedMessage.Read(now).Envelope.Span.SequenceEqual(replayed.Envelope.Span);
        if (receipt.Status is MessageStatus.Quarantined or MessageStatus.Partial or MessageStatus.Refused)
        {
            // Thrown away or mended meanwhile: that is what counts.
            if (!isStillThat)
            {
                return;
            }

            var waiting = QuarantinedMessage.Of(work[0].Batch, work[0], replayed.Id) with { Original = replayed.Original };
            transaction.PutRecord(new StoredRecord(RecordKind.Quarantine, replayed.Id, waiting.Write()));
        }
        else if (isStillThat)
        {
            transaction.DeleteRecord(RecordKind.Quarantine, replayed.Id);
            Kept = -1;
        }
        else if (now is not null)
        {
            // The mended one still waits.
            return;
        }

        Rewrite(transaction, receipt);
    }

    private ArraySegment<MessageReceipt> ReceiptsOf((MessageBatch Batch, int Start, int Count) run) => new(_receipts, run.Start, run.Count);

    private void Record(IWriteTransaction transaction, MessageBatch batch, IReadOnlyList<MessageWork> own)
    {
        if (!audit.IsEnabled)
        {
            return;
        }

        var operations = OperationsOf(own);
        audit.Record(transaction, new AuditEntry("message")
        {
            Sender = batch.Sender.Id,
            Origin = batch.Origin,
            Target = $"messages {RecordId(batch.Id, chunk)}",
            Made = ReadingsMade.Of(operations),
            Mapping = $"{batch.Mapping.Name}/{batch.Mapping.Version}/{batch.Mapping.Set.Version}",
            Software = Software,
            Patients = operations is [var only] ? [only.PatientId] : [.. operations.Select(operation => operation.PatientId).Distinct(StringComparer.Ordinal)],
        });
    }

    private static IReadOnlyList<IStoredReading> OperationsOf(IReadOnlyList<MessageWork> own) => own is [var only] ? only.Operations : [.. own.SelectMany(message => message.Operations)];

    private static void Remember(IWriteTransaction transaction, MessageBatch batch, IReadOnlyList<MessageReceipt> receipts)
    {
        if (batch.Request.RepeatKey is { } known && receipts.All(receipt => receipt.Status != MessageStatus.Refused && !receipt.Issues.Any(issue => issue.Code == QuarantineIssues.Full().Code)))
        {
            transaction.PutRecord(new StoredRecord(RecordKind.SeenMessage, known, Encoding.UTF8.GetBytes($"\"{receipts[0].Id}\""), batch.ReceivedAt + batch.Request.RepeatsKnown));
        }
    }
}
