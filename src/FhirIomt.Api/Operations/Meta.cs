using System.Text.Json;
using FhirIomt.Api.Http;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository;

namespace FhirIomt.Api.Operations;

/// <summary>
/// <c>$meta</c>, <c>$meta-add</c>, <c>$meta-delete</c> (R4, Resource): profiles, tags and security labels of a resource. A change makes a new version, so that nobody
/// who polls can miss that a label came or went.
/// </summary>
internal sealed class Meta(ResourceRepository repository, ResourceWriter writer)
{
    public async Task<FhirAnswer> GetAsync(FhirCall call) => await repository.ReadAsync(call.Type, call.Id, call.Scope, call.Cancelled).ConfigureAwait(false) switch
    {
        ReadResult.Found found => Answer(found.Resource),
        ReadResult.Refused refused => FhirAnswer.Refused(refused.Refusal),
        _ => throw new InvalidOperationException("ReadResult is a closed set."),
    };

    public Task<FhirAnswer> AddAsync(FhirCall call) => ChangeAsync(call, removes: false);

    public Task<FhirAnswer> DeleteAsync(FhirCall call) => ChangeAsync(call, removes: true);

    private async Task<FhirAnswer> ChangeAsync(FhirCall call, bool removes)
    {
        if (!(await OperationParameters.ReadAsync(call, soleResource: null).ConfigureAwait(false)).TryGetValue(out var parameters, out var refusal))
        {
            return refusal;
        }

        if (parameters.Values("meta").FirstOrDefault() is not { IsObject: true } meta)
        {
            return FhirAnswer.BadRequest(ApiIssues.MissingParameter("meta"));
        }

        var request = new WriteRequest.Patch(call.Type, new WriteTarget.Instance(call.Id), new ResourcePatch.Meta(meta, removes), default);
        return await writer.WriteAsync(request, call.Scope, call.Cancelled).ConfigureAwait(false) switch
        {
            WriteResult.Updated updated => Answer(updated.Resource),
            WriteResult.Unchanged unchanged => Answer(unchanged.Resource),
            WriteResult.Refused refused => FhirAnswer.Refused(refused.Refusal),
            _ => throw new InvalidOperationException("A patch updates or is refused."),
        };
    }

    private static FhirAnswer Answer(StoredResource resource) => FhirAnswer.Written(json => WriteMeta(json, JsonTree.Parse(resource.Body).Require().Root["meta"u8])) with { Tag = resource };

    private static void WriteMeta(Utf8JsonWriter writer, ResourceNode meta)
    {
        writer.WriteStartObject();
        writer.WriteString("resourceType"u8, "Parameters"u8);
        writer.WriteStartArray("parameter"u8);
        writer.WriteStartObject();
        writer.WriteString("name"u8, "return"u8);
        writer.WritePropertyName("valueMeta"u8);
        meta.WriteTo(writer);
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
