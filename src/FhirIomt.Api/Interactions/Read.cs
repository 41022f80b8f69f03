using FhirIomt.Api.Http;
using FhirIomt.Repository;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Interactions;

/// <summary>read and vread (R4 §3.1.0.2): <c>GET|HEAD /fhir/{type}/{id}[/_history/{version}]</c>.</summary>
internal static class Read
{
    public static async Task CurrentAsync(HttpContext context, string type, string id, ResourceRepository repository) =>
        await AnswerAsync(context, await repository.ReadAsync(type, id, context.AccessScope(), context.RequestAborted).ConfigureAwait(false)).ConfigureAwait(false);

    public static async Task VersionAsync(HttpContext context, string type, string id, string version, ResourceRepository repository)
    {
        // A version that is no number cannot exist: the same answer as for one that does not.
        _ = long.TryParse(version, System.Globalization.NumberStyles.None, null, out var number);
        await AnswerAsync(context, await repository.ReadVersionAsync(type, id, number, context.AccessScope(), context.RequestAborted).ConfigureAwait(false)).ConfigureAwait(false);
    }

    private static Task AnswerAsync(HttpContext context, ReadResult result)
    {
        if (result is not ReadResult.Found { Resource: var resource })
        {
            return FhirResponse.RefuseAsync(context, ((ReadResult.Refused)result).Refusal);
        }

        if (context.Request.Headers.IfNoneMatch.ToString().Split(',').Any(tag => FhirRequest.VersionOf(tag) == resource.Version))
        {
            FhirResponse.Tag(context.Response, resource);
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        return FhirResponse.ResourceAsync(context, StatusCodes.Status200OK, resource);
    }
}
