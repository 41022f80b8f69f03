using FhirIomt.Fhir.Searching;

namespace FhirIomt.Access.Tests;

/// <summary>The scope grammar of SMART App Launch 2.2 §3.0.2: exact, never reinterpreted.</summary>
public sealed class SmartScopeTests
{
    [Theory]
    [InlineData("system/Observation.c", ScopeInteractions.Create)]
    [InlineData("system/Observation.r", ScopeInteractions.Read)]
    [InlineData("system/Observation.u", ScopeInteractions.Update)]
    [InlineData("system/Observation.d", ScopeInteractions.Delete)]
    [InlineData("system/Observation.s", ScopeInteractions.Search)]
    [InlineData("system/Observation.rs", ScopeInteractions.Read | ScopeInteractions.Search)]
    [InlineData("system/Observation.cud", ScopeInteractions.Create | ScopeInteractions.Update | ScopeInteractions.Delete)]
    [InlineData("system/Observation.cruds", ScopeInteractions.All)]
    [InlineData("system/Observation.read", ScopeInteractions.Read | ScopeInteractions.Search)]
    [InlineData("system/Observation.write", ScopeInteractions.Create | ScopeInteractions.Update | ScopeInteractions.Delete)]
    [InlineData("system/Observation.*", ScopeInteractions.All)]
    public void A_suffix_grants_exactly_its_interactions(string text, ScopeInteractions granted)
    {
        var scope = Given.Scope(text);
        Assert.Equal(granted, scope.Interactions);
        Assert.Equal((ScopeContext.System, "Observation", text), (scope.Context, scope.ResourceType, scope.Text));
    }

    [Fact]
    public void Every_ordered_subset_of_cruds_is_a_scope_and_no_other_order_is()
    {
        const string Letters = "cruds";
        for (var subset = 1; subset < 32; subset++)
        {
            var ordered = new string([.. Letters.Where((_, index) => (subset & (1 << index)) != 0)]);
            Assert.Equal((ScopeInteractions)subset, Given.Scope($"system/Patient.{ordered}").Interactions);
            var reversed = new string([.. ordered.Reverse()]);
            Assert.Equal(ordered.Length == 1, Given.IsScope($"system/Patient.{reversed}"));
        }
    }

