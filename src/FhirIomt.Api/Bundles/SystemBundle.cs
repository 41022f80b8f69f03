using System.Buffers;
using FhirIomt.Api.Auditing;
using FhirIomt.Api.Http;
using FhirIomt.Api.Interactions;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Repository;
using FhirIomt.Repository.Auditing;
using FhirIomt.Smart;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Bundles;

/// <summary>batch and transaction (R4 §3.1.0.11): <c>POST /fhir</c> with a Bundle.</summary>
internal sealed class SystemBundle(ResourceWriter writer, WriteRequests requests, ServerAddress address, AuditLog audit)
{
    // 10,000 heart rates are 10 MB; one commit of them takes about a second, and every other writer waits for it.
    private const int MaxEntries = 10_000;

    // Ten thousand searches of a thousand resources would be ten gigabytes, all held until the last is answered. Twice what a request may bring.
    private const long MaxReadBytes = 64L * 1024 * 1024;

    public async Task<FhirAnswer> HandleAsync(FhirCall call, FhirRoutes routes)
    {
        if (!(await call.ReadResourceAsync().ConfigureAwait(false)).TryGetValue(out var tree, out var refusal))
        {
            return refusal;
        }

        var bundle = tree.Root;
        var type = bundle["resourceType"u8].TextEquals("Bundle"u8) ? bundle["type"u8].AsString() : null;
        if (type is not ("batch" or "transaction"))
        {
            return FhirAnswer.BadRequest(ApiIssues.NotABatch());
        }

        if (bundle["entry"u8].Count > MaxEntries)
        {
            return FhirAnswer.Refused(StatusCodes.Status413PayloadTooLarge, ApiIssues.TooManyEntries(MaxEntries));
        }

        var entries = new BundleEntries(routes, address).Read(bundle, call);
        return type == "batch" ? await BatchAsync(entries, call).ConfigureAwait(false) : await TransactAsync(entries, call).ConfigureAwait(false);
    }

    private async Task<FhirAnswer> BatchAsync(IReadOnlyList<BundleEntry> entries, FhirCall call)
    {
        var answers = new FhirAnswer?[entries.Count];
        var writes = new List<(BundleEntry Entry, WriteRequest Request)>();
        foreach (var entry in entries)
        {
            answers[entry.Number] = entry.Refused;
            if (entry.Call is { Route.IsWrite: true } write)
            {
                if ((await requests.ReadAsync(write).ConfigureAwait(false)).TryGetValue(out var request, out var refusal))
                {
                    writes.Add((entry, request));
                }
                else
                {
                    answers[entry.Number] = BundleEntries.At(refusal, entry.Number);
                }
            }
        }

        if (writes.Count > 0)
        {
            var results = await writer.WriteAllAsync([.. writes.Select(write => write.Request)], call.Scope, call.Cancelled).ConfigureAwait(false);
            for (var index = 0; index < writes.Count; index++)
            {
                var entry = writes[index].Entry;
                answers[entry.Number] = BundleEntries.At(WriteAnswer.Of(results[index], entry.Call!), entry.Number);
            }
        }

        foreach (var entry in entries.Where(entry => entry.Refused is not null))
        {
            await FhirAudit.RecordRefusalAsync(audit, call, entry.Refused!, RequestOf(entry)).ConfigureAwait(false);
        }

        foreach (var entry in entries.Where(entry => entry.Call is { Route.IsWrite: true } && answers[entry.Number] is { Status: >= 400 }))
        {
            await RecordAsync(entry, answers[entry.Number]!).ConfigureAwait(false);
        }

        await ReadAsync(entries, answers).ConfigureAwait(false);
        return BundleResponse.Of("batch-response", entries, answers!, address, call);
    }

