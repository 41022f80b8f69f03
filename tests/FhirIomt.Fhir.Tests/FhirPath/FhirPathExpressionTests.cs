using System.Text;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.FhirPath;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Tests.FhirPath;

public sealed class FhirPathExpressionTests
{
    private const string Patient = """
        {"resourceType":"Patient","id":"p1","active":true,"birthDate":"1970-05-01","_birthDate":{"extension":[{"url":"urn:time","valueDateTime":"1970-05-01T10:00:00Z"}]},
         "name":[{"use":"official","family":"Muster","given":["Anna",null,"Maria"],"_given":[null,{"extension":[{"url":"urn:none","valueBoolean":true}]},{"id":"g3"}]},{"use":"old","family":"Beispiel"}],
         "contained":[{"resourceType":"Organization","id":"o","name":"Klinik"}],"managingOrganization":{"reference":"#o"},
         "generalPractitioner":[{"reference":"Practitioner/7"}],"multipleBirthInteger":2,"_gender":{"extension":[{"url":"urn:why","valueCode":"unknown"}]}}
        """;

    [Theory]
    [InlineData("Patient.name.given", "Anna,,Maria")]
    [InlineData("Resource.id", "p1")]
    [InlineData("Observation.id", "")]
    [InlineData("multipleBirth", "2")]
    [InlineData("multipleBirth is integer", "true")]
    [InlineData("multipleBirthInteger", "")]
    [InlineData("birthDate.extension('urn:time').value", "1970-05-01T10:00:00Z")]
    [InlineData("gender.hasValue()", "false")]
    [InlineData("gender.exists()", "true")]
    [InlineData("gender.extension.value", "unknown")]
    [InlineData("name.given[1].extension.url", "urn:none")]
    [InlineData("name.given[2].id", "g3")]
    [InlineData("name.given.where(hasValue()).count()", "2")]
    [InlineData("contained.ofType(Organization).name", "Klinik")]
    [InlineData("managingOrganization.resolve().name", "Klinik")]
    [InlineData("name.where(use = 'official').family", "Muster")]
    [InlineData("name.select(family & ', ' & given.first())", "Muster, Anna,Beispiel, ")]
    [InlineData("name.family.exists($this = 'Beispiel')", "true")]
    [InlineData("birthDate + 1 month", "1970-06-01")]
    [InlineData("birthDate < @1970-05-02", "true")]
    [InlineData("birthDate = @1970-05", "")]
    [InlineData("active and multipleBirth > 1", "true")]
    [InlineData("0.1 + 0.2 = 0.3", "true")]
    [InlineData("1.0000000000000000000000001 > 1", "true")]
    [InlineData("2147483647 + 1", "")]
    [InlineData("1 'kg' > 999 'g'", "true")]
    [InlineData("1 'kg' = 1 'm'", "")]
    [InlineData("{} and false", "false")]
    [InlineData("{} implies true", "true")]
    [InlineData("%resource.id", "p1")]
    [InlineData("%`ext-x`", "http://hl7.org/fhir/StructureDefinition/x")]
    [InlineData("name.repeat(given).count()", "3")]
    [InlineData("'a,b'.split(',').join('-')", "a-b")]
    [InlineData("descendants().ofType(code).where(hasValue())", "official,old,unknown")]
    [InlineData("type().name", "Patient")]
    [InlineData("(1 | 2 | 2).aggregate($total + $this, 0)", "3")]
    [InlineData("(1 | 2.5 | 3).sum()", "6.5")]
    [InlineData("(1 'g' | 500 'mg').sum()", "1.5 'g'")]
    [InlineData("(1 | 2).avg()", "1.5")]
    [InlineData("(3 | 1 | 2).min()", "1")]
    [InlineData("(@2020 | @2021).max()", "2021")]
    [InlineData("{}.sum()", "")]
    [InlineData("name.defineVariable('n').select(given.first() & '-' & %n.count().toString()).first()", "Anna-2")]
    [InlineData("defineVariable('a', 1).select(%a + 1)", "2")]
    [InlineData("defineVariable('a', 'x').select(%a) | defineVariable('a', 'y').select(%a)", "x,y")]
    [InlineData("name.all(defineVariable('n').select(%n.use.exists()))", "true")]
    public void Expressions_select_what_they_say(string expression, string expected) =>
        Assert.Equal(expected, string.Join(',', Compile(expression).Evaluate(Focus(), new FhirPathEnvironment()).Select(item => item.AsText() ?? "")));

