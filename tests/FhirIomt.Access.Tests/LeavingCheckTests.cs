using FhirIomt.Fhir.Searching;
namespace FhirIomt.Access.Tests;

/// <summary>The second look at the document itself agrees with what scopes say.</summary>
public sealed class LeavingCheckTests
{
    private const string VitalSign = """
        {"resourceType":"Observation","status":"final","subject":{"reference":"Patient/pa"},
         "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],
         "code":{"coding":[{"system":"http://loinc.org","code":"8867-4"},{"system":"urn:iso:std:iso:11073:10101","code":"147842"}]}}
        """;

    [Theory]
    [InlineData("system/Observation.r?category=vital-signs", true)]
    [InlineData("system/Observation.r?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs", true)]
    [InlineData("system/Observation.r?category=http://elsewhere.example|vital-signs", false)]
    [InlineData("system/Observation.r?category=|vital-signs", false)]
    [InlineData("system/Observation.r?category=laboratory", false)]
    [InlineData("system/Observation.r?category=laboratory,vital-signs", true)]
    [InlineData("system/Observation.r?category=vital-signs&code=147842", true)]
    [InlineData("system/Observation.r?category=vital-signs&code=9279-1", false)]
    [InlineData("system/Observation.r?code=http://loinc.org|", true)]
    [InlineData("system/Observation.r?status=final", true)]
    [InlineData("system/Observation.r?status=|final", true)]
    [InlineData("system/Observation.r?_tag=demo", false)]
    [InlineData("system/Observation.r?category=laboratory system/Observation.r?code=8867-4", true)]
    [InlineData("system/Observation.u", false)]
    public void A_vital_sign_leaves_under_scopes_that_cover_it(string scopes, bool permitted) => Assert.Equal(permitted, Permits(Given.Token(scopes), VitalSign));

    [Theory]
    [InlineData("patient/Observation.r", "pa", true)]
    [InlineData("patient/Observation.r", "pb", false)]
    [InlineData("patient/Observation.r?category=vital-signs", "pa", true)]
    [InlineData("patient/Observation.r?category=laboratory", "pa", false)]
    [InlineData("patient/Observation.r?category=vital-signs", "pb", false)]
    [InlineData("patient/Observation.r?category=laboratory patient/Observation.r?code=8867-4", "pa", true)]
    public void A_reading_leaves_to_its_own_patient(string scopes, string patient, bool permitted) => Assert.Equal(permitted, Permits(Given.Token(scopes, patient), VitalSign));

    [Fact]
    public void What_is_no_positive_token_fails_closed()
    {
        var negated = new Fhir.Searching.SearchQueryParser(Given.Policy).ParseCriterion("Observation", "category:not", "laboratory").Require();
        var check = new LeavingCheck(Given.Indexer);
        Assert.False(check.Permits(new AccessPredicate.Meets([negated]), "Observation", Given.Resource(VitalSign)));
        Assert.False(check.Permits(AccessPredicate.Nothing.Instance, "Observation", Given.Resource(VitalSign)));
        Assert.False(check.Permits(new AccessPredicate.Any([]), "Observation", Given.Resource(VitalSign)));
    }

    [Theory]
    [InlineData("""{"resourceType":"Observation","id":"x","meta":{"versionId":"1"},"subject":{"reference":"Patient/pa"}}""", true)]
    [InlineData("""{"subject":{"display":"A","reference":"Patient/pa"},"component":[{"subject":{"reference":"Patient/pb"}}],"resourceType":"Observation"}""", true)]
    [InlineData("""{"resourceType":"Observation","subject":{"reference":"Patient/pa"},"meta":{"tag":[{"code":"t"}]},"id":"x"}""", true)]
    [InlineData("""{"resourceType":"Observation","sub\u006aect":{"reference":"Patient/pa"}}""", false)]
    [InlineData("""{"resourceType":"Observation","subject":{"reference":"Pati\u0065nt/p\u0061"}}""", true)]
    [InlineData("""{"resourceType":"Observation","subject":{"reference":"Patient/pa/_history/3"}}""", true)]
    [InlineData("""{"resourceType":"Observation","subject":{"reference":"https://fhir.example/fhir/Patient/pa"}}""", true)]
    [InlineData("""{"resourceType":"Observation","subject":{"reference":"https://elsewhere.example/fhir/Patient/pa"}}""", false)]
    [InlineData("""{"resourceType":"Observation","subject":{"reference":"Group/pa"}}""", false)]
    [InlineData("""{"resourceType":"Observation","subject":{"identifier":{"reference":"Patient/pa"}}}""", false)]
    [InlineData("""{"resourceType":"Observation","performer":[{"reference":"Patient/pa"}]}""", false)]
    [InlineData("""{"resourceType":"Observation","contained":[{"resourceType":"Observation","subject":{"reference":"Patient/pa"}}]}""", false)]
    [InlineData("""{"resourceType":"Observation","subject":{"extension":[{"url":"u","valueReference":{"reference":"Patient/pa"}}],"reference":"Patient/pb"}}""", false)]
    public void Whose_a_resource_is_stands_in_one_place_wherever_that_is(string json, bool permitted) => Assert.Equal(permitted, Permits(Given.Token("patient/Observation.r", "pa"), json));

    [Theory]
    [InlineData("""{"resourceType":"Observation","meta":{"tag":[{"code":"demo"}]}}""", true)]
    [InlineData("""{"resourceType":"Observation","status":"final","meta":{"profile":["p"],"tag":[{"system":"s","code":"x"},{"code":"demo"}]}}""", true)]
    [InlineData("""{"resourceType":"Observation","meta":{"security":[{"code":"demo"}]}}""", false)]
    [InlineData("""{"resourceType":"Observation","meta":{"profile":["p"]},"contained":[{"resourceType":"Patient","meta":{"tag":[{"code":"demo"}]}}]}""", false)]
    public void A_tag_counts_where_the_resource_itself_has_it(string json, bool permitted) => Assert.Equal(permitted, Permits(Given.Token("system/Observation.r?_tag=demo"), json));

    [Fact]
    public void What_stands_behind_the_deepest_nesting_that_is_stored_counts_too()
    {
        var deep = string.Concat(Enumerable.Repeat("""{"url":"x","extension":[""", 60)) + """{"url":"x","valueCode":"y"}""" + string.Concat(Enumerable.Repeat("]}", 60));
        Assert.True(Permits(Given.Token("system/Observation.r?_tag=demo"), $$"""{"resourceType":"Observation","extension":[{{deep}}],"meta":{"tag":[{"code":"demo"}]} }"""));
    }

    // From a tree, from the bytes, and from what was read of them before: the ways may never differ.
    private static bool Permits(AccessScope token, string json)
    {
        var indexer = new Fhir.Search.SearchIndexer(Fhir.Definitions.FhirDefinitions.R4, "https://fhir.example/fhir");
        var (check, predicate) = (new LeavingCheck(indexer), token.PredicateFor("Observation", ScopeInteractions.Read));
        var permitted = check.Permits(predicate, "Observation", Given.Resource(json));
        var stored = new StoredResource("Observation", "o", 1, default, System.Text.Encoding.UTF8.GetBytes(json));
        Assert.Equal(permitted, check.Permits(predicate, stored));
        Assert.Equal(permitted, check.Permits(predicate, stored));
        return permitted;
    }
}
