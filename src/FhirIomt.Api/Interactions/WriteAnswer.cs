using FhirIomt.Api.Http;
using FhirIomt.Core;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository;
using FhirIomt.Smart;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Interactions;

/// <summary>What a write answers, as <c>Prefer: return=</c> asks (R4 §3.1.0.1.6).</summary>
internal static class WriteAnswer
{
    public static Task SendAsync(HttpContext context, WriteResult result, ServerAddress address) => result switch
    {
        WriteResult.Created created => StoredAsync(context, StatusCodes.Status201Created, created.Resource, created.Warnings, address),
        WriteResult.Updated updated => StoredAsync(context, StatusCodes.Status200OK, updated.Resource, updated.Warnings, address),
        WriteResult.Unchanged unchanged => StoredAsync(context, StatusCodes.Status200OK, unchanged.Resource, [], address),
        WriteResult.Refused refused => FhirResponse.RefuseAsync(context, refused.Refusal),
        _ => throw new InvalidOperationException("WriteResult is a closed set."),
    };

    private static Task StoredAsync(HttpContext context, int status, StoredResource resource, IReadOnlyList<Issue> warnings, ServerAddress address)
    {
        context.Response.Headers.Location = $"{address.FhirBase}/{resource.Type}/{resource.Id}/_history/{resource.Version}";
        if (FhirRequest.Prefers(context.Request, "return=minimal"))
        {
            FhirResponse.Tag(context.Response, resource);
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        }

        if (FhirRequest.Prefers(context.Request, "return=OperationOutcome"))
        {
            FhirResponse.Tag(context.Response, resource);
            var done = new Issue(IssueSeverity.Information, IssueKind.Informational, "IOMT-0640", $"Stored as version {resource.Version}.");
            return FhirResponse.RefuseAsync(context, status, [done, .. warnings]);
        }

        return FhirResponse.ResourceAsync(context, status, resource);
    }
}
