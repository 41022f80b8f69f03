using System.Text;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.FhirPath;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Base;
using FhirIomt.Validation.Invariants;

namespace FhirIomt.Validation.Tests;

public sealed class InvariantTests
{
    private static readonly FhirDefinitions Definitions = FhirDefinitions.R4;

    // Elements chosen so that each native invariant meets values on both sides of its rule.
    public static TheoryData<string, string> Elements => new()
    {
        { "Extension", """{"url":"u","valueString":"x"}""" },
        { "Extension", """{"url":"u","valueString":"x","extension":[{"url":"v","valueCode":"c"}]}""" },
        { "Extension", """{"url":"u"}""" },
        { "Extension", """{"url":"u","_valueString":{"extension":[{"url":"v","valueCode":"c"}]}}""" },
        { "Quantity", """{"value":1,"code":"kg"}""" },
        { "Quantity", """{"value":1,"code":"kg","system":"s"}""" },
        { "Quantity", """{"value":1}""" },
        { "Period", """{"start":"2020-01-01","end":"2020-01-02"}""" },
        { "Period", """{"start":"2020-01-02","end":"2020-01-01"}""" },
        { "Period", """{"start":"2020-01-01T10:00:00+02:00","end":"2020-01-01T09:00:00Z"}""" },
        { "Period", """{"start":"2020-01-01T10:00:00Z","end":"2020-01-01T10:00:00+02:00"}""" },
        { "Period", """{"end":"2020"}""" },
        { "ContactPoint", """{"value":"1"}""" },
        { "ContactPoint", """{"value":"1","system":"phone"}""" },
        { "Attachment", """{"data":"AAAA"}""" },
        { "Attachment", """{"data":"AAAA","contentType":"text/plain"}""" },
        { "Observation.referenceRange", """{"age":{"low":{"value":1}}}""" },
        { "Observation.referenceRange", """{"text":"x"}""" },
        { "Observation.component", """{"code":{"text":"x"}}""" },
        { "Observation.component", """{"code":{"text":"x"},"dataAbsentReason":{"text":"y"}}""" },
        { "Observation", """{"resourceType":"Observation","code":{"coding":[{"code":"a","system":"s"}]},"valueString":"x","component":[{"code":{"coding":[{"code":"a","system":"s"}]}}]}""" },
        { "Observation", """{"resourceType":"Observation","code":{"coding":[{"code":"a","system":"s"}]},"valueString":"x","component":[{"code":{"coding":[{"code":"b","system":"s"}]}}]}""" },
        { "Observation", """{"resourceType":"Observation","code":{"text":"x"},"valueString":"x","dataAbsentReason":{"text":"y"}}""" },
        { "Observation", """{"resourceType":"Observation","code":{"text":"x"}}""" },
        { "Observation", """{"resourceType":"Observation","subject":{"reference":"#p"},"contained":[{"resourceType":"Patient","id":"p"}]}""" },
        { "Observation", """{"resourceType":"Observation","contained":[{"resourceType":"Patient","id":"p"}]}""" },
        { "Observation", """{"resourceType":"Observation","contained":[{"resourceType":"Patient","id":"p","link":[{"other":{"reference":"#"}}]}]}""" },
        { "Observation", """{"resourceType":"Observation","contained":[{"resourceType":"Patient","id":"p","meta":{"versionId":"1"}}]}""" },
        { "Observation", """{"resourceType":"Observation","contained":[{"resourceType":"Patient","id":"p","meta":{"security":[{"code":"R"}]},"contained":[{"resourceType":"Patient"}]}]}""" },
    };

    [Theory]
    [MemberData(nameof(Elements))]
    public void Hand_written_forms_agree_with_their_expressions(string typeName, string json)
    {
        var type = Definitions.Type(typeName)!;
        var node = JsonTree.Parse(Encoding.UTF8.GetBytes(json)).Require().Root;
        var scope = new ResourceScope(Definitions, node, container: null);
        IEnumerable<FhirConstraint> vitals = Definitions.Profile("http://hl7.org/fhir/StructureDefinition/vitalsigns")!.Elements.Where(element => element.Path == typeName).SelectMany(element => element.Constraints);
        var checkedAny = false;
        foreach (var constraint in type.Constraints.Concat(vitals))
        {
            if (NativeInvariants.Find(constraint) is { } native)
            {
                checkedAny = true;
                var holds = FhirPathExpression.Compile(constraint.Expression, Definitions).Require().IsTrue(FhirPathItem.Element(node, default, type), scope.Environment);
                Assert.True(holds == native(new InvariantFocus(node, default, type, scope)), constraint.Key);
            }
        }

        Assert.True(checkedAny);
    }

    [Theory]
    [InlineData("dateTime", "\"2026-01-02\"", false)]
    [InlineData("dateTime", "\"2026-01-02T03:04:05Z\"", true)]
    [InlineData("Period", """{"start":"2026-01-02T03:04:05Z"}""", true)]
    [InlineData("Period", """{"start":"2026-01-02"}""", false)]
    [InlineData("Period", """{"end":"2026-01-02T03:04:05Z"}""", false)]
    public void The_hand_written_time_rule_agrees_with_its_expression(string typeName, string json, bool expected)
    {
        var constraint = ProfileCatalog.BuiltIn(Definitions).Profile("https://fhiriomt.org/profiles/iomt/StructureDefinition/iomt-heart-rate")!
            .Elements.SelectMany(element => element.Constraints).Single(known => known.Key == "iomt-obs-1");
        var type = Definitions.Type(typeName)!;
        var node = JsonTree.Parse(Encoding.UTF8.GetBytes(json)).Require().Root;
        var scope = new ResourceScope(Definitions, node, container: null);
        Assert.Equal(expected, NativeInvariants.Find(constraint)!(new InvariantFocus(node, default, type, scope)));
        Assert.Equal(expected, FhirPathExpression.Compile(constraint.Expression, Definitions).Require().IsTrue(FhirPathItem.Element(node, default, type), scope.Environment));
    }

    [Fact]
    public void Every_hand_written_form_belongs_to_a_constraint_of_r4()
    {
        var types = Definitions.Types.SelectMany(type => type.Constraints.Concat(type.Elements.SelectMany(element => element.Constraints)));
        var profiles = Definitions.ProfileUrls.SelectMany(url => Definitions.Profile(url)!.Elements).SelectMany(element => element.Constraints);
        var own = ProfileCatalog.BuiltIn(Definitions);
        var known = types.Concat(profiles).Concat(own.ProfileUrls.SelectMany(url => own.Profile(url)!.Elements).SelectMany(element => element.Constraints)).Select(constraint => (constraint.Key, constraint.Expression)).ToHashSet();
        Assert.All(NativeInvariants.Keys, key => Assert.Contains(key, known));
    }

    [Fact]
    public void Every_constraint_of_a_base_type_compiles() =>
        Assert.All(
            Definitions.Types.SelectMany(type => type.Constraints.Concat(type.Elements.SelectMany(element => element.Constraints))).Distinct(),
            constraint => Assert.True(Invariant.Compile(constraint, Definitions).IsCompiled, constraint.Key));
}
