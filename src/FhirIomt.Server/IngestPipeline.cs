using System.Diagnostics;
using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Ingest;
using FhirIomt.Mapping;
using FhirIomt.Repository;
using FhirIomt.Repository.Auditing;
using FhirIomt.Repository.Readings;
using FhirIomt.Server.Devices;
using FhirIomt.Server.Devices.Life;
using FhirIomt.Server.Devices.Quarantine;
using FhirIomt.Server.Hosting;
using FhirIomt.Storage;

namespace FhirIomt.Server;

/// <summary>
/// The whole data flow of device messages. Read this file first: split → map → resolve → validate → store, and a receipt for each message.
/// One message never costs another; within a message one reading never costs another.
/// </summary>
internal sealed class IngestPipeline(
    IStore store, ResourceRepository repository, ReadingResolver resolver, SearchIndexer indexer, IndexPolicy policy, IdSource ids, TimeProvider time, ServerOptions options, AuditLog audit, QuarantineCount quarantine, LastSeen lastSeen, ILogger<IngestPipeline>? logger = null)
{
    // While one chunk commits the next is mapped: 500 messages take about as long to map as to commit.
    public const int ChunkSize = 500;

    /// <summary>Takes the messages of one request; returns when all that it says is stored is durable.</summary>
    public async Task<IReadOnlyList<MessageReceipt>> ProcessAsync(IngestRequest request, CancellationToken cancellationToken)
    {
        var (batch, entries) = (new MessageBatch(ids.NewId(), request, time.GetUtcNow()), request.Entries);
        var receipts = new List<MessageReceipt>(entries.Count);
        Task<ReceiptOperation>? committing = null;
        for (var start = 0; start < entries.Count; start += ChunkSize)
        {
            var work = await PrepareAsync(batch, entries.Skip(start).Take(ChunkSize), cancellationToken).ConfigureAwait(false);
            if (committing is not null)
            {
                receipts.AddRange((await committing.ConfigureAwait(false)).Receipts);
            }

            committing = CommitAsync(batch, start / ChunkSize, work, cancellationToken);
        }

        if (committing is not null)
        {
            receipts.AddRange((await committing.ConfigureAwait(false)).Receipts);
        }

        Telemetry.CountMessages(receipts);
        return receipts;
    }

    private async Task<List<MessageWork>> PrepareAsync(MessageBatch batch, IEnumerable<MessageEntry> entries, CancellationToken cancellationToken)
    {
        using var activity = Telemetry.Source.StartActivity("map");
        var chunk = entries.Select(entry => Map(batch, entry)).ToList();
        await resolver.CreateMissingAsync(batch, chunk.SelectMany(work => work.Readings), cancellationToken).ConfigureAwait(false);
        var windows = new WindowGroups(indexer, policy);
        foreach (var work in chunk)
        {
            foreach (var reading in work.Readings)
            {
                try
                {
                    await TakeReadingAsync(batch, work, reading, windows, cancellationToken).ConfigureAwait(false);
                }
                catch (Exception exception) when (IsFault(exception))
                {
                    Keep(work, exception);
                }
            }
        }

        return chunk;
    }

    // A fault of ours on one message: it waits with what it said, and its neighbours go on. Sent again and again it would otherwise hold up whoever sent it for ever.
    private void Keep(MessageWork work, Exception exception)
    {
        logger?.MessageFault(exception);
        work.Quarantine(DeviceIssues.MessageFault());
    }

    private static bool IsFault(Exception exception) => exception is not (StoreBusyException or OperationCanceledException);

    private MessageWork Map(MessageBatch batch, MessageEntry entry)
    {
        var work = new MessageWork(entry);
        if (entry is MessageEntry.Refused refused)
        {
            work.Refuse(refused.Issue);
            return work;
        }

        if (entry is MessageEntry.Unreadable unreadable)
        {
            work.Quarantine(unreadable.Issue);
            return work;
        }

        var reading = ((MessageEntry.Taken)entry).Reading;
        if (!JsonTree.Parse(reading.Envelope).TryGetValue(out var envelope, out var issues))
        {
            work.Refuse([.. issues]);
            return work;
        }

        try
        {
            work.Add(batch.Mapping.Set.Map(envelope, new MappingContext(batch.Zone, batch.Request.Enqueued ?? batch.ReceivedAt)));
        }
        catch (Exception exception) when (IsFault(exception))
        {
            Keep(work, exception);
        }

        return work;
    }

    private async ValueTask TakeReadingAsync(MessageBatch batch, MessageWork work, MappedReading reading, WindowGroups windows, CancellationToken cancellationToken)
    {
        if (reading.Start > batch.ReceivedAt + options.Ingest.MaxFuture)
        {
            work.Quarantine(DeviceIssues.InTheFuture(options.Ingest.MaxFuture));
            return;
        }

        var resolution = await resolver.ResolveAsync(batch, reading, cancellationToken).ConfigureAwait(false);
        if (resolution.Issue is { } issue)
        {
            work.Fail(issue, resolution.IsRefusal && !batch.Request.KeepsRefused);
            return;
        }

        var key = reading.SourceKey(resolution.PatientId!, resolution.DeviceId!, withFraction: reading.Window is not null);
        var resolved = new ResolvedReading(key, resolution.PatientId!, resolution.DeviceId!, resolution.EncounterId, batch.ReceivedAt, Amended: false);
        var resource = ReadingOperation.Write(reading, resolved);
        if (!repository.PrepareReading(reading.ResourceType, resource).TryGetValue(out var prepared, out var issues))
        {
            work.Quarantine([.. issues]);
            return;
        }

        if (options.Ingest.Plausibility && reading.ResourceType == "Observation" && Plausibility.Check(resource.Root) is { } implausible)
        {
            // As with profiles: what claims none, as the connector's mappings do, is stored as they always did, and told of.
            if (resource.Root["meta"u8]["profile"u8].Exists)
            {
                work.Quarantine(implausible);
                return;
            }

            issues = [.. issues, implausible with { Severity = IssueSeverity.Warning }];
        }

        work.Store(windows.Join(new ReadingOperation(reading, resolved, prepared, indexer, policy), resolved), issues);
    }

    private async Task<ReceiptOperation> CommitAsync(MessageBatch batch, int chunk, List<MessageWork> work, CancellationToken cancellationToken)
    {
        using var activity = Telemetry.Source.StartActivity("commit");
        var receipt = new ReceiptOperation(batch, chunk, work, batch.ReceivedAt + options.Ingest.ReceiptsKept, audit, options.Ingest.MaxQuarantined - quarantine.Value);
        await store.WriteAsync([.. work.SelectMany(message => message.Operations).Select(reading => reading.Operation).Distinct(), receipt], cancellationToken).ConfigureAwait(false);
        quarantine.Added(receipt.Kept);
        if (batch.Request.Replayed is not null)
        {
            // What waited says nothing about whether its device speaks now.
            return receipt;
        }

        foreach (var device in work.SelectMany(message => message.Operations).Select(reading => reading.DeviceId).Distinct(StringComparer.Ordinal))
        {
            lastSeen.Hear(device);
        }

        return receipt;
    }
}

internal static partial class IngestLog
{
    [LoggerMessage(EventId = 78, Level = LogLevel.Error, Message = "A message met a fault of the server and waits in quarantine")]
    public static partial void MessageFault(this ILogger logger, Exception exception);
}
