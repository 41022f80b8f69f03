using System.Globalization;
using System.Text.Json;

namespace FhirIomt.Api.Interactions;

/// <summary>Pieces that every Bundle has.</summary>
internal static class BundleWriter
{
    public static void Link(Utf8JsonWriter writer, string relation, string url)
    {
        writer.WriteStartObject();
        writer.WriteString("relation"u8, relation);
        writer.WriteString("url"u8, url);
        writer.WriteEndObject();
    }

    /// <summary>FHIR instant with milliseconds, UTC.</summary>
    public static string Instant(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
