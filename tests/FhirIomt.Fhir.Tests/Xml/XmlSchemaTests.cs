using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Xml;
using FhirIomt.Tests;

namespace FhirIomt.Fhir.Tests.Xml;

/// <summary>What we write, judged by HL7's XML schema and a program that knows nothing of us.</summary>
public sealed class XmlSchemaTests
{
    [Fact]
    public void The_official_examples_are_valid_xml_by_the_schema() =>
        Check("Xml/examples-not-schema-valid.txt", OfficialExamples.Read().Select(pair => (Path.GetFileNameWithoutExtension(pair.Key), pair.Value)));

    [Fact]
    public void The_definitions_are_valid_xml_by_the_schema_where_their_sources_are() =>
        Check("Xml/definitions-not-schema-valid.txt", SharedFiles.Read("conformance/r4-definitions/pkg/hl7.fhir.r4.core-4.0.1.json.tgz")
            .Select(file => (Path.GetFileNameWithoutExtension(file.Name), file.Bytes)).Where(file => file.Item1 is not ("package" or ".index")));

    private static void Check(string list, IEnumerable<(string Name, byte[] Json)> resources)
    {
        var schema = SharedData.Require("conformance/r4-definitions/schema/fhir-single.xsd");
        Assert.SkipWhen(SharedFiles.Run("xmllint", "--version") is null, "the program xmllint is not installed");
        var folder = Directory.CreateTempSubdirectory("fhir-xml");
        try
        {
            var run = new List<string>();
            var failed = new SortedDictionary<string, string>(StringComparer.Ordinal);
            foreach (var (name, json) in resources)
            {
                run.Add(name);
                var written = FhirXmlWriter.Write(JsonTree.Parse(json).Require().Root, FhirDefinitions.R4);
                if (written.TryGetValue(out var xml, out var issues))
                {
                    File.WriteAllBytes(Path.Combine(folder.FullName, name + ".xml"), xml.ToArray());
                }
                else
                {
                    failed[name] = $"{issues[0].Code} {issues[0].Expression} {issues[0].Message}";
                }
            }

            foreach (var files in folder.GetFiles().Chunk(500))
            {
                var result = SharedFiles.Run("xmllint", ["--noout", "--nonet", "--schema", schema, .. files.Select(file => file.FullName)]);
                foreach (var line in result!.Value.Error.Split('\n').Where(line => line.EndsWith("fails to validate", StringComparison.Ordinal)))
                {
                    failed[Path.GetFileNameWithoutExtension(line.Split(' ')[0])] = "not valid";
                }
            }

            CaseList.MustMatch(list, run, failed);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
