namespace FhirIomt.Access.Tests;

/// <summary>Strict compartment (facts §9): only the element that says whom a resource is about opens anything.</summary>
public sealed class PatientCompartmentTests
{
    [Theory]
    [InlineData("""{"resourceType":"Patient","id":"pa"}""", "pa")]
    [InlineData("""{"resourceType":"Observation","subject":{"reference":"Patient/pa"}}""", "pa")]
    [InlineData("""{"resourceType":"Observation","subject":{"reference":"Patient/pa/_history/3"}}""", "pa")]
    [InlineData("""{"resourceType":"Observation","subject":{"reference":"Patient\/pa"}}""", "pa")]
    [InlineData("""{"resourceType":"Device","patient":{"reference":"Patient/pa"}}""", "pa")]
    [InlineData("""{"resourceType":"DeviceUseStatement","subject":{"reference":"Patient/pa"}}""", "pa")]
    [InlineData("""{"resourceType":"Coverage","beneficiary":{"reference":"Patient/pa"},"payor":[{"reference":"Patient/pb"}]}""", "pa")]
    [InlineData("""{"resourceType":"AllergyIntolerance","patient":{"reference":"Patient/pa"},"recorder":{"reference":"Patient/pb"}}""", "pa")]
    public void A_resource_belongs_to_whom_it_is_about(string json, string owner) => Assert.Equal(owner, OwnerOf(json));

    [Theory]
    [InlineData("""{"resourceType":"Observation","performer":[{"reference":"Patient/pa"}]}""")]
    [InlineData("""{"resourceType":"Observation","focus":[{"reference":"Patient/pa"}]}""")]
    [InlineData("""{"resourceType":"Observation","subject":{"reference":"Group/pa"}}""")]
    [InlineData("""{"resourceType":"Observation","subject":{"reference":"Device/pa"}}""")]
    [InlineData("""{"resourceType":"Observation","subject":{"reference":"https://elsewhere.example/fhir/Patient/pa"}}""")]
    [InlineData("""{"resourceType":"Observation","subject":{"reference":"patient/pa"}}""")]
    [InlineData("""{"resourceType":"Observation","subject":{"reference":"#pa"}}""")]
    [InlineData("""{"resourceType":"Observation","subject":{"reference":"urn:uuid:pa"}}""")]
    [InlineData("""{"resourceType":"Observation","subject":{"identifier":{"value":"pa"}}}""")]
    [InlineData("""{"resourceType":"Observation","subject":{"display":"Patient/pa"}}""")]
    [InlineData("""{"resourceType":"Observation"}""")]
    [InlineData("""{"resourceType":"Device"}""")]
    [InlineData("""{"resourceType":"Device","owner":{"reference":"Patient/pa"}}""")]
    [InlineData("""{"resourceType":"Group","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/pa"}}]}""")]
    [InlineData("""{"resourceType":"Provenance","target":[{"reference":"Patient/pa"}]}""")]
    public void Performers_links_and_references_to_elsewhere_open_nothing(string json) => Assert.Null(OwnerOf(json));

    [Fact]
    public void A_link_between_patients_is_not_followed() =>
        Assert.Equal("pb", OwnerOf("""{"resourceType":"Patient","id":"pb","link":[{"other":{"reference":"Patient/pa"},"type":"seealso"}]}"""));

    [Fact]
    public void Every_type_it_reaches_exists_in_R4()
    {
        Assert.True(PatientCompartment.Reaches("Device"));
        Assert.All(["Practitioner", "Organization", "Group", "Binary", "Subscription", "AuditEvent"], type => Assert.False(PatientCompartment.Reaches(type)));
    }

    private static string? OwnerOf(string json)
    {
        var root = Given.Resource(json).Root;
        return PatientCompartment.OwnerOf(root["resourceType"u8].AsString()!, root);
    }
}
