using System.Text;

namespace FhirIomt.Fhir.Searching;

/// <summary>The text of search values: separators, escapes (<c>\,</c> <c>\|</c> <c>\$</c> <c>\\</c>, R4 §3.1.1.4.4) and prefixes (§3.1.1.4.2).</summary>
internal static class ValueText
{
    /// <summary>Splits at separators that no backslash precedes; the parts keep their escapes.</summary>
    public static List<string> Split(string text, char separator)
    {
        var parts = new List<string>();
        var start = 0;
        for (var index = 0; index < text.Length; index++)
        {
            if (text[index] == '\\')
            {
                index++;
            }
            else if (text[index] == separator)
            {
                parts.Add(text[start..index]);
                start = index + 1;
            }
        }

        parts.Add(text[start..]);
        return parts;
    }

    public static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
        {
            return text;
        }

        var unescaped = new StringBuilder(text.Length);
        for (var index = 0; index < text.Length; index++)
        {
            if (text[index] == '\\' && index + 1 < text.Length && text[index + 1] is ',' or '|' or '$' or '\\')
            {
                index++;
            }

            unescaped.Append(text[index]);
        }

        return unescaped.ToString();
    }

    public static (SearchPrefix Prefix, string Remainder) SplitPrefix(string text)
    {
        SearchPrefix? prefix = text.Length < 3 || !char.IsAsciiLetterLower(text[0]) ? null : text[..2] switch
        {
            "eq" => SearchPrefix.Equal,
            "ne" => SearchPrefix.NotEqual,
            "gt" => SearchPrefix.Greater,
            "lt" => SearchPrefix.Less,
            "ge" => SearchPrefix.GreaterOrEqual,
            "le" => SearchPrefix.LessOrEqual,
            "sa" => SearchPrefix.StartsAfter,
            "eb" => SearchPrefix.EndsBefore,
            "ap" => SearchPrefix.Approximately,
            _ => null,
        };
        return prefix is { } known ? (known, text[2..]) : (SearchPrefix.Equal, text);
    }
}
