using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Repository.Auditing;
using FhirIomt.Storage;

namespace FhirIomt.Server.Devices.Quarantine;

/// <summary>Which messages: null members do not narrow.</summary>
/// <param name="Sender">As <c>vendor/acme</c> or <c>device/17</c>.</param>
/// <param name="Code">One of the codes that they wait for.</param>
internal sealed record QuarantineFilter(string? Sender, string? Code, string? Mapping)
{
    public bool Takes(QuarantinedMessage message) =>
        (Sender is null || message.Sender.Id == Sender) && (Mapping is null || message.Mapping == Mapping) && (Code is null || message.Codes.Contains(Code, StringComparer.Ordinal));
}

/// <summary>
/// The messages that wait: looked at, mended, sent through the pipeline again, or thrown away with a reason. A replay is an ordinary passage: nothing that is stored already is
/// stored twice, and what can be stored now leaves the quarantine in the same transaction.
/// </summary>
internal sealed class MessageQuarantine(IStore store, MappingCatalog mappings, IngestPipeline pipeline, AuditLog audit, QuarantineCount count)
{
    // A page of a list, and of a replay of all: some megabytes of payloads.
    private const int PageSize = 500;

    /// <summary>Newest first.</summary>
    public async ValueTask<IReadOnlyList<QuarantinedMessage>> ListAsync(QuarantineFilter filter, int limit, CancellationToken cancellationToken)
    {
        var found = new List<QuarantinedMessage>();
        await foreach (var message in AllAsync(filter, cancellationToken).ConfigureAwait(false))
        {
            found.Add(message);
            if (found.Count == limit)
            {
                break;
            }
        }

        return found;
    }

    public async ValueTask<QuarantinedMessage?> FindAsync(string id, CancellationToken cancellationToken) =>
        await store.FindRecordAsync(RecordKind.Quarantine, id, cancellationToken).ConfigureAwait(false) is { } record ? QuarantinedMessage.Read(record) : null;

    /// <summary>Sends one message through the pipeline again.</summary>
    /// <param name="mapping">Another mapping than it came with; null for the current version of that.</param>
    public async Task<Outcome<MessageReceipt>> ReplayAsync(string id, string? mapping, CancellationToken cancellationToken)
    {
        if (await FindAsync(id, cancellationToken).ConfigureAwait(false) is not { } message)
        {
            return QuarantineIssues.NotThere();
        }

        var name = mapping ?? message.Mapping;
        if (await mappings.FindAsync(name, cancellationToken).ConfigureAwait(false) is not { } active)
        {
            return DeviceIssues.UnknownMapping(name);
        }

        var request = new IngestRequest(message.Sender, Origin: null, active, [message.Entry])
        {
            Zone = message.Zone is null ? null : TimeZoneInfo.FindSystemTimeZoneById(message.Zone),
            Enqueued = message.Received,
            Replayed = message,
        };
        return (await pipeline.ProcessAsync(request, cancellationToken).ConfigureAwait(false))[0];
    }

    /// <summary>Replays all that the filter takes, oldest first, so that what came first is first again.</summary>
    /// <returns>How many were tried, and how many of these wait no longer.</returns>
    public async Task<(int Tried, int Released)> ReplayAllAsync(QuarantineFilter filter, string? mapping, IProgress<int>? progress, CancellationToken cancellationToken)
    {
        var ids = new List<(DateTimeOffset Received, string Id)>();
        await foreach (var message in AllAsync(filter, cancellationToken).ConfigureAwait(false))
        {
            ids.Add((message.Received, message.Id));
        }

        var (tried, released) = (0, 0);
        foreach (var (_, id) in ids.Order())
        {
            // Somebody else may have taken it away meanwhile.
            if ((await ReplayAsync(id, mapping, cancellationToken).ConfigureAwait(false)).TryGetValue(out var receipt, out _))
            {
                tried++;
                released += receipt.Status is MessageStatus.Quarantined or MessageStatus.Partial or MessageStatus.Refused ? 0 : 1;
                progress?.Report(tried);
            }
        }

        return (tried, released);
    }

    /// <summary>Puts another body into the message's envelope; the one that came stays beside it.</summary>
    public async Task<Outcome<QuarantinedMessage>> MendAsync(string id, ReadOnlyMemory<byte> body, string actor, CancellationToken cancellationToken)
    {
        if (!JsonTree.Parse(body).TryGetValue(out _, out var issues))
        {
            return Outcome<QuarantinedMessage>.Refused(issues);
        }

        var operation = new Mend(id, body, transaction => Record(transaction, actor, $"quarantine fix {id}", null));
        await store.WriteAsync([operation], cancellationToken).ConfigureAwait(false);
        return operation.Mended is { } mended ? mended : QuarantineIssues.NotThere();
    }

