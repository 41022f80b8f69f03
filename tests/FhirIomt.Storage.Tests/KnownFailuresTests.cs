using FhirIomt.Access;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Tests;

/// <summary>What FHIR servers most often get wrong in searches, each by name.</summary>
public class KnownFailuresTests : StoreTests
{
    private const string Ucum = "http://unitsofmeasure.org";

    [Theory]
    [InlineData("5.4", "a,b")]
    [InlineData("5.40", "a,b")]
    [InlineData("5.400", "a,b")]
    [InlineData("5", "a,b,c")]
    [InlineData("ne5.4", "c,d,f,g")]
    [InlineData("gt5.4", "c,d,g")]
    [InlineData("lt5.4", "f")]
    [InlineData("ge5.4", "a,b,c,d,g")]
    [InlineData("5.4|http://unitsofmeasure.org|mg", "a")]
    [InlineData("0.0054|http://unitsofmeasure.org|g", "a")]
    [InlineData("ge5.45|http://unitsofmeasure.org|mg", "b,d")]
    [InlineData("5.4||mg", "a")]
    [InlineData("5.4||grams", "b")]
    [InlineData("5400||mg", "")]
    [InlineData("5.4|http://other.example|mg", "")]
    [InlineData("ap5.6||mg", "a,d")]
    [InlineData("4||lb", "")]
    [InlineData("sa5.5", "d,g")]
    [InlineData("eb5.4", "f")]
    public async Task Failure_5_quantities_have_ranges_and_units(string value, string expected)
    {
        await using var store = NewStore();
        await store.PutAsync("a", Measured(5.4m, "mg", "mg"));
        await store.PutAsync("b", Measured(5.4m, "g", "grams"));
        await store.PutAsync("c", Measured(5.499m, null, "drops"));
        await store.PutAsync("d", Measured(6m, "mg", "mg"));
        await store.PutAsync("f", Measured(4m, null, "drops"));
        await store.PutAsync("g", Measured(600m, null, "drops"));
        await store.PutAsync("none", Sample.HeartRate());
        Assert.Equal(Sorted(expected), (await store.FindAsync("Observation", ("value-quantity", value))).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("gt4", "above,below")]
    [InlineData("gt8", "above")]
    [InlineData("lt6", "above,below")]
    [InlineData("lt4", "below")]
    [InlineData("ge1000", "above")]
    [InlineData("6", "")]
    public async Task Failure_5_a_comparator_leaves_an_end_open(string value, string expected)
    {
        await using var store = NewStore();
        await store.PutAsync("above", Quantity("\"value\":5,\"comparator\":\">\",\"unit\":\"drops\""));
        await store.PutAsync("below", Quantity("\"value\":7,\"comparator\":\"<\",\"unit\":\"drops\""));
        Assert.Equal(Sorted(expected), (await store.FindAsync("Observation", ("value-quantity", value))).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("component-code-value-quantity", "8480-6$gt130", "high")]
    [InlineData("component-code-value-quantity", "8462-4$gt130", "swapped")]
    [InlineData("component-code-value-quantity", "8480-6$120,8462-4$gt130", "normal,swapped")]
    [InlineData("combo-code-value-quantity", "8480-6$gt130", "high,single")]
    [InlineData("code-value-quantity", "8480-6$gt130", "single")]
    [InlineData("component-code-value-quantity", "http://loinc.org|8480-6$140|http://unitsofmeasure.org|mm[Hg]", "high")]
    public async Task Failure_6_a_composite_is_met_within_one_repetition(string name, string value, string expected)
    {
        await using var store = NewStore();
        await store.PutAsync("normal", Pressure(120, 80));
        await store.PutAsync("high", Pressure(140, 90));
        await store.PutAsync("swapped", Pressure(80, 140));
        await store.PutAsync("single", Sample.HeartRate(code: "8480-6", more: "\"valueQuantity\":{\"value\":150,\"system\":\"http://unitsofmeasure.org\",\"code\":\"mm[Hg]\"}"));
        Assert.Equal(Sorted(expected), (await store.FindAsync("Observation", (name, value))).Order(StringComparer.Ordinal));
        Assert.Equal(Sorted(expected), (await store.FindAsync("Observation", (name, value), ("patient", "pa"), ("_sort", "-date"))).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("code", "code:text", "puls", "text,both")]
    [InlineData("code", "code:text", "HEART", "display,both")]
    [InlineData("code", "code:text", "rate", "")]
    [InlineData("code", "code:text", "nothing,pulse", "text,both")]
    public async Task Texts_of_codes_are_found_from_their_start(string _, string name, string value, string expected)
    {
        await using var store = NewStore();
        await store.PutAsync("text", Coded("""{"text":"Pulse"}"""));
        await store.PutAsync("display", Coded("""{"coding":[{"system":"http://loinc.org","code":"8867-4","display":"Heart rate"}]}"""));
        await store.PutAsync("both", Coded("""{"coding":[{"system":"http://loinc.org","code":"8867-4","display":"heart rate"}],"text":"pulse rate"}"""));
        Assert.Equal(Sorted(expected), (await store.FindAsync("Observation", (name, value))).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Identifiers_are_found_by_their_type_and_references_by_their_identifier()
    {
        await using var store = NewStore();
        await store.PutAsync("x", """{"resourceType":"Patient","identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},"system":"urn:a","value":"1"},{"system":"urn:b","value":"2"}]}""");
        Assert.Equal(["x"], await store.FindAsync("Patient", ("identifier:of-type", "http://terminology.hl7.org/CodeSystem/v2-0203|MR|1")));
        Assert.Empty(await store.FindAsync("Patient", ("identifier:of-type", "http://terminology.hl7.org/CodeSystem/v2-0203|MR|2")));
        await store.PutAsync("o", Sample.Observation("""{"text":"x"}""", null, "\"effectiveDateTime\":\"2026\"", "vital-signs", """ "subject":{"identifier":{"system":"urn:a","value":"1"}},"performer":[{"identifier":{"value":"9"}}] """));
        Assert.Equal(["o"], await store.FindAsync("Observation", ("subject:identifier", "urn:a|1")));
        Assert.Equal(["o"], await store.FindAsync("Observation", ("performer:identifier", "|9")));
        Assert.Empty(await store.FindAsync("Observation", ("subject:identifier", "urn:b|1")));
    }

    [Fact]
    public async Task Versions_of_targets_and_of_canonicals_can_be_named()
    {
        await using var store = NewStore();
        await store.PutAsync("v2", Sample.HeartRate("Patient/pa/_history/2", more: "\"device\":{\"reference\":\"Device/d/_history/7\"}"));
        await store.PutAsync("plain", Sample.HeartRate("Patient/pa", more: "\"device\":{\"reference\":\"Device/d\"}"));
        Assert.Equal(["plain", "v2"], (await store.FindAsync("Observation", ("subject", "Patient/pa"))).Order(StringComparer.Ordinal));
        Assert.Equal(["v2"], await store.FindAsync("Observation", ("subject", "Patient/pa/_history/2")));
        Assert.Equal(["v2"], await store.FindAsync("Observation", ("device", "Device/d/_history/7")));
        await store.PutAsync("q", """{"resourceType":"QuestionnaireResponse","status":"completed","questionnaire":"http://a.example/q|1.0"}""");
        Assert.Equal(["q"], await store.FindAsync("QuestionnaireResponse", ("questionnaire", "http://a.example/q")));
        Assert.Equal(["q"], await store.FindAsync("QuestionnaireResponse", ("questionnaire", "http://a.example/q|1.0")));
        Assert.Empty(await store.FindAsync("QuestionnaireResponse", ("questionnaire", "http://a.example/q|2.0")));
    }

    [Fact]
    public async Task Words_are_found_in_the_narrative_and_in_all_content()
    {
        await using var store = NewStore();
        await store.PutAsync("a", Sample.Patient("Chalmers", "\"text\":{\"status\":\"generated\",\"div\":\"<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\"><p>Has <b>Asthma</b>, müde</p></div>\"}"));
        await store.PutAsync("b", Sample.Patient("Asthma"));
        Assert.Equal(["a"], await store.FindAsync("Patient", ("_text", "asthma")));
        Assert.Equal(["a"], await store.FindAsync("Patient", ("_text", "MUDE has")));
        Assert.Empty(await store.FindAsync("Patient", ("_text", "asthma nobody")));
        Assert.Equal(["a", "b"], (await store.FindAsync("Patient", ("_content", "asthma"))).Order(StringComparer.Ordinal));
        Assert.Equal(["a"], await store.FindAsync("Patient", ("_content", "chalmers asthma")));
        Assert.Empty(await store.FindAsync("Observation", ("_content", "asthma")));
    }

    [Fact]
    public async Task A_list_limits_to_its_items_and_only_for_those_who_may_search_it()
    {
        await using var store = NewStore();
        await store.PutAsync("p1", Sample.Patient());
        await store.PutAsync("p2", Sample.Patient());
        await store.PutAsync("l", """{"resourceType":"List","status":"current","mode":"working","entry":[{"item":{"reference":"Patient/p1"}},{"item":{"reference":"Observation/p2"}}]}""");
        Assert.Equal(["p1"], await store.FindAsync("Patient", ("_list", "l")));
        Assert.Empty(await store.FindAsync("Patient", ("_list", "nobody")));
        var access = new SearchAccess(TestStore.Everything, _ => TestStore.Everything, type => type == "List" ? AccessPredicate.Nothing.Instance : TestStore.Everything);
        Assert.Empty((await store.Store.SearchAsync(TestStore.Query("Patient", ("_list", "l")), access, CancellationToken.None)).Require().Matches);
    }

    [Fact]
    public async Task Failure_10_what_is_included_is_cut_at_a_limit_and_the_page_says_so()
    {
        await using var store = NewStore();
        await store.PutAsync("p1", Sample.Patient());
        await store.RunAsync(transaction =>
        {
            for (var number = 0; number <= SearchLimits.MaxIncluded; number++)
            {
                transaction.Put(TestStore.Prepare(Sample.HeartRate("Patient/p1")), $"x{number}", previous: null);
            }
        });
        var page = await store.PageAsync(TestStore.Query("Patient", ("_revinclude", "Observation:subject")));
        Assert.Equal((1, SearchLimits.MaxIncluded, true), (page.Matches.Count, page.Included.Count, page.IncludesCut));
        Assert.Equal(page.Included.Count, page.Included.Select(one => one.Id).Distinct(StringComparer.Ordinal).Count());
    }

    [Theory]
    [InlineData("family", "a,b,c,none")]
    [InlineData("-family", "c,b,a,none")]
    [InlineData("birthdate", "b,a,c,none")]
    [InlineData("gender,-family", "c,a,b,none")]
    public async Task Failure_11_missing_values_come_last_in_either_direction(string order, string expected)
    {
        await using var store = NewStore();
        await store.PutAsync("none", """{"resourceType":"Patient"}""");
        await store.PutAsync("b", Sample.Patient("Beta", "\"birthDate\":\"1970\",\"gender\":\"male\""));
        await store.PutAsync("a", Sample.Patient("Älpha", "\"birthDate\":\"1980\",\"gender\":\"female\""));
        await store.PutAsync("c", Sample.Patient("Gamma", "\"birthDate\":\"1990\",\"gender\":\"female\""));
        Assert.Equal(expected.Split(','), await store.FindAsync("Patient", ("_sort", order)));
        Assert.Equal(expected.Split(','), await store.WalkAsync(TestStore.Query("Patient", ("_sort", order), ("_count", "1"))));
    }

    [Fact]
    public async Task Values_in_sums_beyond_what_an_engine_takes_are_refused_and_not_an_error()
    {
        await using var store = NewStore();
        await store.PutAsync("x", Measured(1, "mg", "mg"));
        var many = string.Join(',', Enumerable.Range(0, 100).Select(number => $"{number}|{Ucum}|mg"));
        var query = TestStore.Query("Observation", [.. Enumerable.Repeat(("value-quantity", many), 45)]);
        var outcome = await store.Store.SearchAsync(query, SearchAccess.Everything, CancellationToken.None);
        Assert.True(outcome.Succeeded || outcome.Issues[0].Code == "IOMT-0703");
    }

    private static string Coded(string code) => Sample.Observation(code, "Patient/pa", "\"effectiveDateTime\":\"2026-02-01\"", "vital-signs", "");

    private static string Measured(decimal value, string? code, string unit) =>
        Quantity($"\"value\":{value.ToString(System.Globalization.CultureInfo.InvariantCulture)},\"unit\":\"{unit}\"{(code is null ? "" : $",\"system\":\"{Ucum}\",\"code\":\"{code}\"")}");

    private static string Quantity(string members) => Sample.HeartRate(more: $"\"valueQuantity\":{{{members}}}");

    private static string Pressure(int systolic, int diastolic) => Sample.HeartRate(code: "85354-9", more: $"\"component\":[{Component("8480-6", systolic)},{Component("8462-4", diastolic)}]");

    private static string Component(string code, int value) =>
        $"{{\"code\":{{\"coding\":[{{\"system\":\"http://loinc.org\",\"code\":\"{code}\"}}]}},\"valueQuantity\":{{\"value\":{value},\"unit\":\"mmHg\",\"system\":\"{Ucum}\",\"code\":\"mm[Hg]\"}}}}";

    private static IEnumerable<string> Sorted(string names) => names.Split(',', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal);
}

public sealed class KnownFailuresTestsOnPostgreSql : KnownFailuresTests
{
    protected override Engine Engine => Engine.PostgreSql;
}
