using FhirIomt.Api.Http;
using FhirIomt.Core;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Interactions;

/// <summary>What a write answers, as <c>Prefer: return=</c> asks (R4 §3.1.0.1.6).</summary>
internal static class WriteAnswer
{
    public static FhirAnswer Of(WriteResult result, FhirCall call) => result switch
    {
        WriteResult.Created created => Stored(StatusCodes.Status201Created, created.Resource, created.Warnings, call),
        WriteResult.Updated updated => Stored(StatusCodes.Status200OK, updated.Resource, updated.Warnings, call),
        WriteResult.Unchanged unchanged => Stored(StatusCodes.Status200OK, unchanged.Resource, [], call),
        WriteResult.Deleted deleted => Deleted(deleted.Resources, call),
        WriteResult.Refused refused => FhirAnswer.Refused(refused.Refusal),
        _ => throw new InvalidOperationException("WriteResult is a closed set."),
    };

    private static FhirAnswer Stored(int status, StoredResource resource, IReadOnlyList<Issue> warnings, FhirCall call)
    {
        FhirContent? content = call switch
        {
            _ when call.Prefers("return=minimal") => null,
            _ when call.Prefers("return=OperationOutcome") => new FhirContent.Outcome([Done("IOMT-0640", $"Stored as version {resource.Version}."), .. warnings]),
            _ => new FhirContent.Stored(resource),
        };
        return new FhirAnswer(status, content) { Tag = resource, Location = $"{resource.Type}/{resource.Id}/_history/{resource.Version}" };
    }

    private static FhirAnswer Deleted(IReadOnlyList<StoredResource> deleted, FhirCall call)
    {
        var tag = deleted.Count == 1 ? deleted[0] : null;
        return call.Prefers("return=OperationOutcome")
            ? FhirAnswer.Refused(StatusCodes.Status200OK, Done("IOMT-0641", $"Deleted: {deleted.Count}.")) with { Tag = tag }
            : new FhirAnswer(StatusCodes.Status204NoContent) { Tag = tag };
    }

    private static Issue Done(string code, string message) => new(IssueSeverity.Information, IssueKind.Informational, code, message);
}