    [Theory]
    [InlineData("name.", "IOMT-0300")]
    [InlineData("name.where(", "IOMT-0300")]
    [InlineData("'open", "IOMT-0300")]
    [InlineData("a b", "IOMT-0300")]
    [InlineData("name#", "IOMT-0300")]
    [InlineData("@2024-13", "IOMT-0300")]
    [InlineData("name.nothing()", "IOMT-0301")]
    [InlineData("name.where()", "IOMT-0302")]
    [InlineData("name is Nothing", "IOMT-0303")]
    public void What_cannot_be_read_is_refused_with_a_code(string expression, string code)
    {
        Assert.False(FhirPathExpression.Compile(expression, FhirDefinitions.R4).TryGetValue(out _, out var issues));
        Assert.Equal(code, Assert.Single(issues).Code);
    }

    [Theory]
    [InlineData("name.family = 'x' and name.family.single() = 'x'", "")]
    [InlineData("name.single()", "IOMT-0304")]
    [InlineData("name.family + 'x'", "IOMT-0304")]
    [InlineData("active > 1", "IOMT-0305")]
    [InlineData("%nothing", "IOMT-0306")]
    [InlineData("defineVariable('a').select(defineVariable('a'))", "IOMT-0305")]
    [InlineData("defineVariable('resource')", "IOMT-0305")]
    [InlineData("defineVariable('a').empty() or %a.exists()", "IOMT-0306")]
    [InlineData("'a'.matches('(')", "IOMT-0305")]
    [InlineData("'x'.memberOf('http://example.org/none')", "IOMT-0308")]
    public void What_cannot_be_evaluated_is_refused_with_a_code(string expression, string code) =>
        Assert.Equal(code, Compile(expression).TryEvaluate(Focus(), new FhirPathEnvironment()) is { Succeeded: false } refused ? refused.Issues[0].Code : "");

    [Fact]
    public void An_expression_without_end_is_stopped()
    {
        var environment = new FhirPathEnvironment { Limits = new FhirPathLimits(100_000, 10_000, TimeSpan.FromMilliseconds(50)) };
        foreach (var expression in new[] { "1.repeat($this + 1)", "('a' | 'b').repeat($this & 'x')", "'a'.repeat($this & $this)", "'aaaa'.repeat(replace('a', 'aaaa'))", "'aaaa'.repeat(replaceMatches('a', 'aaaa'))", "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('^(a+)+$')" })
        {
            Assert.Equal("IOMT-0307", Compile(expression).TryEvaluate(Focus(), environment) is { Succeeded: false } refused ? refused.Issues[0].Code : expression);
        }
    }

    [Fact]
    public void Deep_and_long_expressions_are_refused()
    {
        foreach (var expression in new[] { new string('(', 5000) + "1" + new string(')', 5000), string.Join('+', Enumerable.Repeat("1", 5000)), string.Join('.', Enumerable.Repeat("a", 5000)), new string('-', 5000) + "1", new string(' ', 30_000) })
        {
            Assert.False(FhirPathExpression.Compile(expression, FhirDefinitions.R4).Succeeded);
        }
    }

    [Fact]
    public void Resources_elsewhere_are_asked_for()
    {
        var practitioner = FhirPathItem.Resource(Parse("""{"resourceType":"Practitioner","id":"7","active":true}"""), FhirDefinitions.R4);
        var environment = new FhirPathEnvironment { Resolve = text => text == "Practitioner/7" ? practitioner : default };
        Assert.True(Compile("generalPractitioner.resolve() is Practitioner and generalPractitioner.resolve().active").IsTrue(Focus(), environment));
        Assert.True(Compile("generalPractitioner.where(resolve() is Practitioner).exists()").IsTrue(Focus(), new FhirPathEnvironment { ResolvesToType = true }));
        Assert.True(Compile("generalPractitioner.resolve().empty()").IsTrue(Focus(), new FhirPathEnvironment()));
    }

    [Theory]
    [InlineData("name.given1", 1)]
    [InlineData("name.where(givn = 'x').exists(famly = 'y')", 2)]
    [InlineData("Encounter.status", 1)]
    [InlineData("multipleBirthInteger > 1", 1)]
    [InlineData("children().first()", 1)]
    [InlineData("name.select(given | family).where(length() > 1)", 0)]
    [InlineData("name.repeat(given).id", 0)]
    [InlineData("contained.name | contact.name.family | birthDate.extension.value", 0)]
    [InlineData("(multipleBirth as integer) + 1", 0)]
    [InlineData("descendants().whatever", 0)]
    public void An_expression_can_be_checked_before_there_is_data(string expression, int findings)
    {
        var found = Compile(expression).Check(FhirDefinitions.R4.Type("Patient")!);
        Assert.Equal(findings, found.Count);
        Assert.All(found, issue => Assert.Equal("IOMT-0309", issue.Code));
    }

