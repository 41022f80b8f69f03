using System.Text;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Tests.Profiles;

/// <summary>One resource, several readers: what meets our profile meets the vital sign of FHIR, or the sensor reading of the HL7 CGM guide, too.</summary>
public sealed class SharedShapeTests
{
    private const string Core = "http://hl7.org/fhir/StructureDefinition/";

    private static readonly Dictionary<string, string> VitalSignOf = new(StringComparer.Ordinal)
    {
        ["iomt-blood-pressure"] = "bp",
        ["iomt-bmi"] = "bmi",
        ["iomt-body-height"] = "bodyheight",
        ["iomt-body-temperature"] = "bodytemp",
        ["iomt-body-weight"] = "bodyweight",
        ["iomt-heart-rate"] = "heartrate",
        ["iomt-oxygen-saturation"] = "oxygensat",
        ["iomt-respiratory-rate"] = "resprate",
    };

    private static readonly ResourceValidator WithSensorReadings = new(ProfileCatalog.BuiltIn(FhirDefinitions.R4)
        .With([SensorReading("mass", "99504-3", "mg/dL", "mg/dl"), SensorReading("moles", "105272-9", "mmol/L", "mmol/l"), Chunk()]).Require());

    public static TheoryData<string> VitalSigns => [.. OwnProfiles.Valid.Where(file => VitalSignOf.ContainsKey(OwnProfiles.ProfileOf(file)))];

    public static TheoryData<string> Observations => [.. OwnProfiles.Valid.Where(file => OwnProfiles.Example(file).Root["resourceType"u8].TextEquals("Observation"u8))];

    public static TheoryData<string> SensorReadings => [.. OwnProfiles.Valid.Where(file => OwnProfiles.ProfileOf(file) == "iomt-cgm-reading")];

    public static TheoryData<string> SensorSeries => [.. OwnProfiles.Valid.Where(file => OwnProfiles.ProfileOf(file) == "iomt-cgm-series")];

    [Theory]
    [MemberData(nameof(VitalSigns))]
    public void A_vital_sign_of_ours_is_one_of_fhir(string file) =>
        Assert.Empty(Validated.Validator.Validate(Unclaimed(OwnProfiles.Example(file)), [Core + "vitalsigns", Core + VitalSignOf[OwnProfiles.ProfileOf(file)]]));

    [Fact]
    public void Every_vital_sign_derives_from_that_of_fhir() =>
        Assert.All(VitalSignOf, pair => Assert.Equal(Core + pair.Value, OwnProfiles.Read($"StructureDefinition-{pair.Key}.json").Root["baseDefinition"u8].AsString()));

    [Theory]
    [MemberData(nameof(Observations))]
    public void Every_reading_meets_the_profile_of_all_readings(string file) => Assert.Empty(Validated.Validator.Validate(OwnProfiles.Example(file), [OwnProfiles.Root + "iomt-observation"]));

    [Theory]
    [MemberData(nameof(SensorReadings))]
    public void A_sensor_reading_of_ours_is_one_of_the_hl7_guide(string file)
    {
        var reading = OwnProfiles.Example(file);
        var isMass = Encoding.UTF8.GetString(reading.Root["code"u8].RawSpan).Contains("99504-3", StringComparison.Ordinal);
        Assert.Empty(WithSensorReadings.Validate(reading, ["https://example.org/cgm/" + (isMass ? "mass" : "moles")]));
        Assert.Contains(WithSensorReadings.Validate(reading, ["https://example.org/cgm/" + (isMass ? "moles" : "mass")]), issue => issue.Refuses);
    }

    [Theory]
    [MemberData(nameof(SensorSeries))]
    public void A_sensor_series_of_ours_is_one_that_german_health_apps_read(string file) =>
        Assert.Empty(WithSensorReadings.Validate(OwnProfiles.Example(file), ["https://example.org/cgm/chunk"]));

    [Fact]
    public void A_sensor_reading_that_writes_its_unit_otherwise_is_ours_with_a_warning_and_not_the_guides()
    {
        var reading = Tree(Encoding.UTF8.GetString(OwnProfiles.Example("iomt-cgm-reading.mass.json").Utf8.Span).Replace("\"mg/dl\"", "\"mg/dL\"", StringComparison.Ordinal));
        var warning = Assert.Single(Validated.Validator.Validate(reading));
        Assert.Equal((IssueSeverity.Warning, "IOMT-0229"), (warning.Severity, warning.Code));
        Assert.Contains(WithSensorReadings.Validate(reading, ["https://example.org/cgm/mass"]), issue => issue.Code == "IOMT-0243");
    }

    // HL7 CGM 1.0.0, sensor reading by mass and by amount of substance: what the guide asks for, as facts.
    private static JsonTree SensorReading(string name, string loinc, string code, string unit) => Tree($$"""
        {"resourceType":"StructureDefinition","url":"https://example.org/cgm/{{name}}","name":"{{name}}","status":"draft","kind":"resource","abstract":false,"type":"Observation",
        "baseDefinition":"http://hl7.org/fhir/StructureDefinition/Observation","derivation":"constraint","differential":{"element":[
        {"id":"Observation","path":"Observation","constraint":[{"key":"c-1","severity":"error","human":"value or reason","expression":"value.exists() or dataAbsentReason.exists()"}]},
        {"id":"Observation.code","path":"Observation.code","patternCodeableConcept":{"coding":[{"system":"http://loinc.org","code":"{{loinc}}"} ] } },
        {"id":"Observation.subject","path":"Observation.subject","min":1},
        {"id":"Observation.effective[x]","path":"Observation.effective[x]","min":1,"type":[{"code":"dateTime"}]},
        {"id":"Observation.value[x]","path":"Observation.value[x]","type":[{"code":"Quantity"}],"patternQuantity":{"unit":"{{unit}}","system":"http://unitsofmeasure.org","code":"{{code}}"} } ] } }
        """);

    // gematik HDDT 1.0.1, continuous glucose measurement: a sampled series over a closed period.
    private static JsonTree Chunk() => Tree("""
        {"resourceType":"StructureDefinition","url":"https://example.org/cgm/chunk","name":"chunk","status":"draft","kind":"resource","abstract":false,"type":"Observation",
        "baseDefinition":"http://hl7.org/fhir/StructureDefinition/Observation","derivation":"constraint","differential":{"element":[
        {"id":"Observation.effective[x]","path":"Observation.effective[x]","min":1,"type":[{"code":"Period"}]},
        {"id":"Observation.effective[x].start","path":"Observation.effective[x].start","min":1},
        {"id":"Observation.effective[x].end","path":"Observation.effective[x].end","min":1},
        {"id":"Observation.value[x]","path":"Observation.value[x]","type":[{"code":"SampledData"}]},
        {"id":"Observation.device","path":"Observation.device","min":1}]}}
        """);

    private static JsonTree Unclaimed(JsonTree example)
    {
        var json = System.Text.Json.Nodes.JsonNode.Parse(example.Utf8.Span)!.AsObject();
        json.Remove("meta");
        return Tree(json.ToJsonString());
    }

    private static JsonTree Tree(string json) => JsonTree.Parse(Encoding.UTF8.GetBytes(json)).Require();
}
