using System.Text;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Xml;

namespace FhirIomt.Fhir.Tests.Xml;

public sealed class FhirXmlTests
{
    private const string Start = "<Patient xmlns=\"http://hl7.org/fhir\">";
    private static readonly FhirDefinitions R4 = FhirDefinitions.R4;

    [Theory]
    [InlineData("<active value=\"true\"/>", """ "active":true """)]
    [InlineData("<active value=\"yes\"/>", """ "active":"yes" """)]
    [InlineData("<multipleBirthInteger value=\"007\"/>", """ "multipleBirthInteger":"007" """)]
    [InlineData("<name><given value=\"A\"/><given value=\"B\"/></name>", """ "name":[{"given":["A","B"]}] """)]
    [InlineData("<birthDate id=\"b\" value=\"2000\"/>", """ "birthDate":"2000","_birthDate":{"id":"b"} """)]
    [InlineData("<birthDate><extension url=\"u\"><valueDecimal value=\"0.010\"/></extension></birthDate>", """ "_birthDate":{"extension":[{"url":"u","valueDecimal":0.010}]} """)]
    [InlineData("<name><given value=\"A\"/><given id=\"x\"/></name>", """ "name":[{"given":["A",null],"_given":[null,{"id":"x"}]}] """)]
    [InlineData("<contained><Basic><id value=\"1\"/></Basic></contained>", """ "contained":[{"resourceType":"Basic","id":"1"}] """)]
    [InlineData("<extension id=\"e\" url=\"u\"><valueDecimal value=\"1e3\"/></extension>", """ "extension":[{"id":"e","url":"u","valueDecimal":1e3}] """)]
    [InlineData("<text><div xmlns=\"http://www.w3.org/1999/xhtml\" >a<br />&amp;&#160;</div></text>", """ "text":{"div":"<div xmlns=\"http://www.w3.org/1999/xhtml\" >a<br />&amp;&#160;</div>"} """)]
    [InlineData("<text><h:div xmlns:h=\"http://www.w3.org/1999/xhtml\"><h:p title='\"'>a</h:p></h:div></text>", """ "text":{"div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p title=\"&quot;\">a</p></div>"} """)]
    [InlineData("<address><text value=\"a&#xA;b&#x9;c\nd 😀\"/></address>", """ "address":[{"text":"a\nb\tc d 😀"}] """)]
    public void Elements_become_members(string xml, string json)
    {
        var tree = FhirXml.Parse(Encoding.UTF8.GetBytes($"{Start}{xml}</Patient>"), R4).Require();
        Assert.Equal($$"""{"resourceType":"Patient",{{json.Trim()}}}""", tree.Root.ToString());
        var back = FhirXmlWriter.Write(tree.Root, R4).Require();
        Assert.Equal(tree.Root.ToString(), FhirXml.Parse(back, R4).Require().Root.ToString());
    }

