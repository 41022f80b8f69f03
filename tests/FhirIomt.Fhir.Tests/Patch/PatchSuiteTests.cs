using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Patch;
using FhirIomt.Fhir.Xml;
using FhirIomt.Tests;

namespace FhirIomt.Fhir.Tests.Patch;

public sealed class PatchSuiteTests
{
    private static readonly XNamespace Fhir = "http://hl7.org/fhir";

    [Fact]
    public void Every_case_of_fhirpath_patch_passes_but_those_listed()
    {
        var run = new List<string>();
        var failed = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var test in XDocument.Load(SharedData.Require("conformance/patch/fhir-patch-tests.xml"), LoadOptions.PreserveWhitespace).Root!.Elements("case"))
        {
            var name = test.Attribute("name")!.Value;
            run.Add(name);
            if (Run(test) is { } difference)
            {
                failed[name] = difference;
            }
        }

        CaseList.MustMatch("Patch/fhirpath-patch-not-passed.txt", run, failed);
    }

    [Fact]
    public void Every_case_of_json_patch_passes_but_those_listed()
    {
        var run = new List<string>();
        var failed = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var test in JsonTree.Parse(File.ReadAllBytes(SharedData.Require("conformance/patch/json-patch-tests.json"))).Require().Root.Items)
        {
            var name = test["comment"u8].AsString()!;
            run.Add(name);
            var outcome = JsonPatch.Apply(JsonTree.Parse(test["doc"u8].Raw).Require(), test["patch"u8]);
            var difference = test["error"u8].Exists ? (outcome.Succeeded ? "no error" : null)
                : outcome.TryGetValue(out var tree, out var issues) ? Difference.Of(test["expected"u8], tree.Root) : issues[0].Message;
            if (difference is not null)
            {
                failed[name] = difference;
            }
        }

        CaseList.MustMatch("Patch/json-patch-not-passed.txt", run, failed);
    }

    private static string? Run(XElement test)
    {
        var outcome = FhirPathPatch.Apply(Read(test.Element("input")!), Read(test.Element("diff")!).Root, FhirDefinitions.R4);
        if (test.Element("error") is not null)
        {
            return outcome.Succeeded ? "no error" : null;
        }

        return outcome.TryGetValue(out var tree, out var issues) ? Difference.Of(Read(test.Element("output")!).Root, tree.Root) : $"{issues[0].Expression} {issues[0].Message}";
    }

    private static JsonTree Read(XElement holder) =>
        FhirXml.Read(Encoding.UTF8.GetBytes(holder.Elements().Single(element => element.Name.Namespace == Fhir).ToString(SaveOptions.DisableFormatting)), FhirDefinitions.R4).Tree!;
}
