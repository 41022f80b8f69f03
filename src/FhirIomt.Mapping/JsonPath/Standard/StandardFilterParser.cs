using System.Text;
using FhirIomt.Mapping.JmesPath;

namespace FhirIomt.Mapping.JsonPath.Standard;

/// <summary>Reads a filter expression of RFC 9535 §2.3.5 and checks that it is well-typed (§2.4.3).</summary>
internal sealed class StandardFilterParser(StandardParser path)
{
    private static readonly (string Sign, PathOperator Operator)[] Signs =
    [
        ("==", PathOperator.Equal),
        ("!=", PathOperator.NotEqual),
        ("<=", PathOperator.LessOrEqual),
        ("<", PathOperator.Less),
        (">=", PathOperator.GreaterOrEqual),
        (">", PathOperator.Greater),
    ];

    public bool TryParse(out PathPredicate? predicate)
    {
        predicate = null;
        if (!path.Enter() || !TryParseAll("||", inner: true, out predicate))
        {
            return false;
        }

        path.Leave();
        return true;
    }

    // a || b, whose parts are a && b.
    private bool TryParseAll(string sign, bool inner, out PathPredicate? predicate)
    {
        predicate = null;
        var parts = new List<PathPredicate>();
        while (true)
        {
            if (!(inner ? TryParseAll("&&", inner: false, out var part) : TryParseBasic(out part)))
            {
                return false;
            }

            parts.Add(part!);
            var before = path.At;
            path.SkipBlanks();
            if (!path.Take(sign))
            {
                path.At = before;
                predicate = parts.Count == 1 ? parts[0] : inner ? new AnyPredicate([.. parts]) : new AllPredicate([.. parts]);
                return true;
            }

            path.SkipBlanks();
        }
    }

    private bool TryParseBasic(out PathPredicate? predicate)
    {
        predicate = null;
        var isNot = path.Take("!");
        path.SkipBlanks();
        if (path.Take("("))
        {
            path.SkipBlanks();
            if (!TryParse(out predicate))
            {
                return false;
            }

            path.SkipBlanks();
            if (!path.Take(")"))
            {
                return path.Fail("')' is expected.");
            }
        }
        else if (!TryParseTest(isNot, out predicate))
        {
            return false;
        }

        predicate = isNot ? new NotPredicate(predicate!) : predicate;
        return true;
    }

    private bool TryParseTest(bool isNot, out PathPredicate? predicate)
    {
        predicate = null;
        var start = path.At;
        if (ParseOperand() is not { } left)
        {
            return false;
        }

        var before = path.At;
        path.SkipBlanks();
        var known = Array.FindIndex(Signs, sign => path.Take(sign.Sign));
        if (known < 0)
        {
            path.At = before;
            predicate = left switch
            {
                QueryOperand query => new ExistsPredicate(query.Query),
                RegexOperand regex => new LogicalPredicate(regex),
                _ => null,
            };
            return predicate is not null || path.Fail("A comparison is expected: a value by itself is neither true nor false.");
        }

        path.SkipBlanks();
        if (isNot)
        {
            return path.Fail("'!' before a comparison needs parentheses.");
        }

        if (ParseOperand() is not { } right)
        {
            return false;
        }

        if (!left.IsValue || !right.IsValue)
        {
            path.At = start;
            return path.Fail("Only values are compared: literals, paths that find one value at most, and functions that give one.");
        }

        predicate = new StandardComparison(left, Signs[known].Operator, right);
        return true;
    }

    private Operand? ParseOperand()
    {
        switch (path.Current)
        {
            case '@' or '$':
                return ParseQuery();
            case '\'' or '"':
                return path.ParseString() is { } text ? new LiteralOperand(JmesValue.Of(text)) : null;
            case '-' or (>= '0' and <= '9'):
                return ParseNumber();
            default:
                return ParseWord();
        }
    }

    private QueryOperand? ParseQuery()
    {
        var isAbsolute = path.Current == '$';
        path.At++;
        return path.TryParseSegments(out var first, out var isSingular) ? new QueryOperand(PathOperand.Of(isAbsolute ? new RootStep { Next = first } : first), isSingular) : null;
    }

    // int [frac] [exp], as in JSON but for "-0".
    private LiteralOperand? ParseNumber()
    {
        var start = path.At;
        path.Take("-");
        var whole = Digits();
        var isNumber = whole == 1 || (whole > 1 && path.Text[path.At - whole] != '0');
        if (isNumber && path.Take("."))
        {
            isNumber = Digits() > 0;
        }

        if (isNumber && path.Current is 'e' or 'E')
        {
            path.At++;
            path.At += path.Current is '+' or '-' ? 1 : 0;
            isNumber = Digits() > 0;
        }

        if (!isNumber)
        {
            path.Fail("A number as JSON writes it is expected.");
            return null;
        }

        return new LiteralOperand(JmesValue.Of(JmesNumber.Parse(Encoding.ASCII.GetBytes(path.Text[start..path.At]))));
    }

    private int Digits()
    {
        var start = path.At;
        while (char.IsAsciiDigit(path.Current))
        {
            path.At++;
        }

        return path.At - start;
    }

    private Operand? ParseWord()
    {
        var start = path.At;
        while (char.IsAsciiLetterLower(path.Current) || (path.At > start && (path.Current == '_' || char.IsAsciiDigit(path.Current))))
        {
            path.At++;
        }

        var word = path.Text[start..path.At];
        if (path.Current == '(')
        {
            return ParseFunction(word, start);
        }

        switch (word)
        {
            case "true":
                return new LiteralOperand(JmesValue.True);
            case "false":
                return new LiteralOperand(JmesValue.False);
            case "null":
                return new LiteralOperand(JmesValue.Null);
            default:
                path.At = start;
                path.Fail("A path (@… or $…), a literal, a function, '!' or '(' is expected.");
                return null;
        }
    }

    private Operand? ParseFunction(string name, int start)
    {
        path.At++;
        path.SkipBlanks();
        if (!path.Enter() || ParseArguments() is not { } arguments)
        {
            return null;
        }

        path.Leave();
        Operand? function = (name, arguments) switch
        {
            ("length", [{ IsValue: true } value]) => new LengthOperand(value),
            ("count", [QueryOperand nodes]) => new CountOperand(nodes),
            ("value", [QueryOperand nodes]) => new ValueOperand(nodes),
            ("match", [{ IsValue: true } value, { IsValue: true } pattern]) => new RegexOperand(value, pattern, isWhole: true),
            ("search", [{ IsValue: true } value, { IsValue: true } pattern]) => new RegexOperand(value, pattern, isWhole: false),
            _ => null,
        };
        if (function is null)
        {
            path.At = start;
            path.Fail($"There is no function '{name}' with arguments of these types; there are length(value), count(nodes), value(nodes), match(value, value) and search(value, value).");
        }

        return function;
    }

    private Operand[]? ParseArguments()
    {
        var arguments = new List<Operand>();
        while (!path.Take(")"))
        {
            if (arguments.Count > 0)
            {
                if (!path.Take(","))
                {
                    path.Fail("',' or ')' is expected.");
                    return null;
                }

                path.SkipBlanks();
            }

            if (ParseOperand() is not { } argument)
            {
                return null;
            }

            arguments.Add(argument);
            path.SkipBlanks();
        }

        return [.. arguments];
    }
}
