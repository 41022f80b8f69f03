using System.Text;
using System.Text.Json;
using FhirIomt.Fhir.Json;
using FhirIomt.Repository.Auditing;
using FhirIomt.Repository.Readings;
using FhirIomt.Server.Devices.Quarantine;
using FhirIomt.Storage;

namespace FhirIomt.Server.Devices;

/// <summary>
/// Writes the receipts, the audit's line that the readings' Provenance is told from, and the messages that are kept for replay, in the transaction of the readings themselves: what a vendor was told, and what it was
/// not told because the line broke, can both be asked for again.
/// </summary>
internal sealed class ReceiptOperation(MessageBatch batch, int chunk, IReadOnlyList<MessageWork> work, DateTimeOffset keptUntil, AuditLog audit, long room) : WriteOperation
{
    public IReadOnlyList<MessageReceipt> Receipts { get; private set; } = [];

    private static readonly string Software = $"FhirIomt {typeof(ReceiptOperation).Assembly.GetName().Version?.ToString(3)}";

    public static string RecordId(string batchId, int chunk) => $"{batchId}-{chunk}";

    public override void Run(IWriteTransaction transaction)
    {
        Kept = 0;
        Receipts = [.. work.Select(ReceiptOf)];
        if (batch.Request.Replayed is { } replayed)
        {
            Release(transaction, replayed);
        }
        else
        {
            transaction.PutRecord(new StoredRecord(RecordKind.Receipt, RecordId(batch.Id, chunk), DeviceJson.Of(WriteReceipts), keptUntil));
            Keep(transaction);
        }

        audit.Record(transaction, new AuditEntry("message")
        {
            Sender = batch.Sender.Id,
            Origin = batch.Origin,
            Target = $"messages {RecordId(batch.Id, chunk)}",
            Made = ReadingsMade.Of(work.SelectMany(message => message.Operations)),
            Mapping = $"{batch.Mapping.Name}/{batch.Mapping.Version}/{batch.Mapping.Set.Version}",
            Software = Software,
            Patients = [.. work.SelectMany(message => message.Operations).Select(operation => operation.PatientId).Distinct(StringComparer.Ordinal)],
        });
        if (batch.Request.RepeatKey is { } known && Receipts.All(receipt => receipt.Status != MessageStatus.Refused && !receipt.Issues.Any(issue => issue.Code == QuarantineIssues.Full().Code)))
        {
            transaction.PutRecord(new StoredRecord(RecordKind.SeenMessage, known, Encoding.UTF8.GetBytes($"\"{Receipts[0].Id}\""), batch.ReceivedAt + batch.Request.RepeatsKnown));
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

        var root = JsonTree.Parse(record.Body).Require().Root;
        transaction.PutRecord(record with
        {
            Body = DeviceJson.Of(writer =>
            {
                writer.WriteStartObject();
                writer.WriteString("sender"u8, root["sender"u8].AsString());
                writer.WriteStartArray("messages"u8);
                foreach (var message in root["messages"u8].Children)
                {
                    if (message["id"u8].AsString() == receipt.Id)
                    {
                        (receipt with { Index = index }).Write(writer);
                    }
                    else
                    {
                        message.WriteTo(writer);
                    }
                }

                writer.WriteEndArray();
                writer.WriteEndObject();
            }),
        });
    }

    private static (string BatchId, int Index) Place(string messageId)
    {
        var dash = messageId.LastIndexOf('-');
        return (messageId[..dash], int.Parse(messageId.AsSpan(dash + 1), System.Globalization.CultureInfo.InvariantCulture));
    }

    // A full quarantine keeps nothing more, and says so: then the sender still has the message.
    private MessageReceipt ReceiptOf(MessageWork message)
    {
        if (batch.Request.Replayed is { } replayed)
        {
            return message.ToReceipt(batch.Id) with { Id = replayed.Id, Index = Place(replayed.Id).Index };
        }

        var receipt = message.ToReceipt(batch.Id);
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
        for (var index = 0; index < work.Count && kept < Kept; index++)
        {
            if (work[index].IsKept)
            {
                kept++;
                var message = QuarantinedMessage.Of(batch, work[index], Receipts[index].Id);
                transaction.PutRecord(new StoredRecord(RecordKind.Quarantine, message.Id, message.Write()));
                if (batch.Request.KeptKeys.ElementAtOrDefault(work[index].Index) is { } key)
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
        if (receipt.Status is MessageStatus.Quarantined or MessageStatus.Partial or MessageStatus.Refused)
        {
            // Thrown away or mended meanwhile: that is what counts.
            if (transaction.FindRecord(RecordKind.Quarantine, replayed.Id) is not { } now || !QuarantinedMessage.Read(now).Envelope.Span.SequenceEqual(replayed.Envelope.Span))
            {
                return;
            }

            var waiting = QuarantinedMessage.Of(batch, work[0], replayed.Id) with { Original = replayed.Original };
            transaction.PutRecord(new StoredRecord(RecordKind.Quarantine, replayed.Id, waiting.Write()));
        }
        else
        {
            transaction.DeleteRecord(RecordKind.Quarantine, replayed.Id);
            Kept = -1;
        }

        Rewrite(transaction, receipt);
    }

    private void WriteReceipts(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("sender"u8, batch.Sender.Id);
        writer.WriteStartArray("messages"u8);
        foreach (var receipt in Receipts)
        {
            receipt.Write(writer);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
