using System.Text.Json;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.Loading;
using FhirIomt.Mapping.Measurements;

namespace FhirIomt.Mapping.Rules;

/// <summary>
/// <c>"$measure": "147842"</c>, a code of MDC from the table of devices, with a unit behind it where LOINC's code depends on it (<c>"160184 mg/dL"</c>): profile, category and
/// both codings of an Observation, or the codings of a component.
/// </summary>
internal static class MeasureTemplate
{
    private const string Categories = "http://terminology.hl7.org/CodeSystem/observation-category";
    private const string OwnCategories = "https://fhiriomt.org/profiles/iomt/CodeSystem/iomt-observation-category";
    private const string Profiles = "https://fhiriomt.org/profiles/iomt/StructureDefinition/";

    public static ResourceNode Of(ResourceNode at, bool isResource, LoadIssues issues)
    {
        var words = (at.AsText() ?? "").Split(' ', 2);
        if (CodeTable.Standard.Find(words[0]) is not { } known)
        {
            issues.BadRule(at, $"'{words[0]}' is no code of the table of devices.", "Use a code of profiles/codes/devices.json, or write category and code out.");
            return default;
        }

        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, JsonText.Options))
        {
            json.WriteStartObject();
            if (isResource)
            {
                WriteHead(json, known);
            }

            WriteCode(json, known, words.Length > 1 ? words[1] : null);
            json.WriteEndObject();
        }

        return JsonTree.Parse(stream.ToArray()).Require().Root;
    }

    private static void WriteHead(Utf8JsonWriter json, KnownCode known)
    {
        json.WriteStartObject("meta"u8);
        json.WriteStartArray("profile"u8);
        json.WriteStringValue(Profiles + (known.ComponentOf is null && known.Profile is { } profile ? profile : "iomt-observation"));
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteStartArray("category"u8);
        json.WriteStartObject();
        json.WriteStartArray("coding"u8);
        WriteCoding(json, known.Category is "safety" or "device-health" ? OwnCategories : Categories, known.Category, null);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void WriteCode(Utf8JsonWriter json, KnownCode known, string? unit)
    {
        json.WriteStartObject("code"u8);
        json.WriteStartArray("coding"u8);
        foreach (var loinc in known.LoincFor(unit))
        {
            WriteCoding(json, CodedConcept.Loinc, loinc, null);
        }

        WriteCoding(json, CodedConcept.Mdc, known.Mdc, known.Name);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteCoding(Utf8JsonWriter json, string system, string code, string? display)
    {
        json.WriteStartObject();
        json.WriteString("system"u8, system);
        json.WriteString("code"u8, code);
        if (display is not null)
        {
            json.WriteString("display"u8, display);
        }

        json.WriteEndObject();
    }
}
