using System.Buffers.Text;
using FhirIomt.Api.Http;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Interactions;

/// <summary>Makes the repository's request of a call that writes: its body, its conditions, what it is about.</summary>
internal sealed class WriteRequests(SearchQueryParser parser)
{
    // These shape the answer, they are no criteria.
    private static readonly string[] ShapeArguments = ["_format", "_pretty", "_summary", "_elements"];

    public async ValueTask<Outcome<WriteRequest, FhirAnswer>> ReadAsync(FhirCall call) => call.Method switch
    {
        "POST" => await CreateAsync(call).ConfigureAwait(false),
        "PUT" => await UpdateAsync(call).ConfigureAwait(false),
        "PATCH" => await PatchAsync(call).ConfigureAwait(false),
        _ => Delete(call),
    };

    private async ValueTask<Outcome<WriteRequest, FhirAnswer>> CreateAsync(FhirCall call)
    {
        SearchQuery? ifNoneExist = null;
        var header = call.Header("If-None-Exist");
        if (header is not null)
        {
            // Some clients send the whole address; a question mark after the first value is part of the condition.
            var question = header.IndexOf('?', StringComparison.Ordinal);
            var query = question >= 0 && !header[..question].Contains('=', StringComparison.Ordinal) ? header[(question + 1)..] : header;
            if (!SearchCondition.Parse(parser, call.Type, query).TryGetValue(out ifNoneExist, out var issues))
            {
                return FhirAnswer.BadRequest(issues);
            }
        }

        if (!(await ReadResourceAsync(call).ConfigureAwait(false)).TryGetValue(out var resource, out var refusal))
        {
            return refusal;
        }

        return new WriteRequest.Create(call.Type, resource, ifNoneExist);
    }

    private async ValueTask<Outcome<WriteRequest, FhirAnswer>> UpdateAsync(FhirCall call)
    {
        if (!Target(call).TryGetValue(out var target, out var refusal) || !Condition(call).TryGetValue(out var condition, out refusal))
        {
            return refusal;
        }

        if (!(await ReadResourceAsync(call).ConfigureAwait(false)).TryGetValue(out var resource, out refusal))
        {
            return refusal;
        }

        return new WriteRequest.Update(call.Type, target, resource, condition.Value);
    }

    private async ValueTask<Outcome<WriteRequest, FhirAnswer>> PatchAsync(FhirCall call)
    {
        if (!Target(call).TryGetValue(out var target, out var refusal) || !Condition(call).TryGetValue(out var condition, out refusal))
        {
            return refusal;
        }

        if (!(await call.ReadAsync().ConfigureAwait(false)).TryGetValue(out var body, out refusal) || !Change(body).TryGetValue(out var change, out refusal))
        {
            return refusal;
        }

        return new WriteRequest.Patch(call.Type, target, change, condition.Value);
    }

    private Outcome<WriteRequest, FhirAnswer> Delete(FhirCall call)
    {
        if (!Target(call).TryGetValue(out var target, out var refusal) || !Condition(call).TryGetValue(out var condition, out refusal))
        {
            return refusal;
        }

        return new WriteRequest.Delete(call.Type, target, condition.Value);
    }

    /// <summary>JSON Patch by its own media type, FHIRPath Patch as a Parameters resource; in a Bundle a JSON Patch comes as a Binary (R4 §3.1.0.6).</summary>
    private static Outcome<ResourcePatch, FhirAnswer> Change(FhirBody body)
    {
        if (body.MediaType == MediaTypes.JsonPatch)
        {
            return JsonTree.Parse(body.Bytes).TryGetValue(out var document, out var issues) ? new ResourcePatch.Json(document) : FhirAnswer.BadRequest(issues);
        }

        if (!MediaTypes.TryFormat(body.MediaType, out _))
        {
            return FhirAnswer.Refused(StatusCodes.Status415UnsupportedMediaType, ApiIssues.BadContentType(body.MediaType) with { Fix = "Send application/json-patch+json, or FHIRPath Patch as application/fhir+json or application/fhir+xml." });
        }

        if (!body.Resource().TryGetValue(out var resource, out var refusal))
        {
            return refusal;
        }

        var isBinary = resource.Root["resourceType"u8].TextEquals("Binary"u8) && resource.Root["contentType"u8].TextEquals("application/json-patch+json"u8);
        if (!isBinary)
        {
            return new ResourcePatch.FhirPath(resource);
        }

        return TryDecode(resource.Root["data"u8].AsString(), out var bytes)
            ? Change(new FhirBody(MediaTypes.JsonPatch, bytes))
            : FhirAnswer.BadRequest(ApiIssues.BadBase64("Binary.data"));
    }

    /// <summary>A resource; for a Binary whatever else was sent becomes its data.</summary>
    private static async ValueTask<Outcome<JsonTree, FhirAnswer>> ReadResourceAsync(FhirCall call)
    {
        if (!(await call.ReadAsync().ConfigureAwait(false)).TryGetValue(out var body, out var refusal))
        {
            return refusal;
        }

        return call.Type == "Binary" && body.IsBinaryContent
            ? BinaryResource.Of(body, call.Id, call.Header("X-Security-Context") ?? "")
            : body.Resource();
    }

    private static bool TryDecode(string? base64, out byte[] bytes)
    {
        bytes = [];
        if (base64 is null || !Base64.IsValid(base64))
        {
            return false;
        }

        bytes = Convert.FromBase64String(base64);
        return true;
    }

    private Outcome<WriteTarget, FhirAnswer> Target(FhirCall call)
    {
        if (call.Id.Length > 0)
        {
            return new WriteTarget.Instance(call.Id);
        }

        var criteria = call.Arguments.Where(argument => !ShapeArguments.Contains(argument.Name, StringComparer.Ordinal)).ToList();
        return SearchCondition.Parse(parser, call.Type, criteria).TryGetValue(out var query, out var issues) ? new WriteTarget.Matching(query) : FhirAnswer.BadRequest(issues);
    }

    private static Outcome<VersionConditionBox, FhirAnswer> Condition(FhirCall call)
    {
        var (ifMatch, ifNoneMatch) = (call.Header("If-Match")?.Trim(), call.Header("If-None-Match")?.Trim());
        var expected = ifMatch is null ? null : FhirRequest.ExpectedVersionOf(ifMatch);
        if (ifMatch is not null && expected is null)
        {
            return FhirAnswer.BadRequest(ApiIssues.BadVersion("If-Match"));
        }

        return ifNoneMatch is null or "*"
            ? new VersionConditionBox(new VersionCondition(expected, ifNoneMatch == "*" && call.Method == "PUT"))
            : FhirAnswer.BadRequest(ApiIssues.BadArgument("If-None-Match", ifNoneMatch, "* for an update, which then only creates"));
    }

    private sealed record VersionConditionBox(VersionCondition Value);
}
