using System.Globalization;

namespace FhirIomt.Mapping.JsonPath.Standard;

/// <summary>Reads a JSONPath of RFC 9535: segments and selectors here, what stands behind '?' by <see cref="StandardFilterParser"/>.</summary>
internal sealed class StandardParser(string text)
{
    // Far beyond what people write, far from the end of a stack.
    private const int MaxDepth = 100;

    // RFC 9535 §2.1: integers are those that every JSON reader keeps.
    private const long MaxInteger = 9007199254740991;

    private int _depth;

    public JsonPathError? Error { get; private set; }

    public int At { get; set; }

    public bool AtEnd => At >= text.Length;

    public char Current => At < text.Length ? text[At] : '\0';

    public string Text => text;

    public bool TryParse(out PathStep? first)
    {
        first = null;
        if (Current != '$')
        {
            return Fail("A path begins with '$'.");
        }

        At++;
        if (!TryParseSegments(out first, out _))
        {
            return false;
        }

        return AtEnd || Fail($"Unexpected '{Current}'.");
    }

    /// <summary>Records the first error and answers false.</summary>
    public bool Fail(string message)
    {
        Error ??= new JsonPathError(message, Math.Min(At, text.Length) + 1);
        return false;
    }

    public void SkipBlanks()
    {
        while (Current is ' ' or '\t' or '\n' or '\r')
        {
            At++;
        }
    }

    public bool Take(string expected)
    {
        if (string.CompareOrdinal(text, At, expected, 0, expected.Length) != 0)
        {
            return false;
        }

        At += expected.Length;
        return true;
    }

    public bool Enter() => ++_depth <= MaxDepth || Fail("The expression is nested too deeply.");

    public void Leave() => _depth--;

    /// <summary>Segments up to something else; blanks before that are left.</summary>
    public bool TryParseSegments(out PathStep? first, out bool isSingular)
    {
        (first, isSingular) = (null, true);
        PathStep? last = null;
        while (true)
        {
            var before = At;
            SkipBlanks();
            if (Current is not ('.' or '['))
            {
                At = before;
                return true;
            }

            if (ParseSegment() is not { } segment)
            {
                return false;
            }

            isSingular &= segment.IsSingular;
            first ??= segment;
            if (last is not null)
            {
                last.Next = segment;
            }

            last = segment;
        }
    }

    private Segment? ParseSegment()
    {
        var descends = Take("..");
        if (!descends && Take("."))
        {
            return Shorthand() is { } named ? new Segment([named], descends: false) : null;
        }

        if (Current != '[')
        {
            return Shorthand() is { } named ? new Segment([named], descends) : null;
        }

        At++;
        var selectors = new List<Selector>();
        while (true)
        {
            SkipBlanks();
            if (ParseSelector() is not { } selector)
            {
                return null;
            }

            selectors.Add(selector);
            SkipBlanks();
            if (Take("]"))
            {
                return new Segment([.. selectors], descends);
            }

            if (!Take(","))
            {
                Fail("',' or ']' is expected.");
                return null;
            }
        }
    }

    private Selector? Shorthand()
    {
        if (Take("*"))
        {
            return new WildcardSelector();
        }

        var start = At;
        while (!AtEnd && (char.IsAsciiLetter(Current) || Current is '_' or >= '\u0080' || (At > start && char.IsAsciiDigit(Current))))
        {
            At++;
        }

        if (At > start)
        {
            return new NameSelector(text[start..At]);
        }

        Fail("A name or '*' is expected.");
        return null;
    }

    private Selector? ParseSelector()
    {
        switch (Current)
        {
            case '*':
                At++;
                return new WildcardSelector();
            case '\'' or '"':
                return ParseString() is { } name ? new NameSelector(name) : null;
            case '?':
                At++;
                SkipBlanks();
                return new StandardFilterParser(this).TryParse(out var predicate) ? new FilterSelector(predicate!) : null;
            default:
                return ParseIndexOrSlice();
        }
    }

    private Selector? ParseIndexOrSlice()
    {
        if (!TryInteger(out var start))
        {
            return null;
        }

        var before = At;
        SkipBlanks();
        if (Current != ':')
        {
            At = before;
            if (start is null)
            {
                Fail("A name in quotes, an index, a slice, '*' or '?' is expected.");
                return null;
            }

            return new IndexSelector(start.Value);
        }

        At++;
        SkipBlanks();
        if (!TryInteger(out var end))
        {
            return null;
        }

        before = At;
        SkipBlanks();
        if (!Take(":"))
        {
            At = before;
            return new SliceSelector(start, end, 1);
        }

        SkipBlanks();
        return TryInteger(out var step) ? new SliceSelector(start, end, step ?? 1) : null;
    }

    // No digits at all is fine here: null.
    private bool TryInteger(out long? number)
    {
        number = null;
        var start = At;
        At += Current == '-' ? 1 : 0;
        var digits = At;
        while (char.IsAsciiDigit(Current))
        {
            At++;
        }

        if (At == start)
        {
            return true;
        }

        var isPlain = At > digits && (text[digits] != '0' || (At == digits + 1 && digits == start));
        if (!isPlain || !long.TryParse(text.AsSpan(start, At - start), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) || Math.Abs(value) > MaxInteger)
        {
            At = start;
            return Fail("An integer without leading zeros, within 53 bits, is expected.");
        }

        number = value;
        return true;
    }

    /// <summary>A text in single or double quotes; stands behind the closing one.</summary>
    public string? ParseString()
    {
        var quote = Current;
        var result = new System.Text.StringBuilder();
        At++;
        while (!AtEnd && Current != quote)
        {
            if (Current < ' ')
            {
                Fail("Control characters are written as escapes.");
                return null;
            }

            if (Current != '\\')
            {
                result.Append(text[At++]);
            }
            else if (!TryEscape(quote, result))
            {
                return null;
            }
        }

        if (AtEnd)
        {
            Fail("The closing quote is missing.");
            return null;
        }

        At++;
        return result.ToString();
    }

    private bool TryEscape(char quote, System.Text.StringBuilder result)
    {
        At++;
        if (Current == quote)
        {
            result.Append(quote);
            At++;
            return true;
        }

        var known = "btnfr/\\".IndexOf(Current, StringComparison.Ordinal);
        if (!AtEnd && known >= 0)
        {
            result.Append("\b\t\n\f\r/\\"[known]);
            At++;
            return true;
        }

        if (!TryCodeUnit(out var unit) || char.IsLowSurrogate(unit))
        {
            return Fail("Unknown escape.");
        }

        result.Append(unit);
        if (!char.IsHighSurrogate(unit))
        {
            return true;
        }

        if (Current != '\\' || ++At > text.Length || !TryCodeUnit(out var low) || !char.IsLowSurrogate(low))
        {
            return Fail("The second half of the surrogate pair is missing.");
        }

        result.Append(low);
        return true;
    }

    private bool TryCodeUnit(out char unit)
    {
        unit = default;
        if (Current != 'u' || At + 5 > text.Length || !ushort.TryParse(text.AsSpan(At + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
        {
            return false;
        }

        unit = (char)value;
        At += 5;
        return true;
    }
}
