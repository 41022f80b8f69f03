using System.Globalization;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.JsonPath;

/// <summary>Reads a path: names and dots here, what stands in brackets by <see cref="ParseIndexer"/>, filters by <see cref="JsonPathFilterParser"/>.</summary>
internal sealed class JsonPathParser(string text)
{
    private static readonly System.Buffers.SearchValues<char> IndexCharacters = System.Buffers.SearchValues.Create("0123456789-,: ");

    private JsonPathError? _error;

    /// <summary>Index of the next character.</summary>
    public int At { get; set; }

    public string Text => text;

    public bool AtEnd => At >= text.Length;

    public char Current => text[At];

    public bool TryParse(out PathStep? first, out JsonPathError? error)
    {
        SkipSpaces();
        if (!AtEnd && Current == '$' && (At + 1 == text.Length || text[At + 1] is '.' or '['))
        {
            At++;
        }

        var parsed = ParseSteps(inFilter: false, out first);
        SkipSpaces();
        if (parsed && !AtEnd)
        {
            parsed = Fail($"Unexpected '{Current}'.");
        }

        error = _error;
        return parsed;
    }

    /// <summary>Records the first error and answers false.</summary>
    public bool Fail(string message)
    {
        _error ??= new JsonPathError(message, Math.Min(At, text.Length) + 1);
        return false;
    }

    public void SkipSpaces()
    {
        while (!AtEnd && Current == ' ')
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

    /// <summary>A chain of steps up to a space, a closing bracket or, in a filter, an operator.</summary>
    public bool ParseSteps(bool inFilter, out PathStep? first)
    {
        var chain = new PathChain();
        var nameStart = At;
        var afterIndexer = false;
        var afterDot = false;
        first = null;
        while (!AtEnd && Current is not (']' or ')' or ' ') && !(inFilter && Current is '=' or '<' or '!' or '>' or '|' or '&'))
        {
            if (Current is '.')
            {
                chain.AddName(text[nameStart..At]);
                At++;
                chain.Descend = Take(".") || chain.Descend;
                (nameStart, afterIndexer, afterDot) = (At, false, true);
            }
            else if (Current is '[' or '(')
            {
                chain.AddName(text[nameStart..At]);
                if (!ParseIndexer(chain))
                {
                    return false;
                }

                (nameStart, afterIndexer, afterDot) = (At, true, false);
            }
            else if (afterIndexer)
            {
                return Fail($"Unexpected '{Current}' after a bracket; a dot is missing.");
            }
            else
            {
                At++;
            }
        }

        if (At == nameStart && afterDot && (AtEnd || inFilter))
        {
            return Fail("A name is missing after the dot.");
        }

        chain.AddName(text[nameStart..At]);
        first = chain.First;
        return true;
    }

    /// <summary>A text in single quotes; stands after the closing quote.</summary>
    public string? ParseQuoted()
    {
        var result = new System.Text.StringBuilder();
        At++;
        while (!AtEnd)
        {
            var c = text[At++];
            if (c == '\'')
            {
                return result.ToString();
            }

            if (c == '\\' && !AtEnd)
            {
                var escaped = "btnfr\\\"'/".IndexOf(Current, StringComparison.Ordinal);
                if (escaped < 0)
                {
                    Fail($"Unknown escape '\\{Current}'.");
                    return null;
                }

                c = "\b\t\n\f\r\\\"'/"[escaped];
                At++;
            }

            result.Append(c);
        }

        Fail("The closing quote is missing.");
        return null;
    }

    private bool ParseIndexer(PathChain chain)
    {
        var close = Current == '[' ? ']' : ')';
        At++;
        SkipSpaces();
        if (AtEnd)
        {
            return Fail($"'{close}' is missing.");
        }

        return Current switch
        {
            '\'' => ParseNames(chain, close),
            '?' => new JsonPathFilterParser(this).TryParse(out var predicate) && Close(close) && chain.AddFilter(predicate!),
            '*' => ++At > 0 && Close(close) && chain.Add(new WildcardStep(NodeKind.Array)),
            _ => ParseIndexes(chain, close),
        };
    }

    private bool Close(char close)
    {
        SkipSpaces();
        if (AtEnd || Current != close)
        {
            return Fail(AtEnd ? $"'{close}' is missing." : $"Unexpected '{Current}' in brackets.");
        }

        At++;
        return true;
    }

    private bool ParseNames(PathChain chain, char close)
    {
        var names = new List<string>();
        while (true)
        {
            SkipSpaces();
            if (AtEnd || Current != '\'')
            {
                return Fail("A name in single quotes is expected.");
            }

            if (ParseQuoted() is not { } name)
            {
                return false;
            }

            names.Add(name);
            SkipSpaces();
            if (!Take(","))
            {
                return Close(close) && chain.AddNames([.. names]);
            }
        }
    }

    private bool ParseIndexes(PathChain chain, char close)
    {
        var end = text.IndexOf(close, At);
        if (end < 0)
        {
            return Fail($"'{close}' is missing.");
        }

        var inside = text[At..end];
        var wrong = inside.AsSpan().IndexOfAnyExcept(IndexCharacters);
        if (wrong >= 0)
        {
            At += wrong;
            return Fail($"Unexpected '{Current}' in brackets; names take single quotes.");
        }

        PathStep? step = inside.Contains(':') ? ParseSlice(inside.Split(':')) : ParseIndexList(inside.Split(','));
        At = step is null ? At : end + 1;
        return step is null ? Fail("An array index or a slice start:end:step is expected.") : chain.Add(step);
    }

    private static IndexStep? ParseIndexList(string[] parts)
    {
        var indexes = new int[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (!int.TryParse(parts[i].Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out indexes[i]))
            {
                return null;
            }
        }

        return new IndexStep(indexes);
    }

    private static SliceStep? ParseSlice(string[] parts)
    {
        var numbers = new int?[3];
        for (var i = 0; i < parts.Length; i++)
        {
            var part = parts[i].Trim();
            var isNumber = int.TryParse(part, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number);
            if (i > 2 || (part.Length > 0 && !isNumber))
            {
                return null;
            }

            numbers[i] = isNumber ? number : null;
        }

        return numbers[2] == 0 ? null : new SliceStep(numbers[0], numbers[1], numbers[2] ?? 1);
    }
}

/// <summary>The steps read so far, and whether the next name is to be looked for at every depth.</summary>
internal sealed class PathChain
{
    private PathStep? _last;

    public PathStep? First { get; private set; }

    public bool Descend { get; set; }

    public bool Add(PathStep step)
    {
        First ??= step;
        if (_last is not null)
        {
            _last.Next = step;
        }

        _last = step;
        Descend = false;
        return true;
    }

    public void AddName(string name)
    {
        if (name.Length > 0)
        {
            Add(name == "*" ? AnyMember() : Named([name]));
        }
    }

    public bool AddNames(string[] names) => Add(Named(names));

    public bool AddFilter(PathPredicate predicate) => Add(Descend ? new DescendantFilterStep(predicate) : new FilterStep(predicate));

    private PathStep AnyMember() => Descend ? new DescendantStep(null) : new WildcardStep(NodeKind.Object);

    private PathStep Named(string[] names) => Descend ? new DescendantStep(names) : names.Length == 1 ? new MemberStep(names[0]) : new MembersStep(names);
}