    [Fact]
    public void A_caller_may_add_functions()
    {
        var functions = new Dictionary<string, FhirPathHostFunction>(StringComparer.Ordinal) { ["fixture"] = (_, arguments) => [FhirPathItem.String(arguments[0][0].AsText() + "!")] };
        var expression = FhirPathExpression.Compile("fixture('a').length()", FhirDefinitions.R4, functions).Require();
        Assert.Equal("2", Assert.Single(expression.Evaluate(Focus(), new FhirPathEnvironment())).AsText());
    }

    [Fact]
    public void A_number_beyond_decimal_is_no_crash()
    {
        var observation = FhirPathItem.Resource(Parse("""{"resourceType":"Observation","valueQuantity":{"value":-1e245,"unit":"m","system":"http://unitsofmeasure.org","code":"m"}}"""), FhirDefinitions.R4);
        foreach (var expression in new[] { "value.value > 1", "value.value + 1", "value ~ 1 'cm'", "79228162514264337593543950335 'Ym' ~ 1 'nm'", "79228162514264337593543950335 'm' ~ 7.0 'cm'", "2147483647 'a'.toInteger()", "@9999-12-31 + 1 day", "@T10:00 + 99999999999999999999 hours" })
        {
            FhirPathExpression.Compile(expression, FhirDefinitions.R4).TryGetValue(out var compiled, out _);
            compiled?.TryEvaluate(observation, new FhirPathEnvironment());
        }

        Assert.Empty(Compile("value.value > 1").Evaluate(observation, new FhirPathEnvironment()));
        var less = FhirPathItem.Resource(Parse("""{"resourceType":"Observation","valueQuantity":{"value":5,"comparator":"<","unit":"m","system":"http://unitsofmeasure.org","code":"m"}}"""), FhirDefinitions.R4);
        Assert.Empty(Compile("value > 1 'm'").Evaluate(less, new FhirPathEnvironment()));
        Assert.True(Compile("value = value").IsTrue(less, new FhirPathEnvironment()));
    }

    [Fact]
    public void An_empty_answer_is_not_true_but_meets_an_invariant()
    {
        var absent = Compile("photo.title = 'x'");
        Assert.False(absent.IsTrue(Focus(), new FhirPathEnvironment()));
        Assert.True(absent.IsMet(Focus(), new FhirPathEnvironment()));
        Assert.False(Compile("active = false").IsMet(Focus(), new FhirPathEnvironment()));
    }

    [Fact]
    public void Now_comes_from_the_given_clock()
    {
        var environment = new FhirPathEnvironment { Clock = new StoppedClock() };
        Assert.Equal("2024-02-29", Compile("today()").Evaluate(Focus(), environment)[0].AsText());
        Assert.Equal("2024-02-29T12:30:00.000Z", Compile("now()").Evaluate(Focus(), environment)[0].AsText());
    }

    [Fact]
    public void Odd_json_selects_nothing_and_never_throws()
    {
        var odd = FhirPathItem.Resource(Parse("""{"resourceType":"Patient","name":"x","birthDate":5,"_birthDate":7,"contact":[[1]],"active":"yes","telecom":{"value":[]}}"""), FhirDefinitions.R4);
        foreach (var expression in new[] { "name.given", "birthDate.extension", "contact.name", "telecom.value.where($this = 'x')", "descendants().count() > 0", "active.not()" })
        {
            Compile(expression).TryEvaluate(odd, new FhirPathEnvironment());
        }
    }

    private static FhirPathItem Focus() => FhirPathItem.Resource(Parse(Patient), FhirDefinitions.R4);

    private static JsonTree Parse(string json) => JsonTree.Parse(Encoding.UTF8.GetBytes(json)).Require();

    private static FhirPathExpression Compile(string expression) => FhirPathExpression.Compile(expression, FhirDefinitions.R4).Require();

    private sealed class StoppedClock : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => new(2024, 2, 29, 12, 30, 0, TimeSpan.Zero);
    }
}
