using System.Text;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Access.Tests;

/// <summary>Whose a stored resource is and whether it has labels, by its bytes: what the tree of it says, whatever else is in it.</summary>
public class GlanceTests
{
    private const string Base = "https://here.example/fhir/";

    private static readonly string[] Types = ["Observation", "Patient", "Device", "Condition", "Encounter", "Immunization", "AllergyIntolerance", "Practitioner", "Binary", "Provenance"];

    private static readonly string[] Names =
    [
        "id", "meta", "subject", "patient", "contained", "extension", "code", "text", "reference", "security", "tag", "profile", "valueReference", "sub\\u006aect", "a\\\"b", "}", "[", "",
    ];

    private static readonly string[] Texts =
    [
        "Patient/pa", "Patient/pa/_history/3", "https://here.example/fhir/Patient/pb", "https://elsewhere.example/fhir/Patient/pc", "#contained", "Patient\\/pd", "Patient/\\u0070e", "", "\\\\", "\\\"", "}{][", "\\\\\\\"}", "é{", "Group/g", "Patient/",
    ];

    [Theory]
    [InlineData("""{"resourceType":"Observation","id":"x","subject":{"reference":"Patient/pa"}}""", "pa", false)]
    [InlineData("""{"resourceType":"Observation","contained":[{"resourceType":"Observation","subject":{"reference":"Patient/px"}}],"subject":{"reference":"Patient/pa"}}""", "pa", false)]
    [InlineData("""{"resourceType":"Observation","note":[{"text":"\"subject\":{\"reference\":\"Patient/px\"}"}],"subject":{"display":"}","reference":"Patient/pa"}}""", "pa", false)]
    [InlineData("""{"resourceType":"Observation","extension":[{"url":"u","valueReference":{"reference":"Patient/px"}}]}""", null, false)]
    [InlineData("""{"subject":{"reference":"Patient/pa"},"meta":{"tag":[]}}""", "pa", true)]
    [InlineData("""{"subject":{"reference":"Patient/pa"},"meta":{"extension":[{"security":1}],"profile":["security"]}}""", "pa", false)]
    [InlineData("""{"subject":[{"reference":"Patient/pa"}],"meta":null}""", null, false)]
    [InlineData("""{"subject":"Patient/pa"}""", null, false)]
    [InlineData("""{"subject":{"reference":{"reference":"Patient/pa"}}}""", null, false)]
    [InlineData(" { \"a\" : [ ] , \"meta\" : { \"security\" : [ { } ] } , \r\n\t\"subject\" : { \"reference\" : \"Patient\\/p\\u0061\" } } ", "pa", true)]
    [InlineData("{}", null, false)]
    public void An_observation_is_of_whom_its_own_subject_says(string body, string? owner, bool labels)
    {
        var glance = Glances.Of(Stored("Observation", body), Base);
        Assert.Equal((owner, labels), (glance.Owner, glance.HasLabels));
        AssertAsTree("Observation", body);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void The_bytes_say_what_the_tree_says(int seed)
    {
        var random = new Random(seed);
        for (var document = 0; document < 5_000; document++)
        {
            AssertAsTree(Types[random.Next(Types.Length)], Blank(random) + Object(random, 0) + Blank(random));
        }
    }

    private static void AssertAsTree(string type, string body)
    {
        var tree = JsonTree.Parse(Encoding.UTF8.GetBytes(body)).Require();
        var meta = tree.Root["meta"u8];
        var glance = Glances.Of(Stored(type, body), Base);
        Assert.True(
            glance == new ResourceGlance(PatientCompartment.OwnerOf(type, tree.Root, Base), meta["security"u8].Exists || meta["tag"u8].Exists),
            $"{type}: {glance} of {body}");
    }

    private static StoredResource Stored(string type, string body) => new(type, "x", 1, DateTimeOffset.UnixEpoch, Encoding.UTF8.GetBytes(body));

    private static string Object(Random random, int depth)
    {
        var names = Names.OrderBy(_ => random.Next()).Take(random.Next(depth == 0 ? 12 : 5)).ToList();
        if (names.Contains("subject"))
        {
            // The same name twice is no resource.
            names.Remove("sub\\u006aect");
        }

        return $"{{{Blank(random)}{string.Join($"{Blank(random)},{Blank(random)}", names.Select(name => $"\"{name}\"{Blank(random)}:{Blank(random)}{Value(random, depth + 1)}"))}{Blank(random)}}}";
    }

    private static string Value(Random random, int depth) => random.Next(depth > 4 ? 5 : 9) switch
    {
        0 => "true",
        1 => "null",
        2 => "-1.50e+3",
        3 or 4 => $"\"{Texts[random.Next(Texts.Length)]}\"",
        5 => $"[{Blank(random)}{string.Join(',', Enumerable.Range(0, random.Next(3)).Select(_ => Value(random, depth + 1)))}{Blank(random)}]",
        _ => Object(random, depth),
    };

    private static string Blank(Random random) => random.Next(6) switch { 0 => " ", 1 => "\n\t", 2 => "\r\n ", _ => "" };
}
