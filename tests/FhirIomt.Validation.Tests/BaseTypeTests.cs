using FhirIomt.Core;

namespace FhirIomt.Validation.Tests;

public sealed class BaseTypeTests
{
    [Theory]
    [InlineData("""{"resourceType":"Patient","active":true}""")]
    [InlineData("""{"resourceType":"Patient","birthDate":"1970-02","_birthDate":{"extension":[{"url":"http://e.org/x","valueBoolean":true}]}}""")]
    [InlineData("""{"resourceType":"Patient","_birthDate":{"extension":[{"url":"http://e.org/x","valueBoolean":true}]}}""")]
    [InlineData("""{"resourceType":"Patient","name":[{"given":["A",null],"_given":[null,{"extension":[{"url":"http://e.org/x","valueCode":"y"}]}]}]}""")]
    [InlineData("""{"resourceType":"Patient","managingOrganization":{"reference":"#o"},"contained":[{"resourceType":"Organization","id":"o","name":"O"}]}""")]
    [InlineData("""{"resourceType":"Patient","generalPractitioner":[{"reference":"https://e.org/fhir/Organization/1/_history/2"},{"reference":"urn:uuid:0d4f3c2e-8a55-4c0e-9c6d-6f1f0f7a2b11"}]}""")]
    [InlineData("""{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:0d4f3c2e-8a55-4c0e-9c6d-6f1f0f7a2b11","resource":{"resourceType":"Patient"}}]}""")]
    [InlineData("""{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>A &amp; B<br/></p></div>"}}""")]
    [InlineData("""{"resourceType":"Patient","contact":[{"period":{"start":"2020","end":"2020-03-01"},"name":{"text":"x"}}]}""")]
    public void Valid_resources_have_no_errors(string json) => Assert.Empty(Validated.Errors(json));

    [Theory]
    [InlineData("""{"resourceType":"Pateint"}""", "IOMT-0210 Pateint")]
    [InlineData("""{"active":true}""", "IOMT-0210 Resource")]
    [InlineData("""{"resourceType":"Patient","colour":"red"}""", "IOMT-0211 Patient")]
    [InlineData("""{"resourceType":"Patient","_name":[{}]}""", "IOMT-0211 Patient")]
    [InlineData("""{"resourceType":"Patient","active":"true"}""", "IOMT-0212 Patient.active")]
    [InlineData("""{"resourceType":"Patient","name":["Ann"]}""", "IOMT-0212 Patient.name[0]")]
    [InlineData("""{"resourceType":"Patient","gender":["male"]}""", "IOMT-0213 Patient.gender")]
    [InlineData("""{"resourceType":"Patient","name":{"family":"A"}}""", "IOMT-0214 Patient.name")]
    [InlineData("""{"resourceType":"Patient","name":[]}""", "IOMT-0215 Patient.name")]
    [InlineData("""{"resourceType":"Patient","name":[{"id":"a"}]}""", "IOMT-0215 Patient.name[0]")]
    [InlineData("""{"resourceType":"Patient","birthDate":null}""", "IOMT-0216 Patient.birthDate")]
    [InlineData("""{"resourceType":"Patient","name":[{"given":["A",null]}]}""", "IOMT-0216 Patient.name[0].given[1]")]
    [InlineData("""{"resourceType":"Patient","birthDate":"1970-02-30"}""", "IOMT-0217 Patient.birthDate")]
    [InlineData("""{"resourceType":"Patient","multipleBirthInteger":2.0}""", "IOMT-0217 Patient.multipleBirth.ofType(integer)")]
    [InlineData("""{"resourceType":"Patient","language":""}""", "IOMT-0218 Patient.language")]
    [InlineData("""{"resourceType":"Patient","name":[{"given":["A"],"_given":{"id":"x"}}]}""", "IOMT-0219 Patient.name[0].given")]
    [InlineData("""{"resourceType":"Patient","deceasedBoolean":true,"deceasedDateTime":"2020"}""", "IOMT-0220 Patient.deceased.ofType(dateTime)")]
    [InlineData("""{"resourceType":"Patient","link":[{"type":"seealso"}]}""", "IOMT-0221 Patient.link[0]")]
    [InlineData("""{"resourceType":"Patient","gender":"m"}""", "IOMT-0223 Patient.gender")]
    [InlineData("""{"resourceType":"Patient","managingOrganization":{"reference":"Patient/1"}}""", "IOMT-0225 Patient.managingOrganization")]
    [InlineData("""{"resourceType":"Patient","managingOrganization":{"reference":"Clinic/1"}}""", "IOMT-0226 Patient.managingOrganization")]
    [InlineData("""{"resourceType":"Patient","managingOrganization":{"reference":"#o"}}""", "IOMT-0227 Patient.managingOrganization")]
    [InlineData("""{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o","name":"O"}]}""", "IOMT-0228 Patient.contained[0]")]
    [InlineData("""{"resourceType":"Patient","contact":[{"gender":"male"}]}""", "IOMT-0228 Patient.contact[0]")]
    [InlineData("""{"resourceType":"Patient","identifier":[{"period":{"start":"2021-01-02","end":"2021-01-01"},"value":"x"}]}""", "IOMT-0228 Patient.identifier[0].period")]
    [InlineData("""{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:0d4f3c2e-8a55-4c0e-9c6d-6f1f0f7a2b11","resource":{"resourceType":"Patient","gender":"m"}}]}""", "IOMT-0223 Bundle.entry[0].resource.gender")]
    public void A_fault_has_its_code_and_its_place(string json, string expected) => Assert.Equal([expected], Validated.Errors(json));

