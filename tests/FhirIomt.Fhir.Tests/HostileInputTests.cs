using System.Text;
using FhirIomt.Core.Units;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.FhirPath;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Patch;
using FhirIomt.Fhir.Xml;

namespace FhirIomt.Fhir.Tests;

/// <summary>Whatever comes in is answered by a value: damaged texts, thousands of them, the same ones in every run.</summary>
public sealed class HostileInputTests
{
    private const string Xml = """
        <Patient xmlns="http://hl7.org/fhir"><id value="a"/><text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><p title="é">x &amp; <b>y</b></p></div></text>
        <contained><Basic><id value="b"/></Basic></contained><extension url="u"><valueDecimal value="1.0"/></extension><active id="i" value="true"/><name><given value="A"/><given><extension url="e"><valueCode value="c"/></extension></given></name></Patient>
        """;

    private const string Json = """{"resourceType":"Patient","id":"a","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"},"active":true,"_active":{"id":"i"},"name":[{"given":["A",null],"_given":[null,{"id":"g"}]}],"multipleBirthInteger":2}""";

    private const string Patch = """[{"op":"add","path":"/name/0/family","value":{"a":[1]}},{"op":"move","from":"/name","path":"/x"},{"op":"copy","from":"/x/0","path":"/x/-"},{"op":"test","path":"/id","value":"a"},{"op":"remove","path":"/text"}]""";

    private const string Parameters = """{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"add"},{"name":"path","valueString":"Patient.name[0]"},{"name":"name","valueString":"given"},{"name":"value","valueString":"B"}]},{"name":"operation","part":[{"name":"type","valueCode":"move"},{"name":"path","valueString":"Patient.name.given"},{"name":"source","valueInteger":0},{"name":"destination","valueInteger":1}]}]}""";

    private static readonly FhirDefinitions R4 = FhirDefinitions.R4;

    [Fact]
    public void Damaged_xml_is_read_or_refused()
    {
        Count(Xml, bytes =>
        {
            var reading = FhirXml.Read(bytes, R4);
            Assert.True(reading.Tree is not null || reading.Issues.Count > 0);
            if (reading.Tree is { } tree)
            {
                FhirXmlWriter.Write(tree.Root, R4);
            }

            return reading is { Tree: not null, Issues.Count: 0 };
        });
    }

    [Fact]
    public void Damaged_json_is_written_as_xml_or_refused() =>
        Count(Json, bytes => JsonTree.Parse(bytes).TryGetValue(out var tree, out _) && FhirXmlWriter.Write(tree.Root, R4).TryGetValue(out var xml, out _) && FhirXml.Parse(xml, R4).Require().Root.IsObject);

    [Fact]
    public void Damaged_patches_are_applied_or_refused()
    {
        var patient = JsonTree.Parse(Encoding.UTF8.GetBytes(Json)).Require();
        Count(Patch, bytes => JsonTree.Parse(bytes).TryGetValue(out var patch, out _) && JsonPatch.Apply(patient, patch.Root).Succeeded);
        Count(Parameters, bytes => JsonTree.Parse(bytes).TryGetValue(out var patch, out _) && FhirPathPatch.Apply(patient, patch.Root, R4).Succeeded);
    }

    [Fact]
    public void Damaged_expressions_are_evaluated_or_refused()
    {
        var focus = FhirPathItem.Resource(JsonTree.Parse(Encoding.UTF8.GetBytes(Json)).Require(), R4);
        var environment = new FhirPathEnvironment { Resource = focus, Limits = new FhirPathLimits(100_000, 10_000, TimeSpan.FromMilliseconds(50)) };
        foreach (var expression in new[] { "name.where(given = 'A').select(given | family).first() & '-' & 1.50.toString()", "@2020-01-31T10:00 + 1 month > today() or 5 'mg' * 2 'm' ~ {}", "defineVariable('a', name).descendants().repeat(%a).aggregate($total + 1, 0) div 3", "'a,b'.split(',').join('x').matches('^a.*').not() and iif(active, -1 mod 2, 2.power(3).sqrt().round(2)) is Decimal" })
        {
            Count(expression, bytes => FhirPathExpression.Compile(Encoding.UTF8.GetString(bytes), R4).TryGetValue(out var compiled, out _) && compiled.Check(focus.Type!).Count >= 0 && compiled.TryEvaluate(focus, environment).Succeeded);
        }
    }

    [Fact]
    public void Damaged_unit_codes_are_read_or_refused() =>
        Count("mg{x}/(kg.h2).10*-3.mm[Hg]", bytes => Ucum.Standard.Parse(Encoding.UTF8.GetString(bytes)).TryGetValue(out var unit, out _) && unit.Convert(1.5m, unit) == 1.5m);

    private static void Count(string text, Func<byte[], bool> run)
    {
        // CA5394 speaks of secrets; here the same numbers must come every time.
#pragma warning disable CA5394
        var random = new Random(20261121);
        var succeeded = 0;
        for (var round = 0; round < 3000; round++)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            for (var change = random.Next(0, 4); change > 0; change--)
            {
                var at = random.Next(bytes.Length);
                bytes = random.Next(4) switch
                {
                    0 => [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + random.Next(1, 9))..], (byte)' '],
                    1 => [.. bytes[..at], .. bytes[random.Next(bytes.Length)..]],
                    2 => [.. bytes[..at], (byte)"<>\"'{}[](),:.&;/\\0 9é\n\0"[random.Next(23)], .. bytes[at..]],
                    _ => [.. bytes[..at], (byte)random.Next(256), .. bytes[(at + 1)..]],
                };
                bytes = bytes.Length == 0 ? [(byte)' '] : bytes;
            }

            succeeded += run(bytes) ? 1 : 0;
        }
#pragma warning restore CA5394

        // A quarter is not damaged at all.
        Assert.True(succeeded > 300, $"{succeeded} succeeded");
    }
}
