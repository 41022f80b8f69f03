using System.Text;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Xml;

namespace FhirIomt.Validation.Tests;

/// <summary>Resources that are nearly right, by seed: whatever comes, validating and writing it is a finding or a refusal, never an exception.</summary>
public sealed class FuzzTests
{
    private static readonly string[] Junk =
        ["", "x", "\\\"", "a\\\"b", "'", "{", "http://hl7.org/fhirpath/System.", "http://hl7.org/fhirpath/System.String", "open\\\",\\\"x", "$this", "%resource", "1..*", "*", "-1", "2026-02-30", "#", "|", "a|b|c", "urn:uuid:", "\\u0000", "\\ud83d\\ude00", "[x]", "value[x]", "Observation.value[x]:a/b", "/", "//", "Patient/", "99999999999999999999"];

    private static readonly string[] Seeds =
    [
        """{"resourceType":"StructureDefinition","url":"http://example.org/a","name":"A","status":"active","kind":"resource","abstract":false,"type":"Observation","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Observation","derivation":"constraint","differential":{"element":[{"id":"Observation.value[x]","path":"Observation.value[x]","slicing":{"discriminator":[{"type":"type","path":"$this"}],"ordered":false,"rules":"open"}},{"id":"Observation.value[x]:valueQuantity","path":"Observation.value[x]","sliceName":"valueQuantity","min":1,"max":"1","type":[{"code":"Quantity","profile":["http://example.org/b"]}],"constraint":[{"key":"a-1","severity":"error","human":"x","expression":"value > 0"}]},{"id":"Observation.component.code","path":"Observation.component.code","patternCodeableConcept":{"coding":[{"code":"x"}]},"binding":{"strength":"required","valueSet":"http://example.org/set"}}]}}""",
        """{"resourceType":"StructureDefinition","url":"http://example.org/e","name":"E","status":"draft","kind":"complex-type","abstract":false,"type":"Extension","context":[{"type":"element","expression":"Patient"}],"baseDefinition":"http://hl7.org/fhir/StructureDefinition/Extension","derivation":"constraint","snapshot":{"element":[{"id":"Extension","path":"Extension","min":0,"max":"*","base":{"path":"Extension","min":0,"max":"*"}},{"id":"Extension.url","path":"Extension.url","min":1,"max":"1","type":[{"code":"http://hl7.org/fhirpath/System.String"}],"fixedUri":"http://example.org/e"}]}}""",
        """{"resourceType":"ValueSet","url":"http://example.org/set","status":"active","compose":{"include":[{"system":"http://loinc.org","version":"1","filter":[{"property":"concept","op":"is-a","value":"x"}]},{"valueSet":["http://example.org/set|1"]}],"exclude":[{"system":"http://example.org/s","concept":[{"code":"a","designation":[{"language":"en","value":"x"}]}]}]}}""",
        """{"resourceType":"CodeSystem","url":"http://example.org/s","status":"active","content":"complete","caseSensitive":true,"property":[{"code":"p","type":"code"}],"concept":[{"code":"a","display":"A","property":[{"code":"p","valueCode":"x"}],"concept":[{"code":"b"}]}]}""",
        """{"resourceType":"ConceptMap","url":"http://example.org/m","status":"active","sourceUri":"http://example.org/set","group":[{"source":"http://example.org/s","target":"http://example.org/s","element":[{"code":"a","target":[{"code":"b","equivalence":"equal"}]}],"unmapped":{"mode":"fixed","code":"a"}}]}""",
        """{"resourceType":"Questionnaire","url":"http://example.org/q","status":"active","item":[{"linkId":"1","type":"choice","answerValueSet":"#x","enableWhen":[{"question":"1","operator":"=","answerInteger":1}],"item":[{"linkId":"1","type":"group","initial":[{"valueString":"x"}]}]}]}""",
        """{"resourceType":"QuestionnaireResponse","questionnaire":"http://example.org/q","status":"completed","item":[{"linkId":"1","answer":[{"valueCoding":{"code":"x"},"item":[{"linkId":"1"}]}]}]}""",
        """{"resourceType":"Bundle","type":"document","timestamp":"2026-01-01T00:00:00Z","identifier":{"value":"x"},"entry":[{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Composition","status":"final","type":{"text":"x"},"date":"2026","author":[{"reference":"urn:uuid:2"}],"title":"x","section":[{"entry":[{"reference":"#a"}],"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"}}]}},{"fullUrl":"urn:uuid:2","resource":{"resourceType":"Practitioner"}}]}""",
        """{"resourceType":"Patient","id":"x","meta":{"profile":["http://hl7.org/fhir/StructureDefinition/Patient"]},"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p id='a'>x</p><a href=\"#a\">y</a></div>"},"contained":[{"resourceType":"Organization","id":"o"}],"managingOrganization":{"reference":"#o"},"birthDate":"2000-01-01","_birthDate":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthTime","valueDateTime":"2000-01-01T00:00:00Z"}]},"name":[{"given":["a",null],"_given":[null,{"id":"x"}]}],"multipleBirthInteger":2}""",
        """{"resourceType":"Observation","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},"subject":{"reference":"Patient/x"},"effectivePeriod":{"start":"2026-01-01","end":"2026-01-02"},"valueQuantity":{"value":1.0e2,"unit":"x","system":"http://unitsofmeasure.org","code":"/min"},"component":[{"code":{"text":"x"},"valueSampledData":{"origin":{"value":0},"period":1,"dimensions":1,"data":"1 2 E"}}]}""",
        """{"resourceType":"MeasureReport","status":"complete","type":"individual","measure":"http://example.org/m|1","period":{"start":"2026"},"group":[{"population":[{"count":1}],"stratifier":[{"stratum":[{"value":{"text":"x"}}]}]}]}""",
        """{"resourceType":"SearchParameter","url":"http://example.org/p","name":"p","status":"active","description":"x","code":"p","base":["Patient"],"type":"token","expression":"Patient.name.where(use = 'official')"}""",
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Nothing_that_is_nearly_a_resource_makes_validation_or_writing_fail(int seed)
    {
        var random = new Random(seed);
        var validator = new ResourceValidator(FhirDefinitions.R4);
        for (var number = 0; number < 4000; number++)
        {
            var text = Mutate(random, Seeds[random.Next(Seeds.Length)]);
            if (!JsonTree.Parse(Encoding.UTF8.GetBytes(text)).TryGetValue(out var tree, out _))
            {
                continue;
            }

            try
            {
                validator.Validate(tree);
                FhirXmlWriter.Write(tree.Root, FhirDefinitions.R4);
                if (number % 4 == 0 && tree.Root["resourceType"u8].AsString() == "StructureDefinition")
                {
                    // As a stored profile: read, made a snapshot of, and met by a resource that claims it.
                    var catalog = ProfileCatalog.BuiltIn(FhirDefinitions.R4).WithUnread([tree]);
                    var claiming = JsonTree.Parse(Encoding.UTF8.GetBytes(Seeds[9].Replace("\"status\"", "\"meta\":{\"profile\":[\"http://example.org/a\"]},\"status\"", StringComparison.Ordinal))).Require();
                    new ResourceValidator(catalog).Validate(claiming);
                }
            }
            catch (Exception exception)
            {
                Assert.Fail($"seed {seed}, number {number}: {text}\n{exception}");
            }
        }
    }

    private static string Mutate(Random random, string text)
    {
        for (var mutations = random.Next(1, 4); mutations > 0; mutations--)
        {
            // A place where a value stands: after a colon.
            var places = Enumerable.Range(0, text.Length).Where(at => text[at] == ':' && at > 0 && text[at - 1] == '"').ToArray();
            if (places.Length == 0)
            {
                return text;
            }

            var start = places[random.Next(places.Length)] + 1;
            var end = EndOfValue(text, start);
            var value = text[start..end];
            text = text[..start] + random.Next(7) switch
            {
                0 => "null",
                1 => $"[{value}]",
                2 => $"[{value},{value}]",
                3 => "{}",
                4 => random.Next(3) switch { 0 => "1.5", 1 => "true", _ => "[]" },
                5 => $"{{\"x\":{value}}}",
                _ => $"\"{Junk[random.Next(Junk.Length)]}\"",
            } + text[end..];
        }

        return text;
    }

    private static int EndOfValue(string text, int start)
    {
        var (depth, inString) = (0, false);
        for (var at = start; at < text.Length; at++)
        {
            var character = text[at];
            if (inString)
            {
                if (character == '\\')
                {
                    at++;
                }
                else if (character == '"')
                {
                    inString = false;
                }
            }
            else if (character == '"')
            {
                inString = true;
            }
            else if (character is '{' or '[')
            {
                depth++;
            }
            else if (character is '}' or ']')
            {
                if (depth == 0)
                {
                    return at;
                }

                depth--;
            }
            else if (character == ',' && depth == 0)
            {
                return at;
            }
        }

        return text.Length;
    }
}
