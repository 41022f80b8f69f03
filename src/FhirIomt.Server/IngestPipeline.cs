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
using FhirIomt.Repository.Readings.Routes;
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
    IStore store, ResourceRepository repository, ReadingResolver resolver, RouteDirectory routes, SearchIndexer indexer, IndexPolicy policy, IdSource ids, TimeProvider time, ServerOptions options, AuditLog audit, QuarantineCount quarantine, LastSeen lastSeen, ILogger<IngestPipeline>? logger = null)
{
    // While one chunk commits the next is mapped: 500 messages take about as long to map as to commit.
    public const int ChunkSize = 500;

    /// <summary>Takes the messages of one request; returns when all that it says is stored is durable.</summary>
    public Task<IReadOnlyList<MessageReceipt>> ProcessAsync(IngestRequest request, CancellationToken cancellationToken) => ProcessAsync([request], cancellationToken);

    /// <summary>
    /// Takes what several senders sent at one moment. Each message is mapped and resolved as its own sender's and as nobody else's; only the commit is common, since
    /// thousands of devices that send one message each would otherwise need as many.
    /// </summary>
    /// <returns>The receipts in the order of the requests and of the messages in them; their index counts through all.</returns>
    public async Task<IReadOnlyList<MessageReceipt>> ProcessAsync(IReadOnlyList<IngestRequest> requests, CancellationToken cancellationToken)
    {
        var receipts = new List<MessageReceipt>(requests.Sum(request => request.Entries.Count));
        Task<ReceiptOperation>? committing = null;
        foreach (var (number, part) in WorkOf(requests).Chunk(ChunkSize).Index())
        {
            await PrepareAsync(part, cancellationToken).ConfigureAwait(false);
            if (committing is not null)
            {
                receipts.AddRange((await committing.ConfigureAwait(false)).Receipts);
            }

            committing = CommitAsync(number, part, cancellationToken);
        }

        if (committing is not null)
        {
            receipts.AddRange((await committing.ConfigureAwait(false)).Receipts);
        }

        Telemetry.CountMessages(receipts);
        return receipts;
    }

    // All of one passage are received at one moment and share the first part of their ids; everything else is their own request's.
    private IEnumerable<MessageWork> WorkOf(IReadOnlyList<IngestRequest> requests)
    {
        var (id, now, index) = (ids.NewId(), time.GetUtcNow(), 0);
        foreach (var request in requests)
        {
            var batch = new MessageBatch(id, request, now);
            for (var place = 0; place < request.Entries.Count; place++)
            {
                yield return new MessageWork(batch, request.Entries[place], index++, request.KeptKeys.Count > place ? request.KeptKeys[place] : null);
            }
        }
    }

    private async Task PrepareAsync(MessageWork[] part, CancellationToken cancellationToken)
    {
        using var activity = Telemetry.Source.StartActivity("map");
        foreach (var work in part)
        {
            Map(work);
        }

        await LookUpDevicesAsync(part, cancellationToken).ConfigureAwait(false);
        var table = await routes.NowAsync(cancellationToken).ConfigureAwait(false);
        foreach (var (batch, start, count) in MessageRuns.Of(part))
        {
            var own = new ArraySegment<MessageWork>(part, start, count);
            await resolver.CreateMissingAsync(batch, own, cancellationToken).ConfigureAwait(false);
            var windows = new WindowGroups(batch, table, indexer, policy);
            foreach (var work in own)
            {
                await TakeReadingsAsync(work, windows, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask LookUpDevicesAsync(MessageWork[] part, CancellationToken cancellationToken)
    {
        try
        {
            await resolver.PrepareAsync(part.SelectMany(work => work.Readings), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsFault(exception))
        {
            // Each reading asks for its own device all the same; then it shows whose fault it was.
            logger?.LookUpFault(exception);
        }
    }

    private async ValueTask TakeReadingsAsync(MessageWork work, WindowGroups windows, CancellationToken cancellationToken)
    {
        foreach (var reading in work.Readings)
        {
            try
            {
                await TakeReadingAsync(work, reading, windows, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (IsFault(exception))
            {
                Keep(work, exception);
            }
        }
    }

    // A fault of ours on one message: it waits with what it said, and its neighbours go on. Sent again and again it would otherwise hold up whoever sent it for ever.
    private void Keep(MessageWork work, Exception exception)
    {
        logger?.MessageFault(exception);
        work.Quarantine(DeviceIssues.MessageFault());
    }

    private static bool IsFault(Exception exception) => exception is not (StoreBusyException or OperationCanceledException);

    private void Map(MessageWork work)
    {
        switch (work.Entry)
        {
            case MessageEntry.Refused refused:
                work.Refuse(refused.Issue);
                break;
            case MessageEntry.Unreadable unreadable:
                work.Quarantine(unreadable.Issue);
                break;
            case MessageEntry.Taken taken:
                Map(work, taken.Reading.Envelope);
                break;
        }
    }

    private void Map(MessageWork work, ReadOnlyMemory<byte> text)
    {
        if (!JsonTree.Parse(text).TryGetValue(out var envelope, out var issues))
        {
            work.Refuse([.. issues]);
            return;
        }

        try
        {
            var batch = work.Batch;
            work.Add(batch.Mapping.Set.Map(envelope, new MappingContext(batch.Zone, batch.Request.Enqueued ?? batch.ReceivedAt)));
        }
        catch (Exception exception) when (IsFault(exception))
        {
            Keep(work, exception);
        }
    }

    private async ValueTask TakeReadingAsync(MessageWork work, MappedReading reading, WindowGroups windows, CancellationToken cancellationToken)
    {
        var batch = work.Batch;
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

        work.Store(windows.Join(new ReadingOperation(reading, resolved, prepared with { Key = key }, indexer, policy), resolved), issues);
    }

    private async Task<ReceiptOperation> CommitAsync(int number, MessageWork[] part, CancellationToken cancellationToken)
    {
        using var activity = Telemetry.Source.StartActivity("commit");
        var batch = part[0].Batch;
        var receipt = new ReceiptOperation(number, part, batch.ReceivedAt + options.Ingest.ReceiptsKept, audit, options.Ingest.MaxQuarantined - quarantine.Value);
        await store.WriteAsync([.. part.SelectMany(message => message.Operations).Select(reading => reading.Operation).Distinct(), receipt], cancellationToken).ConfigureAwait(false);
        quarantine.Added(receipt.Kept);
        if (batch.Request.Replayed is not null)
        {
            // What waited says nothing about whether its device speaks now.
            return receipt;
        }

        foreach (var device in part.SelectMany(message => message.Operations).Select(reading => reading.DeviceId).Distinct(StringComparer.Ordinal))
        {
            lastSeen.Hear(device);
        }

        return receipt;
    }
}

internal static partial class IngestLog
{
    [LoggerMessage(EventId = 79, Level = LogLevel.Error, Message = "The devices of several messages could not be looked up together")]
    public static partial void LookUpFault(this ILogger logger, Exception exception);

    [LoggerMessage(EventId = 78, Level = LogLevel.Error, Message = "A message met a fault of the server and waits in quarantine")]
    public static partial void MessageFault(this ILogger logger, Exception exception);
}
