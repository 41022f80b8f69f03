using System.Collections.Frozen;
using System.Xml;
using FhirIomt.Core.Units;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Snapshots;
using FhirIomt.Fhir.Xml;
using FhirIomt.Validation.Terminology;

namespace FhirIomt.Bench;

/// <summary>XML, units, terminology and snapshots, each beside the least that could do it or an engine that does the same.</summary>
internal static class FormatBenchmarks
{
    private const string Marital = "http://hl7.org/fhir/ValueSet/marital-status";
    private const string MaritalSystem = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus";
    private const string Weight = "http://hl7.org/fhir/StructureDefinition/bodyweight";

    public static void Run(CodeMeter meter, byte[] observation, Engines engines)
    {
        Xml(meter, observation);
        Units(meter, engines);
        Terminology(meter);
        Snapshot(meter);
    }

    private static void Xml(CodeMeter meter, byte[] observation)
    {
        var tree = JsonTree.Parse(observation).Require();
        var xml = FhirXmlWriter.Write(tree.Root, FhirDefinitions.R4).Require().ToArray();
        var floor = meter.Rate("XmlReader over an Observation (floor)", () => ReadOnly(xml));
        meter.Rate("XML to JSON, an Observation", () => FhirXml.Parse(xml, FhirDefinitions.R4).Require(), floor: ("XmlReader", floor));
        meter.Rate("JSON to XML, an Observation", () => FhirXmlWriter.Write(tree.Root, FhirDefinitions.R4).Require().Length > 0 ? tree : null);
    }

    private static void Units(CodeMeter meter, Engines engines)
    {
        if (!meter.Wants("UCUM"))
        {
            return;
        }

        var other = engines.Ucum("mg/dL", "g/L");
        var number = 1;
        meter.Rate("UCUM, read a code not met before", () => Ucum.Standard.Parse($"{++number}.mg/dL"), floor: other is { } reader ? ("ucum-lhc", reader.Parse) : null);
        meter.Rate("UCUM, convert mg/dL to g/L", () => Ucum.Standard.Convert(5.4m, "mg/dL", "g/L"), floor: other is { } converter ? ("ucum-lhc", converter.Convert) : null);
    }

    private static void Terminology(CodeMeter meter)
    {
        var terminology = new TerminologyService(DefinitionLibrary.R4, isUcum: Ucum.Standard.IsValid);
        var codes = new[] { $"{MaritalSystem}|M", $"{MaritalSystem}|S" }.ToFrozenSet(StringComparer.Ordinal);
        if (terminology.IsMember(Marital, MaritalSystem, "M") != true || terminology.IsMember(Marital, MaritalSystem, "none") != false)
        {
            throw new InvalidOperationException("the value set is not as expected");
        }

        var key = $"{MaritalSystem}|M";
        var floor = meter.Rate("FrozenSet lookup (floor of terminology)", () => codes.Contains(key) ? codes : null);
        meter.Rate("terminology, IsMember of a code that is", () => terminology.IsMember(Marital, MaritalSystem, "M") == true ? codes : null, floor: ("a set's lookup", floor));
        meter.Rate("terminology, IsMember of a code that is not", () => terminology.IsMember(Marital, MaritalSystem, "none") == true ? codes : null, floor: ("a set's lookup", floor));
    }

    private static void Snapshot(CodeMeter meter)
    {
        var definition = DefinitionLibrary.R4.Find("StructureDefinition", Canonical.Parse(Weight))!.Tree;
        var floor = meter.Rate("parse a profile (floor of snapshots)", () => JsonTree.Parse(definition.Utf8).Require());
        meter.Rate("snapshot of bodyweight, its bases read", () => SnapshotGenerator.Generate(definition, DefinitionLibrary.R4).Require(), floor: ("parsing the profile", floor));
    }

    private static object? ReadOnly(byte[] xml)
    {
        using var reader = XmlReader.Create(new MemoryStream(xml));
        while (reader.Read())
        {
        }

        return null;
    }
}
