using System.Globalization;

namespace FhirIomt.Fhir.Patch;

/// <summary>A place in a JSON document (RFC 6901).</summary>
internal sealed class JsonPointer
{
    // As deep as a document may be.
    private const int MaxTokens = 128;

    private JsonPointer(string text, string[] tokens)
    {
        Text = text;
        Tokens = tokens;
    }

    public string Text { get; }

    public string[] Tokens { get; }

    public bool IsRoot => Tokens.Length == 0;

    public static JsonPointer? Parse(string text)
    {
        if (text.Length == 0)
        {
            return new JsonPointer(text, []);
        }

        var parts = text.Split('/');
        if (parts[0].Length > 0 || parts.Length > MaxTokens)
        {
            return null;
        }

        var tokens = new string[parts.Length - 1];
        for (var index = 0; index < tokens.Length; index++)
        {
            if (Unescape(parts[index + 1]) is not { } token)
            {
                return null;
            }

            tokens[index] = token;
        }

        return new JsonPointer(text, tokens);
    }

    /// <summary>Whether that place lies inside this one.</summary>
    public bool Contains(JsonPointer other) => other.Tokens.Length > Tokens.Length && other.Tokens.AsSpan(0, Tokens.Length).SequenceEqual(Tokens);

    /// <summary>Digits without leading zeros, of an element that an array of that length has; else -1.</summary>
    public static int Index(string token, int count) =>
        (token == "0" || (token.Length is > 0 and < 10 && token[0] is >= '1' and <= '9')) && int.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < count ? index : -1;

    // ~1 before ~0, so that ~01 is ~1 and not / (RFC 6901 §4).
    private static string? Unescape(string token)
    {
        for (var at = token.IndexOf('~', StringComparison.Ordinal); at >= 0; at = token.IndexOf('~', at + 1))
        {
            if (at + 1 >= token.Length || token[at + 1] is not ('0' or '1'))
            {
                return null;
            }
        }

        return token.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
    }
}
