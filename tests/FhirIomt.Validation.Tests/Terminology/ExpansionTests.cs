using System.Text.Json.Nodes;
using FhirIomt.Validation.Terminology;
using FhirIomt.Validation.Terminology.Operations;

namespace FhirIomt.Validation.Tests.Terminology;

public sealed class ExpansionTests
{
    [Theory]
    [InlineData("concept", "is-a", "red", "red crimson")]
    [InlineData("concept", "descendent-of", "warm", "red crimson orange")]
    [InlineData("concept", "descendent-leaf", "warm", "crimson orange")]
    [InlineData("concept", "is-a", "dark", "crimson dark")]
    [InlineData("concept", "is-not-a", "warm", "cold blue dark grey")]
    [InlineData("concept", "generalizes", "crimson", "warm red crimson dark")]
    [InlineData("concept", "child-of", "warm", "red orange")]
    [InlineData("wavelength", "=", "700", "red")]
    [InlineData("wavelength", "in", "700, 620", "red orange")]
    [InlineData("wavelength", "not-in", "700,620", "warm crimson cold blue dark grey")]
    [InlineData("wavelength", "exists", "true", "red orange")]
    [InlineData("wavelength", "regex", "6.0", "orange")]
    [InlineData("code", "regex", "[a-d]+", "")]
    [InlineData("code", "regex", "c.*", "crimson cold")]
    [InlineData("display", "=", "Blue", "blue")]
    [InlineData("parent", "=", "dark", "crimson")]
    [InlineData("concept", "is-a", "no-such-code", "")]
    public void Filters_choose_concepts(string property, string op, string value, string codes) =>
        Assert.Equal(codes, Given.Expand(Given.Including("set", $$""", "filter": [ { "property": "{{property}}", "op": "{{op}}", "value": "{{value}}" } ]""")));

    [Theory]
    [InlineData("code", "regex", "(")]
    [InlineData("code", "regex", "(a)\\\\1")]
    [InlineData("code", "like", "a")]
    [InlineData("concept", "is-a", "")]
    public void A_filter_that_cannot_be_used_is_refused(string property, string op, string value) =>
        Assert.Equal("IOMT-0259", Given.Expand(Given.Including("set", $$""", "filter": [ { "property": "{{property}}", "op": "{{op}}", "value": "{{value}}" } ]""")));

    [Fact]
    public void A_hostile_expression_takes_no_time()
    {
        var code = new string('a', 60) + "!";
        var system = $$"""{ "resourceType": "CodeSystem", "url": "https://example.org/CodeSystem/long", "status": "active", "content": "complete", "concept": [ { "code": "{{code}}" } ] }""";
        var set = Given.ValueSet("hostile", """{ "include": [ { "system": "https://example.org/CodeSystem/long", "filter": [ { "property": "code", "op": "regex", "value": "((a+)+)+" } ] } ] }""");
        Assert.False(Given.Service(system, set).IsMember(Given.Url("hostile"), "https://example.org/CodeSystem/long", code));
    }

    [Fact]
    public void All_filters_of_an_include_must_match() =>
        Assert.Equal("orange", Given.Expand(Given.Including("set", """, "filter": [ { "property": "concept", "op": "is-a", "value": "warm" }, { "property": "wavelength", "op": "=", "value": "620" } ]""")));

    [Fact]
    public void Excluded_codes_are_left_out() =>
        Assert.Equal("warm red orange cold blue dark", Given.Expand(Given.ValueSet("set", $$"""{ "include": [ { "system": "{{Given.Colours}}" } ], "exclude": [ { "system": "{{Given.Colours}}", "concept": [ { "code": "crimson" }, { "code": "grey" } ] } ] }""")));

    [Fact]
    public void Inactive_concepts_are_left_out_when_the_set_says_so() =>
        Assert.Equal("warm red crimson orange cold blue dark", Given.Expand(Given.ValueSet("set", $$"""{ "inactive": false, "include": [ { "system": "{{Given.Colours}}" } ] }""")));

    [Fact]
    public void Imported_sets_are_intersected_within_an_include_and_united_over_includes()
    {
        var service = Given.Service(
            Given.Including("warm", """, "filter": [ { "property": "concept", "op": "is-a", "value": "warm" } ]"""),
            Given.Including("listed", """, "concept": [ { "code": "red" }, { "code": "blue" } ]"""),
            Given.ValueSet("both", """{ "include": [ { "valueSet": [ "https://example.org/ValueSet/warm", "https://example.org/ValueSet/listed" ] } ] }"""),
            Given.ValueSet("either", """{ "include": [ { "valueSet": [ "https://example.org/ValueSet/warm" ] }, { "valueSet": [ "https://example.org/ValueSet/listed|1.0.0" ] } ] }"""));
        Assert.Equal(["red"], service.TryList(Given.Url("both"))!.Codes(Given.Colours));
        Assert.Equal(["blue", "crimson", "orange", "red", "warm"], service.TryList(Given.Url("either"))!.Codes(Given.Colours).Order());
    }

    [Fact]
    public void A_set_that_contains_itself_is_refused()
    {
        var service = Given.Service(
            Given.ValueSet("hen", """{ "include": [ { "valueSet": [ "https://example.org/ValueSet/egg" ] } ] }"""),
            Given.ValueSet("egg", """{ "include": [ { "valueSet": [ "https://example.org/ValueSet/hen" ] } ] }"""));
        var (answer, _) = Given.Run(service, TerminologyOperation.Expand, ("url", "valueUri", Given.Url("hen")));
        Assert.Equal("IOMT-0257", Assert.Single(answer.Refusals).Code);
        Assert.Equal(CodeStanding.ValueSetNotUsable, service.Validate(Given.Url("hen"), Given.Colours, "red").Standing);
    }

