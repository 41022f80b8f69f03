using System.Buffers;
using System.Globalization;
using System.Text.Json;
using FhirIomt.Api.Http;
using FhirIomt.Api.Interactions;
using FhirIomt.Api.Shaping;
using FhirIomt.Smart;

namespace FhirIomt.Api.Bundles;

/// <summary>The Bundle that answers a batch or transaction: one entry for each, in the order they came.</summary>
internal static class BundleResponse
{
    public static FhirAnswer Of(string type, IReadOnlyList<BundleEntry> entries, IReadOnlyList<FhirAnswer> answers, ServerAddress address, FhirCall call)
    {
        var wantsResources = call.Prefers("return=representation");
        return FhirAnswer.Written(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("resourceType"u8, "Bundle"u8);
            writer.WriteString("type"u8, type);
            if (entries.Count > 0)
            {
                writer.WriteStartArray("entry"u8);
                for (var index = 0; index < entries.Count; index++)
                {
                    WriteEntry(writer, entries[index], answers[index], address, wantsResources);
                }

                writer.WriteEndArray();
            }

            writer.WriteEndObject();
        });
    }

    private static void WriteEntry(Utf8JsonWriter writer, BundleEntry entry, FhirAnswer answer, ServerAddress address, bool wantsResources)
    {
        writer.WriteStartObject();
        if (answer.Tag is { IsDeleted: false } tag)
        {
            writer.WriteString("fullUrl"u8, $"{address.FhirBase}/{tag.Type}/{tag.Id}");
        }

        var isRead = entry.Call is { Route.IsWrite: false };
        if (answer.Content is not (null or FhirContent.Outcome) && (isRead || wantsResources) && entry.Call!.Method != "HEAD")
        {
            writer.WritePropertyName("resource"u8);
            writer.WriteRawValue(Shaped(answer.Content, entry.Call!.Shape).Span, skipInputValidation: true);
        }

        writer.WriteStartObject("response"u8);
        writer.WriteString("status"u8, answer.Status.ToString(CultureInfo.InvariantCulture));
        if (answer.Location is not null)
        {
            writer.WriteString("location"u8, $"{address.FhirBase}/{answer.Location}");
        }

        if (answer.Tag is { } version)
        {
            writer.WriteString("etag"u8, FhirResponse.EntityTag(version));
            writer.WriteString("lastModified"u8, BundleWriter.Instant(version.LastUpdated));
        }

        if (answer.Content is FhirContent.Outcome outcome)
        {
            writer.WritePropertyName("outcome"u8);
            OperationOutcome.Write(writer, outcome.Issues);
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    // JSON into JSON: only writing XML can be refused.
    private static ReadOnlyMemory<byte> Shaped(FhirContent content, ResponseShape shape)
    {
        if (!shape.IsPlain)
        {
            return ContentShaper.Apply(content, shape).Require();
        }

        var output = new ArrayBufferWriter<byte>(2048);
        content.WriteTo(output);
        return output.WrittenMemory;
    }
}
