using System.Xml.Linq;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Xml;
using FhirIomt.Tests;

namespace FhirIomt.Fhir.Tests.Xml;

/// <summary>Resources that HL7 publishes in both formats: each must become the other.</summary>
public sealed class XmlPairsTests
{
    private const string DefinitionsXml = "conformance/r4-definitions/pkg/hl7.fhir.r4.corexml-4.0.1.xml.tar.xz";
    private const string DefinitionsJson = "conformance/r4-definitions/pkg/hl7.fhir.r4.core-4.0.1.json.tgz";

    private static readonly FhirDefinitions R4 = FhirDefinitions.R4;

    [Fact]
    public void The_official_examples_are_the_same_in_both_formats()
    {
        var files = SharedFiles.Read("conformance/r4-examples/pairs-xml-json-fhir_models.tar.gz").ToDictionary(file => file.Name, file => file.Bytes, StringComparer.Ordinal);
        Compare("Xml/example-pairs-not-equal.txt", files.Keys.Where(name => name.StartsWith("json/", StringComparison.Ordinal)), name => (files[name], files.GetValueOrDefault($"xml/{Path.GetFileNameWithoutExtension(name)}.xml")), path => path is ".meta" or ".date");
    }

    [Fact]
    public void The_definitions_are_the_same_in_both_formats_but_for_the_dates_of_their_builds()
    {
        var xml = SharedFiles.Read(DefinitionsXml).ToDictionary(file => Path.GetFileNameWithoutExtension(file.Name), file => file.Bytes, StringComparer.Ordinal);
        var json = SharedFiles.Read(DefinitionsJson).Where(file => file.Name.EndsWith(".json", StringComparison.Ordinal))
            .ToDictionary(file => Path.GetFileNameWithoutExtension(file.Name), file => file.Bytes, StringComparer.Ordinal);
        Compare("Xml/definition-pairs-not-equal.txt", json.Keys.Where(name => name is not "package" && xml.ContainsKey(name)), name => (json[name], xml[name]), path => path is ".meta" or ".date" or ".text");
    }

    private static void Compare(string list, IEnumerable<string> names, Func<string, (byte[] Json, byte[]? Xml)> load, Func<string, bool>? ignores)
    {
        var failed = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var run = new List<string>();
        foreach (var name in names)
        {
            var (json, xml) = load(name);
            if (xml is null)
            {
                continue;
            }

            run.Add(Path.GetFileNameWithoutExtension(name));
            if (Compare(json, xml, ignores) is { } difference)
            {
                failed[Path.GetFileNameWithoutExtension(name)] = difference;
            }
        }

        CaseList.MustMatch(list, run, failed);
    }

    private static string? Compare(byte[] json, byte[] xml, Func<string, bool>? ignores)
    {
        var fromJson = JsonTree.Parse(json).Require();
        var reading = FhirXml.Read(xml, R4);
        if (reading.Issues.Count > 0)
        {
            return $"{reading.Issues[0].Code} {reading.Issues[0].Expression} {reading.Issues[0].Position} {reading.Issues[0].Message}";
        }

        if (Difference.Of(fromJson.Root, reading.Tree!.Root, ignores) is { } difference)
        {
            return difference;
        }

        var written = FhirXmlWriter.Write(fromJson.Root, R4);
        if (!written.TryGetValue(out var back, out var issues))
        {
            return $"{issues[0].Code} {issues[0].Expression} {issues[0].Message}";
        }

        // The one way back is exact; the other is compared by an XML reader that knows nothing of FHIR.
        var again = Difference.Of(fromJson.Root, FhirXml.Parse(back, R4).Require().Root);
        var rewritten = FhirXmlWriter.Write(reading.Tree.Root, R4, indented: true).Require();
        return again is not null ? "round trip: " + again : Difference.Of(Load(xml), Load(rewritten.ToArray()));
    }

    private static XElement Load(byte[] xml) => XDocument.Load(new MemoryStream(xml), LoadOptions.PreserveWhitespace).Root!;
}