    [Theory]
    [InlineData("""<div xmlns='http://www.w3.org/1999/xhtml'><script>x</script></div>""")]
    [InlineData("""<div xmlns='http://www.w3.org/1999/xhtml'><p onclick='x'>a</p></div>""")]
    [InlineData("""<div xmlns='http://www.w3.org/1999/xhtml'><a href='java&#115;cript:x'>a</a></div>""")]
    [InlineData("""<div xmlns='http://www.w3.org/1999/xhtml'><p>a</div>""")]
    [InlineData("""<div xmlns='http://www.w3.org/1999/xhtml'> </div>""")]
    [InlineData("""<div xmlns='http://www.w3.org/1999/xhtml'>a</div><div xmlns='http://www.w3.org/1999/xhtml'>b</div>""")]
    [InlineData("""<div>a</div>""")]
    [InlineData("""<div xmlns='http://www.w3.org/1999/xhtml'>a & b</div>""")]
    [InlineData("""<div xmlns='http://www.w3.org/1999/xhtml'>a""")]
    [InlineData("""<div xmlns='http://www.w3.org/1999/xhtml'""")]
    [InlineData("""<p>a</p>""")]
    public void A_narrative_that_is_not_plain_text_is_refused(string div) =>
        Assert.Equal(["IOMT-0231 Patient.text.div"], Validated.Errors($$$"""{"resourceType":"Patient","text":{"status":"generated","div":"{{{div}}}"}}"""));

    [Fact]
    public void All_faults_are_found_at_once_with_line_and_column()
    {
        var issues = Validated.Json("{\"resourceType\":\"Patient\",\n \"gender\":\"m\",\n \"birthDate\":\"x\"}");
        Assert.Equal([new TextPosition(2, 11), new TextPosition(3, 14)], issues.Select(issue => issue.Position!.Value));
        Assert.All(issues, issue => Assert.NotNull(issue.Fix));
    }

    [Fact]
    public void Warnings_never_crowd_out_an_error()
    {
        var entries = string.Concat(Enumerable.Range(0, 400).Select(index => $"{{\"fullUrl\":\"urn:oid:1.2.{index}\",\"resource\":{{\"resourceType\":\"Patient\",\"meta\":{{\"profile\":[\"http://e.org/p\"]}}}}}},"));
        var issues = Validated.Json($$"""{"resourceType":"Bundle","type":"collection","entry":[{{entries}}{"fullUrl":"urn:oid:1.3","resource":{"resourceType":"Patient","gender":"m"} }]}""");
        Assert.Contains(issues, issue => issue.Code == "IOMT-0223");
        Assert.InRange(issues.Count, 100, 110);
    }

    [Fact]
    public void No_type_has_more_elements_than_the_walk_has_bits() =>
        Assert.All(Fhir.Definitions.FhirDefinitions.R4.Types, type => Assert.True(type.Elements.Count <= 128, type.Name));

    [Fact]
    public void At_most_two_hundred_findings_are_listed()
    {
        var names = string.Join(',', Enumerable.Range(0, 1000).Select(_ => "{\"use\":\"x\"}"));
        Assert.Equal(200, Validated.Json($$"""{"resourceType":"Patient","name":[{{names}}] }""").Count);
    }
}
