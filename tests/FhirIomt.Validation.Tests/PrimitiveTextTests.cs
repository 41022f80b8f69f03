using System.Text;
using System.Text.RegularExpressions;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Validation.Base;

namespace FhirIomt.Validation.Tests;

public sealed class PrimitiveTextTests
{
    [Theory]
    [InlineData("date", "2024-02-29 2024-02 2024", "2023-02-29 2024-13 24 2024-1-01 2024-02-29T00:00:00Z 0000")]
    [InlineData("dateTime", "2024 2024-02-29 2024-02-29T23:59:60Z 2024-02-29T00:00:00.123456789+14:00", "2024-02-29T24:00:00Z 2024-02-29T00:00:00 2024-02-29T00:00Z 2024-02-29T00:00:00+14:01 2024-02-29T00:00:00.Z")]
    [InlineData("instant", "2024-02-29T00:00:00Z", "2024-02-29 2024-02-29T00:00:00")]
    [InlineData("time", "00:00:00 23:59:59.9", "24:00:00 1:00:00 00:00 00:00:00Z")]
    [InlineData("integer", "0 -1 2147483647", "01 2147483648 1.0 1e3 -0")]
    [InlineData("unsignedInt", "0 7", "-1")]
    [InlineData("positiveInt", "1", "0 -1")]
    [InlineData("id", "a A-1.b", "a_b ä 00000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("oid", "urn:oid:1.2.3 urn:oid:2.16.840", "urn:oid:3.1 urn:oid:1.02 1.2.3 urn:oid:1. urn:oid:1")]
    [InlineData("uri", "http://e.org x urn:iso:std:iso:11073:10101 urn:uuid:C757873D-ec9a-4326-a141-556f43239520", "urn:uuid:1 urn:uuid:")]
    [InlineData("uuid", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "c757873d-ec9a-4326-a141-556f43239520 urn:uuid:c757873dec9a4326a141556f43239520")]
    [InlineData("base64Binary", "AAAA AAA= AA==", "A AAAAA A=== AA=A A*AA")]
    public void Texts_are_taken_or_refused(string type, string valid, string invalid)
    {
        var shape = ValueShapes.Of(FhirDefinitions.R4.Type(type)!);
        Assert.All(valid.Split(' '), text => Assert.True(PrimitiveText.IsValid(shape, Encoding.UTF8.GetBytes(text)), text));
        Assert.All(invalid.Split(' '), text => Assert.False(PrimitiveText.IsValid(shape, Encoding.UTF8.GetBytes(text)), text));
    }

    [Fact]
    public void Nothing_is_taken_that_the_definitions_pattern_refuses()
    {
        string[] texts = ["0", "7", "-7", "2024", "2024-02-29", "2024-02-29T10:11:12Z", "2024-02-29T10:11:12.5-05:00", "10:11:12", "a", "a b", " a", "a  b", "urn:oid:1.2", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "AAAA", "true", "x_y", "-", "T"];
        foreach (var type in FhirDefinitions.R4.Types.Where(type => type is { Kind: FhirTypeKind.Primitive, Pattern: not null } && type.Name is not ("boolean" or "xhtml" or "decimal")))
        {
            var pattern = new Regex($"^(?:{type.Pattern})$", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
            Assert.All(texts, text => Assert.True(pattern.IsMatch(text) || !PrimitiveText.IsValid(ValueShapes.Of(type), Encoding.UTF8.GetBytes(text)), $"{type}: {text}"));
        }
    }
}
