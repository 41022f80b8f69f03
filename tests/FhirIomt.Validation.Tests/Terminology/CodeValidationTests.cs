using FhirIomt.Core;
using FhirIomt.Validation.Terminology;

namespace FhirIomt.Validation.Tests.Terminology;

public sealed class CodeValidationTests
{
    private static readonly TerminologyService Service = Given.Service(
        Given.Including("warm", """, "filter": [ { "property": "concept", "op": "is-a", "value": "warm" } ]"""),
        Given.ValueSet("active", $$"""{ "inactive": false, "include": [ { "system": "{{Given.Colours}}" } ] }"""),
        Given.ValueSet("vitals", """{ "include": [ { "system": "http://loinc.org" } ] }"""),
        Given.ValueSet("units", """{ "include": [ { "system": "http://unitsofmeasure.org" } ] }"""),
        Given.ValueSet("foreign", """{ "include": [ { "system": "https://example.org/nowhere" } ] }"""),
        Given.ValueSet("broken", """{ "include": [ { "valueSet": [ "https://example.org/ValueSet/absent" ] } ] }"""),
        Given.ValueSet("listed", """{ "include": [ { "system": "http://snomed.info/sct", "concept": [ { "code": "271649006" } ] } ] }"""));

    [Theory]
    [InlineData("warm", Given.Colours, "red", CodeStanding.InSet)]
    [InlineData("warm", Given.Colours, "blue", CodeStanding.NotInSet)]
    [InlineData("warm", Given.Colours, "Red", CodeStanding.UnknownCode)]
    [InlineData("warm", Given.Colours, "violet", CodeStanding.UnknownCode)]
    [InlineData("warm", "https://example.org/other", "red", CodeStanding.NotInSet)]
    [InlineData("active", Given.Colours, "grey", CodeStanding.Inactive)]
    [InlineData("active", Given.Colours, "red", CodeStanding.InSet)]
    [InlineData("vitals", "http://loinc.org", "8867-4", CodeStanding.SystemNotLoaded)]
    [InlineData("vitals", "http://loinc.org", "8867-5", CodeStanding.UnknownCode)]
    [InlineData("units", "http://unitsofmeasure.org", "mm", CodeStanding.InSet)]
    [InlineData("units", "http://unitsofmeasure.org", "millimetre", CodeStanding.UnknownCode)]
    [InlineData("foreign", "https://example.org/nowhere", "x", CodeStanding.UnknownSystem)]
    [InlineData("broken", Given.Colours, "red", CodeStanding.ValueSetNotUsable)]
    [InlineData("absent", Given.Colours, "red", CodeStanding.ValueSetNotUsable)]
    [InlineData("listed", "http://snomed.info/sct", "271649006", CodeStanding.InSet)]
    [InlineData("listed", "http://snomed.info/sct", "271650006", CodeStanding.NotInSet)]
    public void A_code_stands_to_a_value_set_as_it_does(string valueSet, string system, string code, CodeStanding standing)
    {
        var validation = Service.Validate(Given.Url(valueSet), system, code);
        Assert.Equal(standing, validation.Standing);
        Assert.Equal(validation.IsMember, Service.IsMember(Given.Url(valueSet), system, code));
        Assert.Equal(validation.IsMember, Service.IsMember(Given.Url(valueSet), system.AsSpan(), code.AsSpan()));
    }

    [Theory]
    [InlineData(Given.Colours, "red", CodeStanding.InSet)]
    [InlineData(Given.Colours, "violet", CodeStanding.UnknownCode)]
    [InlineData("http://loinc.org", "8867-4", CodeStanding.SystemNotLoaded)]
    [InlineData("http://snomed.info/sct", "12345678", CodeStanding.UnknownCode)]
    [InlineData("https://example.org/nowhere", "x", CodeStanding.UnknownSystem)]
    [InlineData("urn:ietf:bcp:47", "de-CH", CodeStanding.InSet)]
    public void A_code_stands_to_its_system_as_it_does(string system, string code, CodeStanding standing) =>
        Assert.Equal(standing, Service.Validate(null, system, code).Standing);

    [Theory]
    [InlineData("Red", null, false)]
    [InlineData("red", null, false)]
    [InlineData("Rot", null, false)]
    [InlineData("Rot", "de", false)]
    [InlineData("Rot", "en", true)]
    [InlineData("Rouge", null, true)]
    [InlineData("Re d", null, true)]
    public void A_display_is_compared_with_those_of_the_concept(string display, string? languages, bool isWrong)
    {
        var validation = Service.Validate(Given.Url("warm"), Given.Colours, "red", display: display, languages: languages);
        Assert.Equal(CodeStanding.InSet, validation.Standing);
        Assert.Equal(isWrong, validation.DisplayIsWrong);
    }

    [Fact]
    public void The_system_of_a_bare_code_is_inferred_from_the_set()
    {
        Assert.Equal(CodeStanding.InSet, Service.Validate(Given.Url("warm"), null, "red").Standing);
        Assert.Equal(CodeStanding.NotInSet, Service.Validate(Given.Url("warm"), null, "blue").Standing);
    }

