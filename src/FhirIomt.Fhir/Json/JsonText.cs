using System.Text.Json;
using FhirIomt.Core;

namespace FhirIomt.Fhir.Json;

/// <summary>How JSON is written here: only what JSON itself needs is escaped. Answers are never embedded in HTML, and carry <c>nosniff</c>.</summary>
public static class JsonText
{
    public static readonly JsonWriterOptions Options = JsonBytes.Options;
}
