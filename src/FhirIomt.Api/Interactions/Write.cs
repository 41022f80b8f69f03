using FhirIomt.Api.Http;
using FhirIomt.Repository;

namespace FhirIomt.Api.Interactions;

/// <summary>
/// create, update, patch and delete (R4 §3.1.0.3 to §3.1.0.8), each also conditional: <c>POST /fhir/{type}</c> with <c>If-None-Exist</c>,
/// <c>PUT|PATCH|DELETE /fhir/{type}/{id}</c> with <c>If-Match</c>, and the same on <c>/fhir/{type}?criteria</c>.
/// </summary>
internal sealed class Write(ResourceWriter writer, WriteRequests requests)
{
    public async Task<FhirAnswer> HandleAsync(FhirCall call)
    {
        if (!(await requests.ReadAsync(call).ConfigureAwait(false)).TryGetValue(out var request, out var refusal))
        {
            return refusal;
        }

        return WriteAnswer.Of(await writer.WriteAsync(request, call.Scope, call.Cancelled).ConfigureAwait(false), call);
    }
}
