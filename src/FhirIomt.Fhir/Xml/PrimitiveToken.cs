using System.Text;
using System.Text.Json;
using FhirIomt.Fhir.Definitions;

namespace FhirIomt.Fhir.Xml;

/// <summary>Which primitives JSON writes without quotes (R4 §2.6.2).</summary>
internal static class PrimitiveToken
{
    public static bool IsBoolean(FhirType type) => type.Name == "boolean";

    public static bool IsNumber(FhirType type) => type.Name is "decimal" or "integer" or "unsignedInt" or "positiveInt";

    /// <summary>Whether a text of that type is a bare JSON token. A number that JSON cannot write (<c>007</c>, <c>NaN</c>) stays a string, for validation to refuse.</summary>
    public static bool IsBare(FhirType type, string text) =>
        IsBoolean(type) ? text is "true" or "false"
        : IsNumber(type) && text.Length is > 0 and <= 1000 && IsJsonNumber(text, isWhole: type.Name != "decimal");

    private static bool IsJsonNumber(string text, bool isWhole)
    {
        foreach (var letter in text)
        {
            if (!char.IsAsciiDigit(letter) && letter != '-' && (isWhole || letter is not ('.' or 'e' or 'E' or '+')))
            {
                return false;
            }
        }

        try
        {
            var reader = new Utf8JsonReader(Encoding.ASCII.GetBytes(text));
            return reader.Read() && reader.TokenType == JsonTokenType.Number && !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