    [Theory]
    [InlineData("system/Observation.dus")]
    [InlineData("system/Observation.rw")]
    [InlineData("system/Observation.sr")]
    [InlineData("system/Observation.rr")]
    [InlineData("system/Observation.rss")]
    [InlineData("system/Observation.")]
    [InlineData("system/Observation")]
    [InlineData("system/Observation.R")]
    [InlineData("system/Observation.READ")]
    [InlineData("system/Observation.reads")]
    [InlineData("system/Observation.rsXYZ")]
    [InlineData("system/Observation.rs.rs")]
    [InlineData("system/Observation.readwrite")]
    [InlineData("system/Observation.**")]
    [InlineData("system/*.r*")]
    [InlineData("system/observation.rs")]
    [InlineData("System/Observation.rs")]
    [InlineData("Patient/Observation.rs")]
    [InlineData("PATIENT/*.rs")]
    [InlineData("system/Observations.rs")]
    [InlineData("system/Obs*.rs")]
    [InlineData("system/.rs")]
    [InlineData("system/Resource.rs")]
    [InlineData("system/DomainResource.rs")]
    [InlineData("system/HumanName.rs")]
    [InlineData("system//Observation.rs")]
    [InlineData("/Observation.rs")]
    [InlineData("system.Observation/rs")]
    [InlineData("*/Observation.rs")]
    [InlineData("openid")]
    [InlineData("launch/patient")]
    [InlineData("__operator")]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("/")]
    [InlineData("/.")]
    [InlineData(" system/Observation.rs")]
    [InlineData("system/Observation.rs ")]
    [InlineData("system/Observation.rs\n")]
    [InlineData("system/Observation.rs\0")]
    [InlineData("system/Observation.r\u0455")]
    public void Abuse_57_what_is_not_exactly_a_scope_is_refused(string text) => Assert.False(Given.IsScope(text));

    [Theory]
    [InlineData("system/Observation.r?")]
    [InlineData("system/Observation.rs?category")]
    [InlineData("system/Observation.rs?category=")]
    [InlineData("system/Observation.rs?=vital-signs")]
    [InlineData("system/Observation.rs?category=a&")]
    [InlineData("system/Observation.rs?&category=a")]
    [InlineData("system/Observation.rs?category=a?x=b")]
    [InlineData("system/Observation.rs??category=a")]
    [InlineData("system/Observation.rs?category=a,")]
    [InlineData("system/Observation.rs?category=|")]
    [InlineData("system/Observation.rs?category=a|b|c")]
    [InlineData("system/Observation.rs?category=a\nsystem/*.rs")]
    [InlineData("system/Observation.rs?category=\u0430")]
    [InlineData("system/*.rs?category=vital-signs")]
    [InlineData("system/Patient.rs?category=vital-signs")]
    public void Abuse_57_broken_parameters_are_refused_never_cut_off(string text) => Assert.False(Given.IsScope(text));

    [Theory]
    [InlineData("category:in=http://example.org/vs")]
    [InlineData("category:not=laboratory")]
    [InlineData("category:missing=true")]
    [InlineData("category%3Anot=laboratory")]
    [InlineData("subject.name=Chalmers")]
    [InlineData("patient=1")]
    [InlineData("subject:Patient.identifier=1")]
    [InlineData("_has:Observation:patient:code=1")]
    [InlineData("_id=1")]
    [InlineData("_filter=code eq 1")]
    [InlineData("_include=Observation:subject")]
    [InlineData("date=gt2020")]
    [InlineData("Category=vital-signs")]
    [InlineData("category=vital-signs&category:not=laboratory")]
    public void Modifiers_chains_and_other_parameters_are_refused_at_grant_time(string query) => Assert.False(Given.IsScope("system/Observation.rs?" + query));

    [Theory]
    [InlineData("category=vital-signs", null, "vital-signs")]
    [InlineData("category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs", "http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs")]
    [InlineData("category=http://terminology.hl7.org/CodeSystem/observation-category%7Cvital-signs", "http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs")]
    [InlineData("code=http://loinc.org%7C8867-4", "http://loinc.org", "8867-4")]
    [InlineData("category=a%26b", null, "a&b")]
    [InlineData("category=a+b", null, "a+b")]
    [InlineData("category=a%5C,b", null, "a,b")]
    [InlineData("category=|local", "", "local")]
    [InlineData("category=http://loinc.org|", "http://loinc.org", null)]
    public void A_granular_parameter_is_one_token(string query, string? system, string? code)
    {
        var criterion = Assert.IsType<SearchCriterion.Tokens>(Assert.Single(Given.Scope("system/Observation.rs?" + query).Criteria));
        Assert.Equal([new TokenMatch(system, code)], criterion.Values);
        Assert.False(criterion.Negated);
    }

    [Fact]
    public void Commas_are_alternatives_and_ampersands_are_conditions()
    {
        var criteria = Given.Scope("system/Observation.rs?category=vital-signs,activity&status=final").Criteria;
        Assert.Equal(2, criteria.Count);
        Assert.Equal(["vital-signs", "activity"], ((SearchCriterion.Tokens)criteria[0]).Values.Select(value => value.Code));
        Assert.Equal("status", criteria[1].Parameter?.Code);
    }

    [Theory]
    [InlineData("code=8867-4")]
    [InlineData("status=final")]
    [InlineData("_security=http://terminology.hl7.org/CodeSystem/v3-Confidentiality|N")]
    [InlineData("_tag=demo")]
    public void Parameters_that_are_exact_on_one_resource_are_taken(string query) => Assert.True(Given.IsScope("system/Observation.rs?" + query));

    [Fact]
    public void Abuse_56_a_hundred_kilobytes_of_scope_are_refused_with_a_short_message()
    {
        var outcome = SmartScope.Parse("system/Observation.rs?category=" + string.Concat(Enumerable.Repeat("a,", 50_000)), Given.Policy);
        Assert.False(outcome.Succeeded);
        Assert.All(outcome.Issues, issue => Assert.InRange(issue.Message.Length, 1, 300));
    }

    [Fact]
    public void A_wildcard_covers_every_type_and_a_type_only_itself()
    {
        Assert.All(Given.Policy.Definitions.ResourceTypes, type => Assert.True(Given.Scope("system/*.rs").Covers(type)));
        Assert.Equal(["Device"], Given.Policy.Definitions.ResourceTypes.Where(Given.Scope("system/Device.rs").Covers));
    }
}
