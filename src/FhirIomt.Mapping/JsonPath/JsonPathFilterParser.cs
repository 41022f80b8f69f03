using System.Globalization;
using System.Text.RegularExpressions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.JsonPath;

/// <summary>Reads <c>?(…)</c>. There are no inner parentheses in this dialect, and <c>a &amp;&amp; b || c</c> means <c>a &amp;&amp; (b || c)</c>: a change of operator nests to the right.</summary>
internal sealed class JsonPathFilterParser(JsonPathParser path)
{
    private static readonly (string Sign, PathOperator Operator)[] Signs =
    [
        ("===", PathOperator.Equal),
        ("==", PathOperator.Equal),
        ("!==", PathOperator.StrictNotEqual),
        ("!=", PathOperator.NotEqual),
        ("<>", PathOperator.NotEqual),
        ("<=", PathOperator.LessOrEqual),
        ("<", PathOperator.Less),
        (">=", PathOperator.GreaterOrEqual),
        (">", PathOperator.Greater),
    ];

    private string? _pattern;

    /// <summary>Stands on the '?'; afterwards behind the closing ')'.</summary>
    public bool TryParse(out PathPredicate? predicate)
    {
        predicate = null;
        if (!path.Take("?("))
        {
            return path.Fail("A filter starts with '?('.");
        }

        return ParseExpression(out predicate);
    }

    private bool ParseExpression(out PathPredicate? predicate)
    {
        predicate = null;
        var terms = new List<(PathPredicate Term, char Link)>();
        while (true)
        {
            if (!ParseTerm(out var term))
            {
                return false;
            }

            var link = path.Current;
            if (link == ')')
            {
                path.At++;
                terms.Add((term!, link));
                predicate = Nest([.. terms]);
                return true;
            }

            if (!path.Take(link == '&' ? "&&" : "||"))
            {
                return path.Fail("'&&', '||' or ')' is expected.");
            }

            terms.Add((term!, link));
        }
    }

    private static PathPredicate Nest(ReadOnlySpan<(PathPredicate Term, char Link)> terms)
    {
        if (terms.Length == 1)
        {
            return terms[0].Term;
        }

        var link = terms[0].Link;
        var parts = new List<PathPredicate>();
        var next = 0;
        while (next < terms.Length - 1 && terms[next].Link == link)
        {
            parts.Add(terms[next++].Term);
        }

        parts.Add(Nest(terms[next..]));
        return link == '&' ? new AllPredicate([.. parts]) : new AnyPredicate([.. parts]);
    }

    private bool ParseTerm(out PathPredicate? term)
    {
        term = null;
        if (!ParseSide(out var left))
        {
            return false;
        }

        if (path.Current is ')' or '|' or '&')
        {
            term = new ExistsPredicate(left!);
            return true;
        }

        if (path.Take("=~"))
        {
            return ParseRegex(left!, out term);
        }

        foreach (var (sign, relation) in Signs)
        {
            if (path.Take(sign))
            {
                var parsed = ParseSide(out var right);
                term = parsed ? new ComparePredicate(left!, relation, right!) : null;
                return parsed;
            }
        }

        return path.Fail("A comparison (== != < <= > >= =~) is expected.");
    }

    private bool ParseRegex(PathOperand left, out PathPredicate? term)
    {
        term = null;
        _pattern = null;
        if (!ParseSide(out _))
        {
            return false;
        }

        if (_pattern is null)
        {
            return path.Fail("=~ takes a pattern between slashes.");
        }

        var end = _pattern.LastIndexOf('/');
        var options = RegexOptions.CultureInvariant;
        foreach (var flag in _pattern[(end + 1)..])
        {
            options |= flag switch
            {
                'i' => RegexOptions.IgnoreCase,
                'm' => RegexOptions.Multiline,
                's' => RegexOptions.Singleline,
                'x' => RegexOptions.ExplicitCapture,
                _ => RegexOptions.None,
            };
        }

        try
        {
            term = new RegexPredicate(left, new Regex(_pattern[1..end], options, RegexPredicate.Timeout));
            return true;
        }
        catch (ArgumentException exception)
        {
            return path.Fail("The pattern is not a regular expression: " + exception.Message);
        }
    }

    private bool ParseSide(out PathOperand? operand)
    {
        operand = null;
        path.SkipSpaces();
        if (path.AtEnd)
        {
            return path.Fail("The filter is not closed.");
        }

        var parsed = path.Current is '@' or '$' ? ParsePath(out operand) : ParseConstant(out operand);
        path.SkipSpaces();
        return parsed && (!path.AtEnd || path.Fail("The filter is not closed."));
    }

    private bool ParsePath(out PathOperand? operand)
    {
        var fromRoot = path.Current == '$';
        path.At++;
        var parsed = path.ParseSteps(inFilter: true, out var first);
        operand = parsed ? PathOperand.Of(fromRoot ? new RootStep { Next = first } : first) : null;
        return parsed;
    }

    private bool ParseConstant(out PathOperand? operand)
    {
        var constant = path.Current switch
        {
            '\'' => path.ParseQuoted() is { } text ? new PathConstant(NodeKind.String, text) : null,
            '/' => ParsePattern(),
            '-' or (>= '0' and <= '9') => ParseNumber(),
            _ when path.Take("true") => new PathConstant(NodeKind.True, "true"),
            _ when path.Take("false") => new PathConstant(NodeKind.False, "false"),
            _ when path.Take("null") => new PathConstant(NodeKind.Null, "null"),
            _ => null,
        };
        operand = constant is null ? null : PathOperand.Of(constant);
        return constant is not null || path.Fail("A path (@…), a text in single quotes, a number, true, false or null is expected.");
    }

    private PathConstant? ParsePattern()
    {
        var start = path.At++;
        while (!path.AtEnd && path.Current != '/')
        {
            path.At += path.Current == '\\' ? 2 : 1;
        }

        if (path.AtEnd)
        {
            path.Fail("The closing slash of the pattern is missing.");
            return null;
        }

        path.At++;
        while (!path.AtEnd && char.IsLetter(path.Current))
        {
            path.At++;
        }

        _pattern = path.Text[start..path.At];
        return new PathConstant(NodeKind.String, _pattern);
    }

    private PathConstant? ParseNumber()
    {
        var start = path.At;
        while (!path.AtEnd && path.Current is '-' or '+' or '.' or 'e' or 'E' or (>= '0' and <= '9'))
        {
            path.At++;
        }

        var digits = path.Text[start..path.At];
        return double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out _) ? new PathConstant(NodeKind.Number, digits) : null;
    }
}