    [Theory]
    [InlineData("<color value=\"red\"/>", "IOMT-0115 Patient.color 1:39")]
    [InlineData("<name><color value=\"red\"/></name>", "IOMT-0115 Patient.name[0].color 1:45")]
    [InlineData("<active code=\"true\" value=\"true\"/>", "IOMT-0116 Patient.active 1:46")]
    [InlineData("<name value=\"x\"><family value=\"f\"/></name>", "IOMT-0116 Patient.name[0] 1:39")]
    [InlineData("<name url=\"x\"><family value=\"f\"/></name>", "IOMT-0116 Patient.name[0] 1:39")]
    [InlineData("<active xml:id=\"a\" value=\"true\"/>", "IOMT-0116 Patient.active 1:46")]
    [InlineData("<extension url=\"u\"><url value=\"u\"/></extension>", "IOMT-0116 Patient.extension[0].url 1:58")]
    [InlineData("<birthDate value=\"2000\"/><active value=\"true\"/>", "IOMT-0117 Patient.active 1:64")]
    [InlineData("<active value=\"true\"/><active value=\"true\"/>", "IOMT-0118 Patient.active 1:61")]
    [InlineData("<active/>", "IOMT-0119 Patient.active 1:39")]
    [InlineData("<name/>", "IOMT-0119 Patient.name[0] 1:39")]
    [InlineData("<active value=\"\"/>", "IOMT-0120 Patient.active 1:46")]
    [InlineData("é text<active value=\"true\"/>", "IOMT-0121 Patient 1:38")]
    [InlineData("<name>x<family value=\"f\"/></name>", "IOMT-0121 Patient.name[0] 1:44")]
    [InlineData("<name/><contained/>", "IOMT-0119 Patient.name[0] 1:39;IOMT-0117 Patient.contained 1:46;IOMT-0122 Patient.contained[0] 1:46")]
    [InlineData("<contained><Basic/><Basic/></contained>", "IOMT-0122 Patient.contained[0] 1:39")]
    [InlineData("<?go?><active value=\"true\"/>", "IOMT-0123 Patient 1:40")]
    [InlineData("<x:active xmlns:x=\"urn:x\" value=\"true\"/>", "IOMT-0114 Patient.active 1:39")]
    [InlineData("<text><div>a</div></text>", "IOMT-0114 Patient.text.div 1:45")]
    public void Every_problem_says_where(string xml, string expected)
    {
        var reading = FhirXml.Read(Encoding.UTF8.GetBytes($"{Start}{xml}</Patient>"), R4);
        var found = reading.Issues.Select(issue => $"{issue.Code} {issue.Expression} {issue.Position!.Value.Line}:{issue.Position!.Value.Column}");
        Assert.Equal(expected.Split(';').Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
        Assert.NotNull(reading.Tree);
        Assert.All(reading.Issues, issue => Assert.False(string.IsNullOrEmpty(issue.Fix)));
    }

    [Theory]
    [InlineData("", "IOMT-0110")]
    [InlineData("<Patient", "IOMT-0110")]
    [InlineData("<Patient xmlns=\"http://hl7.org/fhir\"></Person>", "IOMT-0110")]
    [InlineData("<Patient xmlns=\"http://hl7.org/fhir\"><active value=\"&nbsp;\"/></Patient>", "IOMT-0110")]
    [InlineData("<!DOCTYPE Patient [<!ENTITY a 'b'>]><Patient xmlns=\"http://hl7.org/fhir\"/>", "IOMT-0111")]
    [InlineData("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><Patient xmlns=\"http://hl7.org/fhir\"/>", "IOMT-0112")]
    [InlineData("<Patient/>", "IOMT-0113")]
    [InlineData("<Patients xmlns=\"http://hl7.org/fhir\"/>", "IOMT-0113")]
    [InlineData("<DomainResource xmlns=\"http://hl7.org/fhir\"/>", "IOMT-0113")]
    public void What_is_no_resource_is_refused_with_its_place(string xml, string code)
    {
        var issue = Assert.Single(FhirXml.Parse(Encoding.UTF8.GetBytes(xml), R4).Issues);
        Assert.Equal(code, issue.Code);
        Assert.NotNull(issue.Position);
    }

    [Fact]
    public void A_position_counts_bytes_on_the_line_of_the_xml()
    {
        var xml = "<Patient xmlns=\"http://hl7.org/fhir\">\r\n <address><text value=\"é😀\"/><city value=\"x\"/></address>\r\n</Patient>";
        var tree = FhirXml.Parse(Encoding.UTF8.GetBytes(xml), R4).Require();
        Assert.Equal("line 2, column 34", tree.Root["address"u8].First()["city"u8].Position.ToString());
    }

    [Fact]
    public void Depth_and_size_are_bounded()
    {
        var deep = string.Concat(Enumerable.Repeat("<extension url=\"u\">", 100));
        var close = string.Concat(Enumerable.Repeat("</extension>", 100));
        Assert.Equal("IOMT-0101", FhirXml.Parse(Encoding.UTF8.GetBytes($"{Start}{deep}{close}</Patient>"), R4).Issues[^1].Code);
        Assert.Equal("IOMT-0101", FhirXml.Parse(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("<a>", 100_000))), R4).Issues[^1].Code);
        Assert.Equal("IOMT-0103", FhirXml.Parse(Encoding.UTF8.GetBytes($"{Start}</Patient>"), R4, new JsonLimits(10, 10)).Issues[0].Code);
        Assert.Equal("IOMT-0104", FhirXml.Parse(new byte[] { (byte)'<', 0xFF }, R4).Issues[0].Code);
    }

    [Theory]
    [InlineData("""{"resourceType":"Patient","color":"red"}""", "IOMT-0132 Patient.color")]
    [InlineData("""{"resourceType":"Patient","name":{"family":"f"}}""", "IOMT-0133 Patient.name")]
    [InlineData("""{"resourceType":"Patient","active":"true"}""", "IOMT-0133 Patient.active")]
    [InlineData("""{"resourceType":"Patient","active":[true]}""", "IOMT-0133 Patient.active")]
    [InlineData("""{"resourceType":"Patient","name":[{"given":["a",null]}]}""", "IOMT-0133 Patient.name[0].given[1]")]
    [InlineData("""{"resourceType":"Patient","name":[]}""", "IOMT-0133 Patient.name")]
    [InlineData("""{"resourceType":"Patient","gender":""}""", "IOMT-0133 Patient.gender")]
    [InlineData("""{"resourceType":"Patient","gender":"\u0001"}""", "IOMT-0130 Patient.gender")]
    [InlineData("""{"resourceType":"Patient","text":{"div":"<div>"}}""", "IOMT-0131 Patient.text.div")]
    [InlineData("""{"resourceType":"Patient","contained":[{"resourceType":"X"}]}""", "IOMT-0113 Patient.contained[0]")]
    [InlineData("""{"resourceType":"Nothing"}""", "IOMT-0113 ")]
    [InlineData("""{"resourceType":"Patient","extension":[{"url":5}]}""", "IOMT-0133 Patient.extension[0].url")]
    [InlineData("""{"resourceType":"Patient","fhir_comments":["x"]}""", "IOMT-0132 Patient.fhir_comments")]
    public void What_xml_has_no_place_for_is_refused(string json, string expected)
    {
        var issue = Assert.Single(FhirXmlWriter.Write(JsonTree.Parse(Encoding.UTF8.GetBytes(json)).Require().Root, R4).Issues);
        Assert.Equal(expected, $"{issue.Code} {issue.Expression}");
    }

    [Theory]
    [InlineData("<div>a&nbsp;b</div>", "<div xmlns=\"http://www.w3.org/1999/xhtml\">a\u00a0b</div>")]
    [InlineData("<!-- x --><div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>", "<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>")]
    public void A_narrative_gets_what_xml_needs(string div, string expected)
    {
        var json = Encoding.UTF8.GetBytes($$$"""{"resourceType":"Patient","text":{"div":{{{System.Text.Json.JsonSerializer.Serialize(div)}}}}}""");
        var xml = Encoding.UTF8.GetString(FhirXmlWriter.Write(JsonTree.Parse(json).Require().Root, R4).Require().Span);
        Assert.Contains($"<text>{expected}</text>", xml, StringComparison.Ordinal);
        Assert.True(FhirXml.Parse(Encoding.UTF8.GetBytes(xml), R4).Succeeded);
    }
}