    [Fact]
    public void Sets_that_import_each_other_many_times_over_are_refused_before_they_take_long()
    {
        var sets = Enumerable.Range(0, 24).Select(number => Given.ValueSet($"level{number}",
            $$"""{ "include": [ { "valueSet": [ "https://example.org/ValueSet/level{{number + 1}}" ] }, { "valueSet": [ "https://example.org/ValueSet/level{{number + 1}}" ] } ] }"""))
            .Append(Given.Including("level24", "")).ToArray();
        var (answer, _) = Given.Run(Given.Service(sets), TerminologyOperation.Expand, ("url", "valueUri", Given.Url("level0")));
        Assert.Equal("IOMT-0258", Assert.Single(answer.Refusals).Code);
    }

    [Fact]
    public void More_concepts_than_the_limit_are_refused_as_too_costly_but_can_be_paged()
    {
        var service = Given.Service(TerminologyLimits.Default with { MaxExpansion = 3 }, Given.Including("all", ""));
        var (whole, _) = Given.Run(service, TerminologyOperation.Expand, ("url", "valueUri", Given.Url("all")));
        Assert.Equal(Core.IssueKind.TooCostly, Assert.Single(whole.Refusals).Kind);

        var (page, json) = Given.Run(service, TerminologyOperation.Expand, ("url", "valueUri", Given.Url("all")), ("count", "valueInteger", 2), ("offset", "valueInteger", 1));
        Assert.True(page.Succeeded);
        Assert.Equal("red crimson", Given.Codes(json["expansion"]));
        Assert.Equal(8, (int)json["expansion"]!["total"]!);
    }

    [Theory]
    [InlineData("count", "-1")]
    [InlineData("offset", "many")]
    public void A_page_that_is_no_number_is_refused(string name, string value)
    {
        var (answer, _) = Given.Run(Given.Service(Given.Including("all", "")), TerminologyOperation.Expand, ("url", "valueUri", Given.Url("all")), (name, "valueString", value));
        Assert.Equal("IOMT-0275", Assert.Single(answer.Refusals).Code);
    }

    [Fact]
    public void Concepts_stand_below_their_parents_unless_a_flat_list_is_asked_for()
    {
        var (_, json) = Given.Run(Given.Service(Given.Including("all", "")), TerminologyOperation.Expand, ("url", "valueUri", Given.Url("all")));
        Assert.Equal(["warm", "cold", "dark", "grey"], json["expansion"]!["contains"]!.AsArray().Select(concept => (string)concept!["code"]!));
        Assert.Equal("red crimson orange", Given.Codes(json["expansion"]!["contains"]![0]));
    }

    [Fact]
    public void Words_are_looked_for_in_displays_and_designations()
    {
        var (_, json) = Given.Run(Given.Service(Given.Including("all", "")), TerminologyOperation.Expand, ("url", "valueUri", Given.Url("all")), ("filter", "valueString", "ROT"));
        Assert.Equal("red", Given.Codes(json["expansion"]));
    }

    [Fact]
    public void Displays_come_in_the_language_asked_for_where_there_is_one()
    {
        var (_, json) = Given.Run(Given.Service(Given.Including("two", """, "concept": [ { "code": "red" }, { "code": "blue" } ]""")), TerminologyOperation.Expand, ("url", "valueUri", Given.Url("two")), ("displayLanguage", "valueCode", "de-AT"));
        Assert.Equal(["Rot", "Blue"], json["expansion"]!["contains"]!.AsArray().Select(concept => (string)concept!["display"]!));
    }

    [Fact]
    public void Listed_codes_of_a_system_whose_content_is_elsewhere_are_listed()
    {
        var set = Given.ValueSet("vitals", """{ "include": [ { "system": "http://loinc.org", "concept": [ { "code": "8867-4", "display": "Heart rate" } ] } ] }""");
        Assert.Equal("8867-4", Given.Expand(set));
        Assert.Equal("IOMT-0252", Given.Expand(Given.ValueSet("all", """{ "include": [ { "system": "http://loinc.org" } ] }""")));
    }

    [Fact]
    public void A_set_that_comes_only_as_an_expansion_is_what_it_lists()
    {
        const string Set = """
            { "resourceType": "ValueSet", "url": "https://example.org/ValueSet/given", "status": "active", "expansion": { "timestamp": "2026-01-01T00:00:00Z",
              "contains": [ { "system": "https://example.org/x", "code": "a", "abstract": true, "contains": [ { "system": "https://example.org/x", "code": "b" } ] } ] } }
            """;
        var service = Given.Service(Set);
        Assert.True(service.IsMember(Given.Url("given"), "https://example.org/x", "b"));
        Assert.False(service.IsMember(Given.Url("given"), "https://example.org/x", "c"));
        Assert.Equal("a b", Given.Expand(Set));
    }

    [Fact]
    public void Designations_and_properties_come_when_asked_for()
    {
        var (_, json) = Given.Run(Given.Service(Given.Including("one", """, "concept": [ { "code": "red" } ]""")), TerminologyOperation.Expand,
            ("url", "valueUri", Given.Url("one")), ("includeDesignations", "valueBoolean", true), ("property", "valueString", "wavelength"));
        var red = json["expansion"]!["contains"]![0]!;
        Assert.Equal("Rot", (string?)red["designation"]![0]!["value"]);
        Assert.Contains("\"valueString\":\"700\"", red["extension"]!.ToJsonString(), StringComparison.Ordinal);
    }
}