    [Fact]
    public void A_bare_code_may_be_one_of_a_system_that_is_not_loaded()
    {
        var service = Given.Service(
            Given.ValueSet("money", """{ "include": [ { "system": "urn:iso:std:iso:4217" } ] }"""),
            Given.ValueSet("open", $$"""{ "include": [ { "system": "{{Given.Colours}}" }, { "system": "https://example.org/nowhere" } ] }"""),
            Given.ValueSet("absent-import", """{ "include": [ { "valueSet": [ "https://example.org/ValueSet/absent" ] } ] }"""));
        Assert.Equal(CodeStanding.SystemNotLoaded, service.Validate(Given.Url("money"), null, "CHF").Standing);
        Assert.Equal(CodeStanding.NotInSet, service.Validate(Given.Url("money"), null, "Francs").Standing);
        Assert.Equal(CodeStanding.InSet, service.Validate(Given.Url("open"), null, "red").Standing);
        Assert.Equal(CodeStanding.UnknownSystem, service.Validate(Given.Url("open"), null, "violet").Standing);
        Assert.Null(service.Validate(Given.Url("absent-import"), null, "x").IsMember);
    }

    [Fact]
    public void Findings_say_where_and_have_codes()
    {
        var issues = Service.Validate(Given.Url("warm"), Given.Colours, "violet").Issues;
        Assert.Equal(["IOMT-0261", "IOMT-0262"], issues.Select(issue => issue.Code).Order());
        Assert.All(issues, issue => Assert.Equal("code", issue.Expression));
        Assert.All(issues, issue => Assert.Equal(IssueKind.CodeInvalid, issue.Kind));
    }

    [Fact]
    public void A_code_that_names_another_version_than_the_set_is_found_out()
    {
        var older = Given.ColourSystem.Replace("\"2.0.0\"", "\"1.0.0\"", StringComparison.Ordinal).Replace("\"blue\"", "\"azure\"", StringComparison.Ordinal);
        var service = Given.Service(older, Given.Including("old", ", \"version\": \"1.0.0\""), Given.Including("any", ", \"version\": \"x\""), Given.Including("all", ""));
        Assert.True(service.IsMember(Given.Url("old"), Given.Colours, "azure"));
        Assert.False(service.IsMember(Given.Url("all"), Given.Colours, "azure"));
        Assert.True(service.IsMember(Given.Url("all"), Given.Colours, "azure", version: "1.0.0"));
        Assert.True(service.IsMember(Given.Url("any"), Given.Colours, "blue"));
        Assert.Contains(service.Validate(Given.Url("old"), Given.Colours, "red", version: "2.0.0").Issues, issue => issue is { Code: "IOMT-0255", Severity: IssueSeverity.Error });
    }

    [Fact]
    public void A_fragment_does_not_make_an_unknown_code_wrong()
    {
        var fragment = Given.ColourSystem.Replace("\"complete\"", "\"fragment\"", StringComparison.Ordinal).Replace("/colours", "/some-colours", StringComparison.Ordinal);
        var service = Given.Service(fragment, Given.ValueSet("some", """{ "include": [ { "system": "https://example.org/CodeSystem/some-colours" } ] }"""));
        Assert.True(service.IsMember(Given.Url("some"), "https://example.org/CodeSystem/some-colours", "violet"));
        Assert.Null(service.TryList(Given.Url("some")));
    }

    [Fact]
    public void Letter_case_counts_only_where_the_system_says_so()
    {
        var insensitive = Given.ColourSystem.Replace("\"caseSensitive\": true", "\"caseSensitive\": false", StringComparison.Ordinal).Replace("/colours", "/shouted", StringComparison.Ordinal);
        var service = Given.Service(insensitive, Given.ValueSet("loud", """{ "include": [ { "system": "https://example.org/CodeSystem/shouted" } ] }"""), Given.Including("all", ""));
        Assert.True(service.IsMember(Given.Url("loud"), "https://example.org/CodeSystem/shouted", "RED"));
        Assert.False(service.IsMember(Given.Url("all"), Given.Colours, "RED"));
    }

    [Fact]
    public void Asking_a_compiled_set_allocates_nothing()
    {
        var valueSet = Given.Url("warm");
        Assert.True(Service.IsMember(valueSet, Given.Colours, "red"));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var time = 0; time < 1000; time++)
        {
            Service.IsMember(valueSet, Given.Colours.AsSpan(), "blue".AsSpan());
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Many_threads_get_the_same_answers_from_a_fresh_service()
    {
        var service = Given.Service(Given.Including("warm", """, "filter": [ { "property": "concept", "op": "is-a", "value": "warm" } ]"""));
        Parallel.For(0, 200, number => Assert.Equal(number % 2 == 0, service.IsMember(Given.Url("warm"), Given.Colours, number % 2 == 0 ? "crimson" : "blue")));
    }
}
