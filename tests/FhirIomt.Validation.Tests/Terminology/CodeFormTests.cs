using FhirIomt.Validation.Terminology;
using FhirIomt.Validation.Terminology.CodeSystems;

namespace FhirIomt.Validation.Tests.Terminology;

public sealed class CodeFormTests
{
    private static readonly ExternalSystem External = new(null);

    [Theory]
    [InlineData("http://loinc.org", "8867-4", "Plausible")]
    [InlineData("http://loinc.org", "2708-6", "Plausible")]
    [InlineData("http://loinc.org", "LA6576-8", "Plausible")]
    [InlineData("http://loinc.org", "8867-3", "Malformed")]
    [InlineData("http://loinc.org", "LA6576", "Malformed")]
    [InlineData("http://loinc.org", "8867", "Malformed")]
    [InlineData("http://loinc.org", "-4", "Malformed")]
    [InlineData("http://loinc.org", "", "Malformed")]
    [InlineData("http://snomed.info/sct", "271649006", "Plausible")]
    [InlineData("http://snomed.info/sct", "271649007", "Malformed")]
    [InlineData("http://snomed.info/sct", "0271649006", "Malformed")]
    [InlineData("http://snomed.info/sct", "900000000000003001", "Plausible")]
    [InlineData("http://snomed.info/sct", "900000000000207007", "Malformed")]
    [InlineData("http://snomed.info/sct", "271649006 |Systolic|", "Plausible")]
    [InlineData("urn:iso:std:iso:11073:10101", "150456", "Valid")]
    [InlineData("urn:iso:std:iso:11073:10101", "999999999", "Plausible")]
    [InlineData("urn:iso:std:iso:11073:10101", "MDC_PULS_OXIM_SAT_O2", "Malformed")]
    [InlineData("http://unitsofmeasure.org", "anything", "Plausible")]
    [InlineData("urn:ietf:bcp:47", "zh-Hans-CN", "Valid")]
    [InlineData("urn:ietf:bcp:47", "not a tag", "Malformed")]
    [InlineData("urn:ietf:bcp:13", "application/fhir+json", "Valid")]
    [InlineData("urn:ietf:bcp:13", "text/plain; charset=utf-8", "Valid")]
    [InlineData("urn:ietf:bcp:13", "json", "Malformed")]
    [InlineData("urn:iso:std:iso:3166", "CH", "Plausible")]
    [InlineData("urn:iso:std:iso:3166", "ch", "Malformed")]
    [InlineData("urn:iso:std:iso:4217", "CHF", "Plausible")]
    [InlineData("urn:iso:std:iso:4217", "Francs", "Malformed")]
    public void The_form_of_a_code_tells_what_it_can(string system, string code, string form) => Assert.Equal(form, External.FormOf(system, code).ToString());

    [Fact]
    public void Of_a_system_that_nobody_knows_nothing_is_told() => Assert.Null(External.FormOf("https://example.org/x", "x"));

    [Theory]
    [InlineData("1.2.0", "1.2.0", true)]
    [InlineData("1.2.0", "1.x.x", true)]
    [InlineData("1.2.0", "1.x", true)]
    [InlineData("1.2.0", "1.2.*", true)]
    [InlineData("1.2.0", "1", false)]
    [InlineData("1.2.0", "1.2", false)]
    [InlineData("1.2.0", "2.x", false)]
    [InlineData("1", "1.x", false)]
    [InlineData(null, "x", false)]
    public void A_version_fits_itself_and_patterns(string? version, string asked, bool fits) => Assert.Equal(fits, VersionPattern.Fits(version, asked));

    [Theory]
    [InlineData("de", "de-CH", true)]
    [InlineData("en-AU", "en", true)]
    [InlineData("en;q=0.2, de", "de", true)]
    [InlineData("de;q=0", "de", false)]
    [InlineData("den", "de", false)]
    public void A_language_serves_a_range(string ranges, string language, bool serves) => Assert.Equal(serves, LanguageRanges.Parse(ranges)!.ServedBy(language));

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("de;q=2")]
    [InlineData("de;charset=x")]
    [InlineData("d")]
    public void What_is_no_list_of_languages_is_none(string text) => Assert.Null(LanguageRanges.Parse(text));
}
