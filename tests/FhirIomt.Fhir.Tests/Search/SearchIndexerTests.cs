using System.Text;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.Tests.Search;

public sealed class SearchIndexerTests
{
    private const string BloodPressure = """
        {"resourceType":"Observation","id":"bp1",
         "meta":{"lastUpdated":"2024-03-01T10:00:00.5Z","profile":["http://hl7.org/fhir/StructureDefinition/bp"],"tag":[{"system":"urn:t","code":"x"}],"source":"urn:gateway:1"},
         "identifier":[{"system":"urn:key","value":"k-1"}],
         "status":"final",
         "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs","display":"Vital Signs"}]}],
         "code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}],"text":"Blood pressure"},
         "subject":{"reference":"Patient/p1"},
         "device":{"reference":"https://fhir.example.org/base/Device/d1/_history/3"},
         "performer":[{"reference":"https://other.example.org/Practitioner/7"},{"reference":"#x"},{"type":"Practitioner","identifier":{"system":"urn:npi","value":"9"}}],
         "effectiveDateTime":"2024-03-01T10:00:00+01:00",
         "component":[
          {"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":120.0,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}},
          {"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"valueQuantity":{"value":80,"comparator":"<","unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}},
          {"code":{"coding":[{"system":"http://loinc.org","code":"8478-0"}]},"dataAbsentReason":{"text":"unknown"}}]}
        """;

    private static readonly SearchIndexer Indexer = new(FhirDefinitions.R4, "https://fhir.example.org/base");

    [Fact]
    public void Tokens_carry_system_code_and_display()
    {
        Assert.Equal([("http://loinc.org", "85354-9", "Blood pressure")], Tokens(BloodPressure, "code"));
        Assert.Equal([("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs", "Vital Signs")], Tokens(BloodPressure, "category"));
        Assert.Equal([(null, "final", null)], Tokens(BloodPressure, "status"));
        Assert.Equal([(null, "bp1", null)], Tokens(BloodPressure, "_id"));
        Assert.Equal([("urn:t", "x", null)], Tokens(BloodPressure, "_tag"));
        Assert.True(Assert.IsType<IndexValue.Token>(Assert.Single(Values(BloodPressure, "identifier"))).IsIdentifier);
        Assert.Equal([(null, "", "unknown")], Tokens(BloodPressure, "component-data-absent-reason"));
    }

    [Fact]
    public void Tokens_that_are_strings_have_no_case_and_ids_and_codes_have()
    {
        const string Definition = """{"resourceType":"StructureDefinition","id":"Us","status":"draft","version":"1.0-Beta","type":"Patient","snapshot":{"element":[{"path":"Patient.birthDate"}]}}""";
        Assert.Equal([(null, "1.0-beta", null)], Tokens(Definition, "version"));
        Assert.Equal([(null, "patient.birthdate", null)], Tokens(Definition, "path"));
        Assert.Equal([(null, "Us", null)], Tokens(Definition, "_id"));
        Assert.Equal([(null, "F17", null)], Tokens("""{"resourceType":"SearchParameter","code":"F17"}""", "code"));
    }

    [Fact]
    public void Dates_cover_their_precision_in_utc()
    {
        var date = Assert.IsType<IndexValue.Date>(Assert.Single(Values(BloodPressure, "date")));
        Assert.Equal(new DateTimeOffset(2024, 3, 1, 9, 0, 0, TimeSpan.Zero), date.Start);
        Assert.Equal(date.Start.AddSeconds(1), date.End);
        var updated = Assert.IsType<IndexValue.Date>(Assert.Single(Values(BloodPressure, "_lastUpdated")));
        Assert.Equal(TimeSpan.FromMilliseconds(100), updated.End - updated.Start);
    }

    [Fact]
    public void References_are_taken_apart()
    {
        Assert.Equal([("Patient", "p1", null)], References(BloodPressure, "subject"));
        Assert.Equal([("Patient", "p1", null)], References(BloodPressure, "patient"));
        Assert.Equal([("Device", "d1", null)], References(BloodPressure, "device"));
        Assert.Equal([("Practitioner", null, "https://other.example.org/Practitioner/7"), ("Practitioner", null, null)], References(BloodPressure, "performer"));
        var logical = Values(BloodPressure, "performer").Cast<IndexValue.Reference>().Last();
        Assert.Equal(("urn:npi", "9"), (logical.IdentifierSystem, logical.IdentifierValue));
        Assert.Equal("3", Assert.IsType<IndexValue.Reference>(Assert.Single(Values(BloodPressure, "device"))).Version);
        Assert.Empty(References(BloodPressure.Replace("Patient/p1", "Group/p1", StringComparison.Ordinal), "patient"));
    }

    [Fact]
    public void Quantities_cover_their_precision_and_comparators()
    {
        var quantities = Values(BloodPressure, "component-value-quantity").Cast<IndexValue.Quantity>().ToList();
        Assert.Equal((120.0m, 119.95m, 120.05m), (quantities[0].Value, quantities[0].Low, quantities[0].High));
        Assert.Equal(("http://unitsofmeasure.org", "mm[Hg]", "mmHg"), (quantities[0].System, quantities[0].Code, quantities[0].Unit));
        Assert.Equal((null, decimal.MinValue, 80m), (quantities[1].Value, quantities[1].Low, quantities[1].High));
    }

