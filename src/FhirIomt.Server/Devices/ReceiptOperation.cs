using System.Text;
using System.Text.Json;
using FhirIomt.Fhir.Json;
using FhirIomt.Repository.Auditing;
using FhirIomt.Repository.Readings;
using FhirIomt.Storage;

namespace FhirIomt.Server.Devices;

/// <summary>
/// Writes the receipts, the audit's line that the readings' Provenance is told from, and the messages that are kept for replay, in the transaction of the readings themselves: what a vendor was told, and what it was
/// not told because the line broke, can both be asked for again.
/// </summary>
internal sealed class ReceiptOperation(MessageBatch batch, int chunk, IReadOnlyList<MessageWork> work, DateTimeOffset keptUntil, AuditLog audit) : WriteOperation
{
    public IReadOnlyList<MessageReceipt> Receipts { get; private set; } = [];

    private static readonly string Software = $"FhirIomt {typeof(ReceiptOperation).Assembly.GetName().Version?.ToString(3)}";

    public static string RecordId(string batchId, int chunk) => $"{batchId}-{chunk}";

    public override void Run(IWriteTransaction transaction)
    {
        Receipts = [.. work.Select(message => message.ToReceipt(batch.Id))];
        transaction.PutRecord(new StoredRecord(RecordKind.Receipt, RecordId(batch.Id, chunk), Json(WriteReceipts), keptUntil));
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
        if (batch.Request.RepeatKey is { } known && Receipts.All(receipt => receipt.Status != MessageStatus.Refused))
        {
            transaction.PutRecord(new StoredRecord(RecordKind.SeenMessage, known, Encoding.UTF8.GetBytes($"\"{Receipts[0].Id}\""), batch.ReceivedAt + batch.Request.RepeatsKnown));
        }

        for (var index = 0; index < work.Count; index++)
        {
            if (work[index].IsKept)
            {
                var (message, receipt) = (work[index], Receipts[index]);
                transaction.PutRecord(new StoredRecord(RecordKind.Quarantine, receipt.Id, Json(writer => WriteQuarantined(writer, message, receipt))));
            }
        }
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

    private void WriteQuarantined(Utf8JsonWriter writer, MessageWork message, MessageReceipt receipt)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, receipt.Id);
        writer.WriteString("sender"u8, batch.Sender.Id);
        writer.WriteString("received"u8, batch.ReceivedAt);
        writer.WriteString("mapping"u8, batch.Mapping.Name);
        writer.WriteNumber("mappingVersion"u8, batch.Mapping.Version);
        writer.WriteString("mappingHash"u8, batch.Mapping.Set.Version);
        MessageReceipt.WriteIssues(writer, message.Issues);
        writer.WritePropertyName("envelope"u8);
        writer.WriteRawValue(message.Envelope.Span, skipInputValidation: true);
        writer.WriteEndObject();
    }

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, JsonText.Options))
        {
            write(writer);
        }

        return stream.ToArray();
    }
}
