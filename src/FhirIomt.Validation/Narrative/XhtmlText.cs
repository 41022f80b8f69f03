using System.Net;

namespace FhirIomt.Validation.Narrative;

/// <summary>The pieces of XHTML markup.</summary>
internal static class XhtmlText
{
    private static readonly string[] Schemes = ["http", "https", "mailto", "tel", "ftp", "urn", "cid"];

    public static ReadOnlySpan<char> TakeName(ref ReadOnlySpan<char> rest)
    {
        var length = 0;
        while (length < rest.Length && (char.IsAsciiLetterOrDigit(rest[length]) || rest[length] is ':' or '-' or '_'))
        {
            length++;
        }

        var name = rest[..length];
        rest = rest[length..];
        return name;
    }

    public static bool SkipSpace(ref ReadOnlySpan<char> rest)
    {
        var before = rest.Length;
        rest = rest.TrimStart();
        return rest.Length < before;
    }

    /// <summary>Reads <c>="value"</c>.</summary>
    public static bool TryTakeValue(ref ReadOnlySpan<char> rest, out ReadOnlySpan<char> value)
    {
        value = default;
        SkipSpace(ref rest);
        if (!rest.StartsWith("="))
        {
            return false;
        }

        rest = rest[1..];
        SkipSpace(ref rest);
        if (rest.IsEmpty || rest[0] is not ('"' or '\''))
        {
            return false;
        }

        var end = rest[1..].IndexOf(rest[0]);
        if (end < 0 || rest.Slice(1, end).Contains('<'))
        {
            return false;
        }

        value = rest.Slice(1, end);
        rest = rest[(end + 2)..];
        return true;
    }

    /// <summary>An ampersand that begins neither a character reference nor one of XML's five entities: HTML's others are not allowed (FHIR R4 §2.4.0).</summary>
    public static bool HasBadEntity(ReadOnlySpan<char> text)
    {
        for (var at = text.IndexOf('&'); at >= 0; at = text.IndexOf('&'))
        {
            text = text[(at + 1)..];
            var end = text.IndexOf(';');
            if (end is < 1 or > 32 || !(text[..end] is "amp" or "lt" or "gt" or "quot" or "apos" || IsNumber(text[..end])))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsNumber(ReadOnlySpan<char> reference) =>
        reference is ['#', 'x' or 'X', _, ..] ? !reference[2..].ContainsAnyExcept(HexDigits) : reference is ['#', _, ..] && !reference[1..].ContainsAnyExceptInRange('0', '9');

    /// <summary>Whether a value could run a script: a link by another scheme than the harmless ones, or a style that loads or computes.</summary>
    public static bool IsActive(string attribute, ReadOnlySpan<char> value)
    {
        if (attribute == "style")
        {
            var style = Decoded(value);
            return style.Contains("expression(", StringComparison.OrdinalIgnoreCase) || style.Contains("javascript:", StringComparison.OrdinalIgnoreCase)
                || style.Contains("behavior:", StringComparison.OrdinalIgnoreCase) || style.Contains("@import", StringComparison.OrdinalIgnoreCase);
        }

        return attribute is "href" or "src" or "cite" or "longdesc" or "usemap" && !HasHarmlessScheme(attribute, Decoded(value));
    }

    private static System.Buffers.SearchValues<char> HexDigits { get; } = System.Buffers.SearchValues.Create("0123456789abcdefABCDEF");

    private static bool HasHarmlessScheme(string attribute, string url)
    {
        var colon = url.IndexOf(':');
        if (colon < 0 || url.AsSpan(0, colon).ContainsAny('/', '?', '#'))
        {
            return true;
        }

        var scheme = url[..colon];
        return Array.Exists(Schemes, known => known.Equals(scheme, StringComparison.OrdinalIgnoreCase))
            || (attribute == "src" && url.StartsWith("data:image/", StringComparison.OrdinalIgnoreCase) && !url.StartsWith("data:image/svg", StringComparison.OrdinalIgnoreCase));
    }

    // As a browser reads it: entities undone, spaces and controls within dropped ("java&#10;script:").
    private static string Decoded(ReadOnlySpan<char> value) =>
        string.Concat(WebUtility.HtmlDecode(value.ToString()).Where(letter => !char.IsWhiteSpace(letter) && !char.IsControl(letter)));
}