    /// <summary>Throws a message away; its receipt says so, with the reason.</summary>
    public async Task<Outcome<string>> DiscardAsync(string id, string reason, string actor, CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(reason) || reason.Length > 500)
        {
            return QuarantineIssues.NoReason();
        }

        var operation = new Discard(id, reason, transaction => Record(transaction, actor, $"quarantine discard {id}", reason));
        await store.WriteAsync([operation], cancellationToken).ConfigureAwait(false);
        if (!operation.WasThere)
        {
            return QuarantineIssues.NotThere();
        }

        // Its room is free at once: senders wait for it.
        count.Added(-1);
        return id;
    }

    private void Record(IWriteTransaction transaction, string actor, string what, string? reason) =>
        audit.Record(transaction, new AuditEntry("device") { Sender = actor, Target = what, Reason = reason });

    private async IAsyncEnumerable<QuarantinedMessage> AllAsync(QuarantineFilter filter, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? before = null;
        while (true)
        {
            var page = await store.ListRecordsBeforeAsync(RecordKind.Quarantine, before, PageSize, cancellationToken).ConfigureAwait(false);
            foreach (var record in page)
            {
                if (QuarantinedMessage.Read(record) is var message && filter.Takes(message))
                {
                    yield return message;
                }
            }

            if (page.Count < PageSize)
            {
                yield break;
            }

            before = page[^1].Id;
        }
    }

    private sealed class Mend(string id, ReadOnlyMemory<byte> body, Action<IWriteTransaction> record) : WriteOperation
    {
        public QuarantinedMessage? Mended { get; private set; }

        public override void Run(IWriteTransaction transaction)
        {
            if (transaction.FindRecord(RecordKind.Quarantine, id) is not { } stored)
            {
                return;
            }

            var message = QuarantinedMessage.Read(stored);
            var envelope = JsonTree.Parse(message.Envelope).Require().Root;
            Mended = message with
            {
                Envelope = JsonBytes.Of(writer =>
                {
                    writer.WriteStartObject();
                    foreach (var member in envelope.Children)
                    {
                        if (member.Name != "Body")
                        {
                            writer.WritePropertyName(member.Name);
                            member.WriteTo(writer);
                        }
                    }

                    writer.WritePropertyName("Body"u8);
                    writer.WriteRawValue(body.Span, skipInputValidation: true);
                    writer.WriteEndObject();
                }),
                Original = message.Original.IsEmpty ? envelope["Body"u8].Raw : message.Original,
            };
            transaction.PutRecord(stored with { Body = Mended.Write() });
            record(transaction);
        }
    }

    private sealed class Discard(string id, string reason, Action<IWriteTransaction> record) : WriteOperation
    {
        public bool WasThere { get; private set; }

        public override void Run(IWriteTransaction transaction)
        {
            WasThere = transaction.FindRecord(RecordKind.Quarantine, id) is not null;
            if (!WasThere)
            {
                return;
            }

            transaction.DeleteRecord(RecordKind.Quarantine, id);
            ReceiptOperation.Rewrite(transaction, new MessageReceipt(0, id, MessageStatus.Discarded, [], [QuarantineIssues.Discarded(reason)]));
            record(transaction);
        }
    }
}

/// <summary>Refusals about quarantined messages: IOMT-0587 to IOMT-0590.</summary>
internal static class QuarantineIssues
{
    public static Issue NotThere() => Issue.Error(IssueKind.NotFound, "IOMT-0587", "No message of that id waits in quarantine.", fix: "List what waits with 'fhiriomt quarantine list'.");

    public static Issue NoReason() => Issue.Error(IssueKind.Required, "IOMT-0588", "A message is thrown away with a reason of 1 to 500 characters only.", "reason", "Say why nobody will need it.");

    public static Issue Discarded(string reason) => new(IssueSeverity.Warning, IssueKind.Deleted, "IOMT-0589", $"The message was thrown away: {reason}");

    public static Issue Full() =>
        Issue.Error(IssueKind.TooCostly, "IOMT-0590", "The message cannot be mapped, and the quarantine is full: it was not kept.", fix: "Keep it and send it again; who runs the server empties the quarantine or raises Ingest:MaxQuarantined.");
}
