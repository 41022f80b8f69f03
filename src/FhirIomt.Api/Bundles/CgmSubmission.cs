using FhirIomt.Api.Http;
using FhirIomt.Api.Interactions;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository;
using FhirIomt.Smart;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Bundles;

/// <summary>
/// <c>$submit-cgm-bundle</c> (HL7 CGM, STU 1): a transaction of readings and summaries of a glucose sensor, all or nothing, with the rights that the same creates need one by one. Sent again, it
/// stores nothing twice: an entry has its own condition, or is known by what it is about.
/// </summary>
internal sealed class CgmSubmission(ResourceWriter writer, WriteRequests requests, SearchQueryParser parser, ServerAddress address)
{
    // A month of readings, one for each minute of two weeks, or a year of summaries; as many as a transaction.
    private const int MaxEntries = 10_000;

    private static readonly string[] Types = ["Patient", "Device", "Observation", "DiagnosticReport"];

    public async Task<FhirAnswer> HandleAsync(FhirCall call, FhirRoutes routes)
    {
        if (!(await call.ReadResourceAsync().ConfigureAwait(false)).TryGetValue(out var tree, out var refusal))
        {
            return refusal;
        }

        var bundle = tree.Root["resourceType"u8].TextEquals("Parameters"u8) ? Parameter(tree.Root) : tree.Root;
        if (!bundle["resourceType"u8].TextEquals("Bundle"u8) || !bundle["type"u8].TextEquals("transaction"u8))
        {
            return FhirAnswer.BadRequest(CgmIssues.NotASubmission());
        }

        if (bundle["entry"u8].Count > MaxEntries)
        {
            return FhirAnswer.Refused(StatusCodes.Status413PayloadTooLarge, ApiIssues.TooManyEntries(MaxEntries));
        }

        var entries = new BundleEntries(routes, address).Read(bundle, call);
        return await SubmitAsync(entries, call).ConfigureAwait(false);
    }

    private static ResourceNode Parameter(ResourceNode parameters)
    {
        foreach (var parameter in parameters["parameter"u8].Items)
        {
            if (parameter["name"u8].TextEquals("resource"u8))
            {
                return parameter["resource"u8];
            }
        }

        return default;
    }

    private async Task<FhirAnswer> SubmitAsync(IReadOnlyList<BundleEntry> entries, FhirCall call)
    {
        var keys = new SubmissionKeys(entries, address);
        var writes = new List<TransactionEntry>(entries.Count);
        var written = new int[entries.Count];
        var known = new Dictionary<string, (int Write, BundleEntry Entry)>(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            if (!(await RequestAsync(entry, keys, call).ConfigureAwait(false)).TryGetValue(out var request, out var refusal))
            {
                return BundleEntries.At(refusal, entry.Number);
            }

            // Twice the same in one Bundle is written once; twice with other content is for the transaction to refuse.
            if (request.OwnId is { } own && known.TryGetValue(own, out var first) && first.Entry.Node["resource"u8].RawSpan.SequenceEqual(entry.Node["resource"u8].RawSpan))
            {
                written[entry.Number] = first.Write;
                continue;
            }

            if (request.OwnId is { } id)
            {
                known.TryAdd(id, (writes.Count, entry));
            }

            written[entry.Number] = writes.Count;
            writes.Add(new TransactionEntry(request, entry.FullUrl));
        }

        return await writer.TransactAsync(writes, call.Scope, call.Cancelled).ConfigureAwait(false) switch
        {
            TransactionResult.Refused refused => BundleEntries.At(FhirAnswer.Refused(refused.Refusal), refused.Entry < 0 ? -1 : Array.IndexOf(written, refused.Entry)),
            TransactionResult.Done done => Answer(entries, [.. written.Select(index => done.Results[index])], call),
            _ => throw new InvalidOperationException("TransactionResult is a closed set."),
        };
    }

    // What is there already may have been added to since by people whose words the submitter may not read: status and place are all that is told.
    private FhirAnswer Answer(IReadOnlyList<BundleEntry> entries, IReadOnlyList<WriteResult> results, FhirCall call) =>
        BundleResponse.Of("transaction-response", entries, [.. results.Select((result, index) => WriteAnswer.Of(result, entries[index].Call!) with { Content = null })], address, call);

    private async ValueTask<Outcome<WriteRequest.Create, FhirAnswer>> RequestAsync(BundleEntry entry, SubmissionKeys keys, FhirCall call)
    {
        if (entry.Refused is { } refused)
        {
            return refused;
        }

        if (entry.Call is not { Route.Name: "create" } create || !Types.Contains(create.Type, StringComparer.Ordinal))
        {
            return FhirAnswer.BadRequest(CgmIssues.NotAllowed());
        }

        if (!(await requests.ReadAsync(create).ConfigureAwait(false)).TryGetValue(out var request, out var refusal))
        {
            return refusal;
        }

        var wanted = (WriteRequest.Create)request;
        if (wanted.IfNoneExist is not null)
        {
            return wanted;
        }

        if (keys.KeyOf(entry) is not { } key)
        {
            return FhirAnswer.Refused(StatusCodes.Status422UnprocessableEntity, CgmIssues.NotKnownAgain(create.Type));
        }

        // A person or a device may be here by another way; only who may search can find out.
        if (key.Condition is { } condition && call.Scope.SearchAccessFor(create.Type).Matches is not Access.AccessPredicate.Nothing)
        {
            return SearchCondition.Parse(parser, create.Type, condition).TryGetValue(out var query, out var issues) ? wanted with { IfNoneExist = query } : FhirAnswer.BadRequest(issues);
        }

        return wanted with { OwnId = key.Id };
    }
}

/// <summary>Why a submission is not taken: IOMT-0618, beside what a transaction is refused for.</summary>
internal static class CgmIssues
{
    public static Issue NotASubmission() =>
        Issue.Error(IssueKind.Invalid, "IOMT-0618", "A submission is a Bundle of type transaction, by itself or as the parameter 'resource'.", "Bundle.type", "Send the Bundle of the profile cgm-data-submission-bundle.");

    public static Issue NotAllowed() =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0618", "A submission holds nothing but POST of Observation, DiagnosticReport, Device and Patient.", "request", "Send everything else to the base, as a transaction.");

    public static Issue NotKnownAgain(string type) =>
        Issue.Error(IssueKind.Required, "IOMT-0618", $"Nothing in this {type} says how it is known again when it is sent again.", type, type is "Patient" or "Device"
            ? "Give it an identifier with a system and a value, or say request.ifNoneExist."
            : "Give it subject, code and effective time, or say request.ifNoneExist.");
}
