using System.Globalization;
using FhirIomt.Api.Http;
using FhirIomt.Repository;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Interactions;

/// <summary>read and vread (R4 §3.1.0.2): <c>GET|HEAD /fhir/{type}/{id}[/_history/{version}]</c>, conditional by version or by time (§3.1.0.2.1).</summary>
internal sealed class Read(ResourceRepository repository)
{
    public async Task<FhirAnswer> CurrentAsync(FhirCall call) =>
        Answer(call, await repository.ReadAsync(call.Type, call.Id, call.Scope, call.Cancelled).ConfigureAwait(false));

    public async Task<FhirAnswer> VersionAsync(FhirCall call)
    {
        // A version that is no number cannot exist: the same answer as for one that does not.
        _ = long.TryParse(call.Version, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        return Answer(call, await repository.ReadVersionAsync(call.Type, call.Id, number, call.Scope, call.Cancelled).ConfigureAwait(false));
    }

    private static FhirAnswer Answer(FhirCall call, ReadResult result)
    {
        if (result is not ReadResult.Found { Resource: var resource })
        {
            return FhirAnswer.Refused(((ReadResult.Refused)result).Refusal);
        }

        if (IsKnown(call, resource))
        {
            return new FhirAnswer(StatusCodes.Status304NotModified) { Tag = resource };
        }

        if (resource.Type == "Binary" && call.WantsData)
        {
            return BinaryResource.Data(resource) is { } data ? new FhirAnswer(StatusCodes.Status200OK, data) { Tag = resource } : FhirAnswer.Refused(StatusCodes.Status406NotAcceptable, ApiIssues.NotAcceptable());
        }

        return FhirAnswer.Of(resource);
    }

    // RFC 9110 §13.2.2: where both are sent, the version decides. The header's time has seconds, so the resource's counts to the second.
    private static bool IsKnown(FhirCall call, Fhir.Searching.StoredResource resource)
    {
        var tags = call.Header("If-None-Match");
        if (tags is not null)
        {
            return tags.Split(',').Any(tag => tag.Trim() == "*" || FhirRequest.VersionOf(tag) == resource.Version);
        }

        var since = call.Header("If-Modified-Since");
        return since is not null && DateTimeOffset.TryParse(since, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            && resource.LastUpdated.ToUnixTimeSeconds() <= time.ToUnixTimeSeconds();
    }
}
