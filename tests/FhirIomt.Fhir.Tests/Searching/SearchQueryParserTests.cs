using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Fhir.Tests.Searching;

public sealed class SearchQueryParserTests
{
    private const string Base = "https://fhir.example.org/base";

    private static readonly SearchQueryParser Parser = new(new IndexPolicy(FhirDefinitions.R4), terminology: null, Base);

    [Theory]
    [InlineData("100", "99.5", "100.5")]
    [InlineData("5.40", "5.395", "5.405")]
    [InlineData("1e2", "50", "150")]
    [InlineData("-1.0", "-1.05", "-0.95")]
    public void A_number_covers_its_written_precision(string text, string low, string high)
    {
        var number = Assert.Single(Assert.IsType<SearchCriterion.Numbers>(Criterion("RiskAssessment", "probability", text)).Values);
        Assert.Equal((SearchPrefix.Equal, decimal.Parse(low, System.Globalization.CultureInfo.InvariantCulture), decimal.Parse(high, System.Globalization.CultureInfo.InvariantCulture)), (number.Prefix, number.Low, number.High));
    }

    [Theory]
    [InlineData("gt5.4|http://unitsofmeasure.org|mg", SearchPrefix.Greater, "http://unitsofmeasure.org", "mg")]
    [InlineData("5.4||mg", SearchPrefix.Equal, null, "mg")]
    [InlineData("ap5.4", SearchPrefix.Approximately, null, null)]
    [InlineData("le1|urn:x|", SearchPrefix.LessOrEqual, "urn:x", null)]
    public void A_quantity_has_a_prefix_and_perhaps_a_unit(string text, SearchPrefix prefix, string? system, string? code)
    {
        var quantity = Assert.Single(Assert.IsType<SearchCriterion.Quantities>(Criterion("Observation", "value-quantity", text)).Values);
        Assert.Equal((prefix, system, code), (quantity.Number.Prefix, quantity.System, quantity.Code));
    }

    [Fact]
    public void About_is_a_tenth_or_the_precision_whichever_is_wider()
    {
        Assert.Equal((90m, 110m), Number("ap100").Around);
        Assert.Equal((-110m, -90m), Number("ap-100").Around);
        Assert.Equal((0.5m, 1.5m), Number("ap1").Around);
        static NumberMatch Number(string text) => Assert.IsType<SearchCriterion.Numbers>(Criterion("RiskAssessment", "probability", text)).Values[0];
    }

    [Fact]
    public void Each_part_of_a_composite_is_read_by_its_own_type()
    {
        var pair = Assert.Single(Assert.IsType<SearchCriterion.Composites>(Criterion("Observation", "component-code-value-quantity", "http://loinc.org|8480-6$gt120||mm[Hg]")).Values);
        Assert.Equal(new TokenMatch("http://loinc.org", "8480-6"), Assert.IsType<SearchCriterion.Tokens>(pair[0]).Values[0]);
        Assert.Equal(SearchPrefix.Greater, Assert.IsType<SearchCriterion.Quantities>(pair[1]).Values[0].Number.Prefix);
    }

    [Fact]
    public void A_chain_spreads_over_the_targets_that_know_what_follows()
    {
        var chains = Assert.IsType<SearchCriterion.Or>(Criterion("Observation", "subject.name", "x")).Parts.Cast<SearchCriterion.Chain>().Select(chain => chain.TargetType);
        Assert.Equal(["Location", "Patient"], chains.Order(StringComparer.Ordinal));
        Assert.Equal("Patient", Assert.IsType<SearchCriterion.Chain>(Criterion("Observation", "patient.name", "x")).TargetType);
        var inner = Assert.IsType<SearchCriterion.Chain>(Assert.IsType<SearchCriterion.Chain>(Criterion("Observation", "subject:Patient.organization.name", "x")).Inner);
        Assert.Equal("Organization", inner.TargetType);
    }

    [Theory]
    [InlineData("p1", "Patient", "p1", null)]
    [InlineData("Patient/p1", "Patient", "p1", null)]
    [InlineData("Patient/p1/_history/3", "Patient", "p1/_history/3", null)]
    [InlineData("https://elsewhere.example/Patient/p1", null, null, "https://elsewhere.example/Patient/p1")]
    [InlineData("urn:uuid:1", null, null, "urn:uuid:1")]
    public void A_reference_is_an_id_a_type_and_id_a_version_or_an_address(string text, string? type, string? id, string? url) =>
        Assert.Equal([new ReferenceMatch(type, id, url)], Assert.IsType<SearchCriterion.References>(Criterion("Observation", "patient", text)).Values);

