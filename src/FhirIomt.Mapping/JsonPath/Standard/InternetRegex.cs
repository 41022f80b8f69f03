using System.Text;
using System.Text.RegularExpressions;

namespace FhirIomt.Mapping.JsonPath.Standard;

/// <summary>
/// A regular expression of RFC 9485 (I-Regexp). What that grammar does not allow (\d, look-ahead, back references) makes it no expression, and then
/// nothing matches. Runs without backtracking: patterns may come from messages.
/// </summary>
internal sealed class InternetRegex
{
    private const string AnyCharacter = @"(?:[\uD800-\uDBFF][\uDC00-\uDFFF]|[^\n\r\uD800-\uDFFF])";

    // Time is linear in the text, so this is for a pattern whose automaton explodes; a busy machine must not make a good one fail.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    private readonly Regex _regex;

    private InternetRegex(Regex regex) => _regex = regex;

    public static InternetRegex? Parse(string pattern, bool isWhole)
    {
        if (Translate(pattern) is not { } translated)
        {
            return null;
        }

        try
        {
            var text = isWhole ? $@"\A(?:{translated})\z" : translated;
            return new InternetRegex(new Regex(text, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking, Timeout));
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    public bool IsMatch(string text)
    {
        try
        {
            return _regex.IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            return false;
        }
    }

    // To .NET's syntax: a dot is any character but a line end, and one beyond the first plane is one character.
    private static string? Translate(string pattern)
    {
        var result = new StringBuilder(pattern.Length + 16);
        var inClass = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            var c = pattern[i];
            if (c == '\\')
            {
                if (Escape(pattern, ref i) is not { } escape)
                {
                    return null;
                }

                result.Append(escape);
            }
            else if (inClass)
            {
                inClass = c != ']';
                result.Append(c == '[' ? @"\[" : c.ToString());
            }
            else if (c == '(' && i + 1 < pattern.Length && pattern[i + 1] == '?')
            {
                return null;
            }
            else
            {
                inClass = c == '[';
                result.Append(c switch
                {
                    '.' => AnyCharacter,
                    '$' => @"\z",
                    _ => char.IsHighSurrogate(c) && i + 1 < pattern.Length ? $"(?:{c}{pattern[++i]})" : c.ToString(),
                });
            }
        }

        return result.ToString();
    }

    private static string? Escape(string pattern, ref int at)
    {
        if (++at >= pattern.Length)
        {
            return null;
        }

        var c = pattern[at];
        if (c is 'p' or 'P')
        {
            var close = pattern.IndexOf('}', at);
            var escape = close < 0 ? null : pattern[(at - 1)..(close + 1)];
            at = close;
            return escape;
        }

        return c switch
        {
            'n' or 'r' or 't' => @"\" + c,
            '(' or ')' or '*' or '+' or '-' or '.' or '?' or '[' or '\\' or ']' or '^' or '{' or '|' or '}' or '$' => @"\" + c,
            _ => null,
        };
    }
}
