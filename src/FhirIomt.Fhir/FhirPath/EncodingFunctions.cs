using System.Buffers.Text;
using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>encode, decode, escape and unescape: FHIRPath's draft string functions, as the official suite tests them.</summary>
internal static class EncodingFunctions
{
    public static IReadOnlyList<Function> All { get; } =
    [
        StringFunctions.Of("encode", 1, (_, text, arguments) => Result(Encode(text, arguments[0]))),
        StringFunctions.Of("decode", 1, (_, text, arguments) => Result(Decode(text, arguments[0]))),
        StringFunctions.Of("escape", 1, (_, text, arguments) => Result(Escape(text, arguments[0]))),
        StringFunctions.Of("unescape", 1, (_, text, arguments) => Result(Unescape(text, arguments[0]))),
    ];

    private static FhirPathItem? Result(string? text) => text is null ? null : FhirPathItem.String(text);

    private static string? Encode(string text, string format)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        return format switch
        {
            "base64" => Convert.ToBase64String(utf8),
            "urlbase64" => Convert.ToBase64String(utf8).Replace('+', '-').Replace('/', '_'),
            "hex" => Convert.ToHexStringLower(utf8),
            _ => null,
        };
    }

    private static string? Decode(string text, string format)
    {
        try
        {
            var utf8 = format switch
            {
                "base64" => Convert.FromBase64String(text),
                "urlbase64" => Base64Url.DecodeFromChars(text),
                "hex" => Convert.FromHexString(text),
                _ => null,
            };
            return utf8 is null ? null : Encoding.UTF8.GetString(utf8);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static string? Escape(string text, string format) => format switch
    {
        "html" => WebUtility.HtmlEncode(text),
        "json" => JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString(),
        _ => null,
    };

    private static string? Unescape(string text, string format)
    {
        if (format == "html")
        {
            return WebUtility.HtmlDecode(text);
        }

        try
        {
            return format == "json" ? JsonSerializer.Deserialize<string>('"' + text + '"') : null;
        }
        catch (JsonException)
        {
            return format == "json" ? text : null;
        }
    }
}