    [Fact]
    public void A_composite_has_one_value_per_repetition_that_has_all_components()
    {
        var composites = Values(BloodPressure, "component-code-value-quantity").Cast<IndexValue.Composite>().ToList();
        Assert.Equal(2, composites.Count);
        Assert.Equal("8480-6", Assert.IsType<IndexValue.Token>(composites[0].Parts[0][0]).Code);
        Assert.Equal(120.0m, Assert.IsType<IndexValue.Quantity>(composites[0].Parts[1][0]).Value);
        Assert.Empty(Values(BloodPressure, "code-value-quantity"));
        Assert.Equal(2, Values(BloodPressure, "combo-code-value-quantity").Count);
    }

    [Fact]
    public void Uris_are_kept_whole()
    {
        Assert.Equal("http://hl7.org/fhir/StructureDefinition/bp", Assert.IsType<IndexValue.Uri>(Assert.Single(Values(BloodPressure, "_profile"))).Value);
        Assert.Equal("urn:gateway:1", Assert.IsType<IndexValue.Uri>(Assert.Single(Values(BloodPressure, "_source"))).Value);
    }

    [Fact]
    public void Names_addresses_and_telecoms_are_found_by_part()
    {
        const string Patient = """
            {"resourceType":"Patient","id":"p","active":true,"birthDate":"1970-05","name":[{"family":"Muster","given":["Anna","Maria"],"use":"official"},{"family":"Muster"}],
             "telecom":[{"system":"email","value":"a@example.org"},{"system":"phone","value":"123"}],"address":[{"line":["Weg 1"],"city":"Ulm","period":{"start":"2020"}}]}
            """;
        Assert.Equal(["Muster", "Anna", "Maria"], Values(Patient, "name").Cast<IndexValue.Text>().Select(text => text.Value));
        Assert.Equal(["Weg 1", "Ulm"], Values(Patient, "address").Cast<IndexValue.Text>().Select(text => text.Value));
        Assert.Equal([(null, "a@example.org", null)], Tokens(Patient, "email"));
        Assert.Equal([(null, "true", null)], Tokens(Patient, "active"));
        Assert.Equal([(null, "false", null)], Tokens(Patient, "deceased"));
        Assert.Equal([(null, "true", null)], Tokens(Patient.Replace("\"active\":true", "\"deceasedDateTime\":\"2020\"", StringComparison.Ordinal), "deceased"));
    }

    [Fact]
    public void Periods_may_be_open_and_timings_count_by_their_outer_limits()
    {
        const string Encounter = """{"resourceType":"Encounter","period":{"start":"2024-01-02"}}""";
        var open = Assert.IsType<IndexValue.Date>(Assert.Single(Values(Encounter, "date")));
        Assert.Equal((new DateTimeOffset(2024, 1, 2, 0, 0, 0, TimeSpan.Zero), DateTimeOffset.MaxValue), (open.Start, open.End));
        const string Timing = """{"resourceType":"ServiceRequest","occurrenceTiming":{"event":["2025","2023"],"repeat":{"boundsPeriod":{"start":"2024","end":"2027-06"}}}}""";
        var whole = Assert.IsType<IndexValue.Date>(Assert.Single(Values(Timing, "occurrence")));
        Assert.Equal((new DateTimeOffset(2023, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2027, 7, 1, 0, 0, 0, TimeSpan.Zero)), (whole.Start, whole.End));
        Assert.Empty(Values("""{"resourceType":"ServiceRequest","occurrenceTiming":{"repeat":{"frequency":1,"period":1,"periodUnit":"d"}}}""", "occurrence"));
    }

    [Fact]
    public void An_unknown_type_or_odd_data_finds_nothing()
    {
        Assert.Empty(Indexer.Extract(Parse("""{"resourceType":"Nothing","id":"1"}""")));
        Assert.Empty(Indexer.Extract(Parse("[]")));
        Assert.Single(Indexer.Extract(Parse("""{"resourceType":"Observation","id":"1","subject":5,"code":[],"component":"x","effectiveDateTime":"soon","valueQuantity":{"value":"a"}}""")));
    }

    [Fact]
    public void Only_the_asked_parameters_are_extracted()
    {
        var only = FhirDefinitions.R4.SearchParameter("Observation", "status")!;
        Assert.Same(only, Assert.Single(Indexer.Extract(Parse(BloodPressure), [only])).Parameter);
    }

    private static JsonTree Parse(string json) => JsonTree.Parse(Encoding.UTF8.GetBytes(json)).Require();

    private static List<IndexValue> Values(string json, string code) => [.. Indexer.Extract(Parse(json)).Where(value => value.Parameter.Code == code)];

    private static IEnumerable<(string?, string, string?)> Tokens(string json, string code) =>
        Values(json, code).Cast<IndexValue.Token>().Select(token => (token.System, token.Code, token.Texts.Count > 0 ? token.Texts[0] : null));

    private static IEnumerable<(string?, string?, string?)> References(string json, string code) =>
        Values(json, code).Cast<IndexValue.Reference>().Select(reference => (reference.Type, reference.Id, reference.Url));
}