    private async Task<FhirAnswer> TransactAsync(IReadOnlyList<BundleEntry> entries, FhirCall call)
    {
        var writes = new List<(BundleEntry Entry, TransactionEntry Transaction)>();
        foreach (var entry in entries)
        {
            if (entry.Refused is { } refused)
            {
                return refused;
            }

            if (entry.Call is { Route.IsWrite: true } write)
            {
                if (!(await requests.ReadAsync(write).ConfigureAwait(false)).TryGetValue(out var request, out var refusal))
                {
                    return BundleEntries.At(refusal, entry.Number);
                }

                writes.Add((entry, new TransactionEntry(request, entry.FullUrl)));
            }
            else if (entry.Call!.Method is not ("GET" or "HEAD"))
            {
                return BundleEntries.At(FhirAnswer.BadRequest(ApiIssues.NotInTransaction()), entry.Number);
            }
        }

        var answers = new FhirAnswer?[entries.Count];
        if (writes.Count > 0)
        {
            if (await RefusedReadAsync(entries).ConfigureAwait(false) is { } unread)
            {
                return unread;
            }

            switch (await writer.TransactAsync([.. writes.Select(write => write.Transaction)], call.Scope, call.Cancelled).ConfigureAwait(false))
            {
                case TransactionResult.Refused refused:
                    return BundleEntries.At(FhirAnswer.Refused(refused.Refusal), refused.Entry < 0 ? -1 : writes[refused.Entry].Entry.Number);
                case TransactionResult.Done done:
                    for (var index = 0; index < writes.Count; index++)
                    {
                        answers[writes[index].Entry.Number] = WriteAnswer.Of(done.Results[index], writes[index].Entry.Call!);
                    }

                    break;
            }
        }

        await ReadAsync(entries, answers).ConfigureAwait(false);
        if (writes.Count == 0 && answers.FirstOrDefault(answer => answer is { Status: >= StatusCodes.Status400BadRequest }) is { } unanswered)
        {
            return unanswered;
        }

        return BundleResponse.Of("transaction-response", entries, answers!, address, call);
    }

    // All or nothing (R4 §3.1.0.11.2): what cannot be read refuses what would be written, so it is asked before. What the transaction itself writes or deletes is not there yet, or no longer.
    private async Task<FhirAnswer?> RefusedReadAsync(IReadOnlyList<BundleEntry> entries)
    {
        var written = entries.Where(entry => entry.Call is { Route.IsWrite: true, Id.Length: > 0 }).ToLookup(entry => (entry.Call!.Type, entry.Call.Id), entry => entry.Call!.Method == "DELETE");
        foreach (var entry in entries)
        {
            if (entry.Call is not { Route.IsWrite: false } read)
            {
                continue;
            }

            var deletions = written[(read.Type, read.Id)];
            var answer = !deletions.Any() ? await read.Route.Handler(read).ConfigureAwait(false)
                : read.Route.Name == "read" && deletions.Contains(true) ? FhirAnswer.Refused(RepositoryIssues.Gone())
                : null;
            if (answer is { Status: >= StatusCodes.Status400BadRequest })
            {
                await RecordAsync(entry, answer).ConfigureAwait(false);
                return BundleEntries.At(answer, entry.Number);
            }
        }

        return null;
    }

    private ValueTask RecordAsync(BundleEntry entry, FhirAnswer answer) =>
        FhirAudit.RecordAsync(audit, entry.Call!.Route, entry.Call, answer, RequestOf(entry));

    private static string RequestOf(BundleEntry entry) => $"{entry.Node["request"u8]["method"u8].AsString()} {entry.Node["request"u8]["url"u8].AsString()}";

    // Reads come last (R4 §3.1.0.11.2): they see what was written.
    private async Task ReadAsync(IReadOnlyList<BundleEntry> entries, FhirAnswer?[] answers)
    {
        long bytes = 0;
        foreach (var entry in entries)
        {
            if (answers[entry.Number] is not null)
            {
                continue;
            }

            if (bytes > MaxReadBytes)
            {
                answers[entry.Number] = BundleEntries.At(FhirAnswer.Refused(StatusCodes.Status413PayloadTooLarge, ApiIssues.TooMuchRead(MaxReadBytes)), entry.Number);
                continue;
            }

            var answer = await entry.Call!.Route.Handler(entry.Call).ConfigureAwait(false);
            await RecordAsync(entry, answer).ConfigureAwait(false);
            if (answer.Content is null or FhirContent.Outcome)
            {
                answers[entry.Number] = BundleEntries.At(answer, entry.Number);
                continue;
            }

            var content = answer.Content is FhirContent.Streamed streamed ? await streamed.GatherAsync(entry.Call.Cancelled).ConfigureAwait(false) : answer.Content;
            var output = new ArrayBufferWriter<byte>(2048);
            content.WriteTo(output);
            bytes += output.WrittenCount;
            answers[entry.Number] = answer with { Content = new FhirContent.Made(writer => writer.WriteRawValue(output.WrittenSpan, skipInputValidation: true)) };
        }
    }
}
