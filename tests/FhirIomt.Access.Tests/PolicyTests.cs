using System.Text;
using FhirIomt.Access.Consents;
using FhirIomt.Access.Policies;

namespace FhirIomt.Access.Tests;

/// <summary>The policies file: what it may say, and that each mistake is told with its key.</summary>
public sealed class PolicyTests
{
    private const string Rest = "\"patient\":{},\"operator\":{},\"vendor\":{},\"client\":{}";

    [Fact]
    public void The_policies_that_are_compiled_in_can_be_read_and_give_operators_and_vendors_no_patients()
    {
        var policies = AccessPolicies.Default(Given.Policy);
        Assert.Empty(policies.For(UserRole.Operator).Patients);
        Assert.Empty(policies.For(UserRole.Vendor).Types);
        Assert.DoesNotContain(policies.For(UserRole.Operator).Types.Keys, PatientCompartment.Reaches);
        Assert.Equal(["{fhirUser}"], policies.For(UserRole.Patient).Patients);
    }

    [Theory]
    [InlineData("{}", "clinician", "IOMT-0881")]
    [InlineData("{\"doctor\":{}}", "doctor", "IOMT-0880")]
    [InlineData("{\"clinician\":{\"patient\":[]}}", "clinician.patient", "IOMT-0880")]
    [InlineData("{\"clinician\":{\"patients\":[\"Observation?subject=x\"]}}", "clinician.patients[0]", "IOMT-0883")]
    [InlineData("{\"clinician\":{\"patients\":[\"{fhirUser}\",\"Patient?name=x\"]}}", "clinician.patients[1]", "IOMT-0883")]
    [InlineData("{\"clinician\":{\"patients\":[\"CareTeam?colour=red\"]}}", "clinician.patients[0]", "IOMT-0883")]
    [InlineData("{\"clinician\":{\"confidentiality\":\"secret\"}}", "clinician.confidentiality", "IOMT-0882")]
    [InlineData("{\"clinician\":{\"types\":{\"Gadget\":{\"interactions\":\"rs\",\"of\":\"all\"}}}}", "clinician.types.Gadget", "IOMT-0882")]
    [InlineData("{\"clinician\":{\"types\":{\"Patient\":{\"interactions\":\"sr\",\"of\":\"all\"}}}}", "clinician.types.Patient.interactions", "IOMT-0882")]
    [InlineData("{\"clinician\":{\"types\":{\"*\":{\"interactions\":\"rs\",\"of\":\"all\"}}}}", "clinician.types.*.of", "IOMT-0882")]
    [InlineData("{\"clinician\":{\"types\":{\"Patient\":{\"interactions\":\"rs\"}}}}", "clinician.types.Patient.of", "IOMT-0882")]
    [InlineData("{\"clinician\":{\"types\":{\"Observation\":{\"interactions\":\"rs\",\"of\":\"all\",\"where\":\"subject.name=x\"}}}}", "clinician.types.Observation.where", "IOMT-0883")]
    [InlineData("{\"clinician\":{\"types\":{\"Observation\":{\"interactions\":\"rs\",\"of\":\"all\",\"where\":\"category:not=x\"}}}}", "clinician.types.Observation.where", "IOMT-0883")]
    public void A_mistake_is_told_with_its_key(string json, string key, string code)
    {
        var outcome = AccessPolicies.Read(Encoding.UTF8.GetBytes(json), Given.Policy);
        Assert.False(outcome.Succeeded);
        Assert.Contains(outcome.Issues, issue => issue.Expression == key && issue.Code == code);
    }

    [Fact]
    public void A_where_holds_together_with_the_patients()
    {
        var json = "{\"clinician\":{\"types\":{\"Observation\":{\"interactions\":\"rs\",\"of\":\"patients\",\"where\":\"performer={fhirUser}\"}}}," + Rest + "}";
        var policy = AccessPolicies.Read(Encoding.UTF8.GetBytes(json), Given.Policy).Require().For(UserRole.Clinician);
        var rules = new AccessRules { Policy = policy.Bind("Practitioner/7", new Fhir.Searching.SearchQueryParser(Given.Policy)), Patients = PatientSet.Of(["pa"]) };
        var scope = Given.Token("user/*.cruds") with { User = new AccessUser("u", UserRole.Clinician, "Practitioner/7") };
        scope = scope.By(rules);
        Assert.True(Permits(scope, "pa", "Practitioner/7"));
        Assert.False(Permits(scope, "pa", "Practitioner/8"));
        Assert.False(Permits(scope, "pb", "Practitioner/7"));
        Assert.IsType<AccessPredicate.Nothing>(scope.PredicateFor("Observation", ScopeInteractions.Create));
        Assert.IsType<AccessPredicate.Nothing>(scope.PredicateFor("Condition", ScopeInteractions.Read));
        Assert.IsType<AccessPredicate.Nothing>(scope.By(rules with { Policy = policy.Bind(null, new Fhir.Searching.SearchQueryParser(Given.Policy)) }).PredicateFor("Observation", ScopeInteractions.Read));
    }

    [Fact]
    public void Equal_refusals_of_many_patients_are_one_condition()
    {
        var caller = new ConsentCaller("app", null, null, null, PatientSet.Empty);
        var reading = new ConsentReading(caller, DateTimeOffset.UnixEpoch);
        string Text(string patient) => reading.Withheld(ConsentRule.Read(Given.Resource($$"""
            {"resourceType":"Consent","id":"{{patient}}","status":"active","scope":{"coding":[{"code":"patient-privacy"}]},"patient":{"reference":"Patient/{{patient}}"},
             "provision":{"type":"deny","securityLabel":[{"system":"s","code":"PSY"}]} }
            """).Root, null)!).Text;
        Assert.Equal(Text("pa"), Text("pb"));
        Assert.NotEqual(ConsentCondition.True.Text, Text("pa"));
    }

    private static bool Permits(AccessScope scope, string patient, string performer) =>
        new LeavingCheck(Given.Indexer).Permits(scope.PredicateFor("Observation", ScopeInteractions.Read), "Observation", Given.Resource($$"""
            {"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/{{patient}}"},"performer":[{"reference":"{{performer}}"}]}
            """));
}
