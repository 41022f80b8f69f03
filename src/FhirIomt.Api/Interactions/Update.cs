using FhirIomt.Api.Http;
using FhirIomt.Repository;
using FhirIomt.Smart;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Interactions;

/// <summary>update (R4 §3.1.0.4): <c>PUT /fhir/{type}/{id}</c>, with <c>If-Match</c>.</summary>
internal sealed class Update(ResourceRepository repository, ServerAddress address)
{
    public async Task HandleAsync(HttpContext context, string type, string id)
    {
        var (tree, error) = await FhirRequest.ReadResourceAsync(context.Request).ConfigureAwait(false);
        if (error is not null)
        {
            await FhirResponse.RefuseAsync(context, error.Status, error.Issues).ConfigureAwait(false);
            return;
        }

        var header = context.Request.Headers.IfMatch;
        var version = header.Count == 0 ? null : FhirRequest.VersionOf(header.ToString());
        if (header.Count > 0 && version is null)
        {
            await FhirResponse.RefuseAsync(context, StatusCodes.Status400BadRequest, [ApiIssues.BadVersion("If-Match")]).ConfigureAwait(false);
            return;
        }

        var result = await repository.UpdateAsync(type, id, tree!, version, context.AccessScope(), context.RequestAborted).ConfigureAwait(false);
        await WriteAnswer.SendAsync(context, result, address).ConfigureAwait(false);
    }
}