    [Fact]
    public void An_address_below_the_own_base_is_also_a_relative_one() =>
        Assert.Equal([new ReferenceMatch("Patient", "p1", null), new ReferenceMatch(null, null, Base + "/Patient/p1")], Assert.IsType<SearchCriterion.References>(Criterion("Observation", "patient", Base + "/Patient/p1")).Values);

    [Fact]
    public void A_code_may_be_named_with_the_system_that_its_binding_implies()
    {
        var tokens = Assert.IsType<SearchCriterion.Tokens>(Criterion("Observation", "status", "http://hl7.org/fhir/observation-status|final"));
        Assert.Contains(new TokenMatch("", "final"), tokens.Values);
        Assert.DoesNotContain(new TokenMatch("", "final"), Assert.IsType<SearchCriterion.Tokens>(Criterion("Observation", "status", "http://other|final")).Values);
    }

    [Theory]
    [InlineData("name eq \"Peter\"", "Strings")]
    [InlineData("name eq x and gender eq male", "And")]
    [InlineData("name eq x and gender eq male or birthdate ge 2014", "Or")]
    [InlineData("not (name co \"pe\\\"t\")", "Not")]
    [InlineData("( name sw a )", "Strings")]
    [InlineData("birthdate po 2014", "Dates")]
    [InlineData("gender ne male", "And")]
    [InlineData("organization pr true", "Missing")]
    [InlineData("organization re Organization/1", "References")]
    [InlineData("organization.name eq x", "Chain")]
    [InlineData("organization[type eq x].name eq y", "Chain")]
    [InlineData("general-practitioner:Practitioner.name eq x", "Chain")]
    public void A_filter_is_read(string filter, string kind)
    {
        var outcome = Parser.Parse("Patient", [new SearchArgument("_filter", filter)], lenient: false);
        Assert.True(outcome.Succeeded, string.Join(';', outcome.Issues));
        Assert.Equal(kind, Assert.Single(outcome.Require().Criteria).GetType().Name);
    }

    [Theory]
    [InlineData("name", "8")]
    [InlineData("name eq", "8")]
    [InlineData("name eq \"x", "9")]
    [InlineData("name eq x or", "13")]
    [InlineData("(name eq x", "11")]
    [InlineData("name eq x)", "10")]
    [InlineData("name gt x", "10")]
    [InlineData("name[gender eq x].y eq z", null)]
    [InlineData("nonsense eq x", null)]
    public void A_filter_that_cannot_be_read_says_where(string filter, string? column)
    {
        var issues = Parser.Parse("Patient", [new SearchArgument("_filter", filter)], lenient: true).Issues;
        Assert.NotEmpty(issues);
        Assert.True(column is null || issues[0].Message.Contains($"character {column}:", StringComparison.Ordinal) || issues[0].Message.Contains($"character {int.Parse(column, System.Globalization.CultureInfo.InvariantCulture) - 3}:", StringComparison.Ordinal), issues[0].Message);
    }

    [Fact]
    public void What_could_explode_is_limited_and_the_limit_is_said()
    {
        AssertTooMany("code", string.Join(',', Enumerable.Range(0, SearchLimits.MaxAlternatives + 1)), SearchLimits.MaxAlternatives);
        AssertTooMany("subject:Patient.link:Patient.link:Patient.link:Patient.link:Patient.link:Patient.name", "x", SearchLimits.MaxChainSteps);
        AssertTooMany("_filter", string.Concat(Enumerable.Repeat("(", 50)) + "code eq x" + new string(')', 50), SearchLimits.MaxFilterDepth);
        AssertTooMany("_filter", string.Join(" or ", Enumerable.Repeat("code eq x", SearchLimits.MaxCriteria + 1)), SearchLimits.MaxCriteria);

        static void AssertTooMany(string name, string value, int limit)
        {
            var issue = Assert.Single(Parser.Parse("Observation", [new SearchArgument(name, value)], lenient: false).Issues);
            Assert.Equal("IOMT-0703", issue.Code);
            Assert.Contains(limit.ToString(System.Globalization.CultureInfo.InvariantCulture), issue.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_fingerprint_follows_what_decides_the_matches_and_their_order()
    {
        var one = Query(("code", "x"), ("_count", "5"), ("_include", "Observation:subject"));
        Assert.Equal(one, Query(("_count", "7"), ("code", "x"), ("_cursor", "abc"), ("_total", "accurate")));
        Assert.NotEqual(one, Query(("code", "y")));
        Assert.NotEqual(one, Query(("code", "x"), ("_sort", "date")));
        static long Query(params (string Name, string Value)[] arguments) => Parser.Parse("Observation", [.. arguments.Select(argument => new SearchArgument(argument.Name, argument.Value))], lenient: false).Require().Fingerprint;
    }

    private static SearchCriterion Criterion(string type, string name, string value) => Parser.ParseCriterion(type, name, value).Require();
}
