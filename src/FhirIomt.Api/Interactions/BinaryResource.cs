using System.Buffers;
using System.Text.Json;
using FhirIomt.Api.Http;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Interactions;

/// <summary>Binary between its two forms: a resource with base64 data, and the data by themselves under their own media type (R4, Binary §2.5.2).</summary>
internal static class BinaryResource
{
    public static Outcome<JsonTree, FhirAnswer> Of(FhirBody body, string id, string securityContext)
    {
        var output = new ArrayBufferWriter<byte>((body.Bytes.Length * 4 / 3) + 256);
        using (var writer = new Utf8JsonWriter(output, JsonText.Options))
        {
            writer.WriteStartObject();
            writer.WriteString("resourceType"u8, "Binary"u8);
            if (id.Length > 0)
            {
                writer.WriteString("id"u8, id);
            }

            writer.WriteString("contentType"u8, body.MediaType);
            if (securityContext.Length > 0)
            {
                writer.WriteStartObject("securityContext"u8);
                writer.WriteString("reference"u8, securityContext);
                writer.WriteEndObject();
            }

            writer.WriteBase64String("data"u8, body.Bytes.Span);
            writer.WriteEndObject();
        }

        return JsonTree.Parse(output.WrittenMemory).TryGetValue(out var tree, out var issues) ? tree : FhirAnswer.Refused(StatusCodes.Status413PayloadTooLarge, issues);
    }

    /// <summary>The data by themselves, or null when the resource has none that can be sent so.</summary>
    public static FhirContent.Raw? Data(StoredResource binary)
    {
        var root = JsonTree.Parse(binary.Body).Require().Root;
        var (mediaType, data) = (root["contentType"u8].AsString(), root["data"u8].AsString());
        if (mediaType is null || data is null || !IsMediaType(mediaType) || !System.Buffers.Text.Base64.IsValid(data))
        {
            return null;
        }

        return new FhirContent.Raw(mediaType, Convert.FromBase64String(data));
    }

    // It becomes a header: no line ends, nothing outside ASCII.
    private static bool IsMediaType(string text) => text.Length <= 200 && text.Contains('/', StringComparison.Ordinal) && text.All(character => character is >= ' ' and < '\x7f');
}
