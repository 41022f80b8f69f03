using System.Text.Json;
using FhirIomt.Api.Http;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository;
using FhirIomt.Repository.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Api.Operations;

/// <summary>
/// <c>$meta</c>, <c>$meta-add</c>, <c>$meta-delete</c> (R4, Resource): profiles, tags and security labels of a resource, and <c>$meta</c> also of a type and of the server: what the
/// resources that the caller may see have together. A change makes a new version, so that nobody who polls can miss that a label came or went.
/// </summary>
internal sealed class Meta(ResourceRepository repository, ResourceWriter writer, LabelSummary labels)
{
    public async Task<FhirAnswer> GetAsync(FhirCall call) => await repository.ReadAsync(call.Type, call.Id, call.Scope, call.Cancelled).ConfigureAwait(false) switch
    {
        ReadResult.Found found => Answer(found.Resource),
        ReadResult.Refused refused => FhirAnswer.Refused(refused.Refusal),
        _ => throw new InvalidOperationException("ReadResult is a closed set."),
    };

    public async Task<FhirAnswer> SummarizeAsync(FhirCall call)
    {
        var type = call.Type.Length > 0 ? call.Type : null;
        var (seen, refused) = await labels.ReadAsync(type, call.Scope, call.Cancelled).ConfigureAwait(false);
        return refused is null ? FhirAnswer.Written(json => WriteParameters(json, () => WriteSummary(json, seen))) : FhirAnswer.Refused(refused);
    }

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

    private static FhirAnswer Answer(StoredResource resource) =>
        FhirAnswer.Written(json => WriteParameters(json, () => JsonTree.Parse(resource.Body).Require().Root["meta"u8].WriteTo(json))) with { Tag = resource };

    private static void WriteParameters(Utf8JsonWriter writer, Action writeMeta)
    {
        writer.WriteStartObject();
        writer.WriteString("resourceType"u8, "Parameters"u8);
        writer.WriteStartArray("parameter"u8);
        writer.WriteStartObject();
        writer.WriteString("name"u8, "return"u8);
        writer.WritePropertyName("valueMeta"u8);
        writeMeta();
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteSummary(Utf8JsonWriter writer, IReadOnlyList<StoredLabel> labels)
    {
        writer.WriteStartObject();
        if (labels.Count == 0)
        {
            WriteAbsence(writer);
        }

        foreach (var group in labels.GroupBy(label => label.Parameter, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            writer.WriteStartArray(group.Key[1..]);
            foreach (var label in group.OrderBy(label => label.System, StringComparer.Ordinal).ThenBy(label => label.Value, StringComparer.Ordinal))
            {
                WriteLabel(writer, label);
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    // The operation answers one Meta, and FHIR has no empty elements (R4 §2.6.2).
    private static void WriteAbsence(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("extension"u8);
        writer.WriteStartObject();
        writer.WriteString("url"u8, "http://hl7.org/fhir/StructureDefinition/data-absent-reason"u8);
        writer.WriteString("valueCode"u8, "not-applicable"u8);
        writer.WriteEndObject();
        writer.WriteEndArray();
    }

    private static void WriteLabel(Utf8JsonWriter writer, StoredLabel label)
    {
        if (label.Parameter == "_profile")
        {
            writer.WriteStringValue(label.Value);
            return;
        }

        writer.WriteStartObject();
        if (label.System.Length > 0)
        {
            writer.WriteString("system"u8, label.System);
        }

        writer.WriteString("code"u8, label.Value);
        writer.WriteEndObject();
    }
}
