using System.Globalization;
using System.Numerics;

namespace FhirIomt.Core.Units;

/// <summary>UCUM's grammar (§7 to §12), case-sensitive form, by recursive descent.</summary>
internal ref struct UcumParser
{
    // The longest code in the conformance tests has 63 characters, and in LOINC 40.
    private const int MaxLength = 256;
    private const int MaxNesting = 16;

    // Beyond it no physical quantity is meant, and numbers would grow without bound.
    private const int MaxExponent = 99;
    private const int MaxNumberDigits = 40;

    private readonly ReadOnlySpan<char> _text;
    private readonly Func<string, UcumUnit?> _lookup;
    private int _at;
    private int _depth;
    private Issue? _issue;

    private UcumParser(string text, Func<string, UcumUnit?> lookup)
    {
        _text = text;
        _lookup = lookup;
    }

    public static Outcome<UcumUnit> Parse(string text, Func<string, UcumUnit?> lookup)
    {
        if (text.Length is 0 or > MaxLength)
        {
            return UcumIssues.Length(text, MaxLength);
        }

        var parser = new UcumParser(text, lookup);
        var unit = parser.Main();
        return parser._issue is { } issue ? issue : unit!.WithCode(text);
    }

    private readonly bool AtEnd => _at >= _text.Length;

    private readonly char Current => AtEnd ? '\0' : _text[_at];

    private UcumUnit? Main()
    {
        var unit = UcumUnit.Proportional("", Rational.One, UcumDimension.None);
        if (Current == '/')
        {
            _at++;
            unit = Join(unit, Term(), -1);
        }
        else
        {
            unit = Term();
        }

        return _issue is not null ? null : AtEnd ? unit : Fail($"'{Current}' is not expected");
    }

    private UcumUnit? Term()
    {
        var unit = Component();
        while (_issue is null && Current is '.' or '/')
        {
            var exponent = Current == '.' ? 1 : -1;
            _at++;
            unit = Join(unit, Component(), exponent);
        }

        return unit;
    }

    private readonly UcumUnit? Join(UcumUnit? left, UcumUnit? right, int exponent) => left is null || right is null ? null : left.Times(right, exponent);

    private UcumUnit? Component()
    {
        if (_issue is not null)
        {
            return null;
        }

        if (Current == '(')
        {
            return Nested();
        }

        var start = _at;
        var unit = Current == '{' ? UcumUnit.Proportional("", Rational.One, UcumDimension.None) : Simple();
        if (_issue is null && Current == '{')
        {
            Annotation();
        }

        return start == _at && _issue is null ? Fail("a unit is missing") : unit;
    }

    private UcumUnit? Nested()
    {
        if (++_depth > MaxNesting)
        {
            return Fail($"parentheses are nested deeper than {MaxNesting}");
        }

        _at++;
        var unit = Current == '/' ? Fail("a unit is missing") : Term();
        if (_issue is null && Current != ')')
        {
            return Fail("a closing parenthesis is missing");
        }

        _at++;
        _depth--;
        return unit;
    }

    private void Annotation()
    {
        _at++;
        while (!AtEnd && Current is > ' ' and < '\u007f' and not ('{' or '}'))
        {
            _at++;
        }

        if (Current != '}')
        {
            Fail("an annotation must be of ASCII characters without spaces, and end with '}'");
            return;
        }

        _at++;
    }

    private UcumUnit? Simple()
    {
        var start = _at;
        SkipSymbol();
        var symbol = _text[start.._at];
        if (symbol.IsEmpty)
        {
            return Fail("a unit is missing");
        }

        if (symbol.IndexOfAnyExceptInRange('0', '9') < 0)
        {
            return symbol.Length <= MaxNumberDigits && BigInteger.Parse(symbol, NumberStyles.None, CultureInfo.InvariantCulture) is { IsZero: false } number
                ? UcumUnit.Proportional("", Rational.Whole(number), UcumDimension.None)
                : Fail($"the number must be positive and have at most {MaxNumberDigits} digits");
        }

        var exponentStart = ExponentStart(symbol);
        var exponent = 1;
        if (exponentStart < symbol.Length && (!int.TryParse(symbol[exponentStart..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent) || Math.Abs(exponent) > MaxExponent))
        {
            return Fail($"the exponent must be a whole number of at most {MaxExponent}");
        }

        var name = symbol[..exponentStart].ToString();
        return _lookup(name) is not { } atom ? Fail($"there is no unit '{name}'", start)
            : exponent == 1 ? atom
            : UcumUnit.Proportional("", Rational.One, UcumDimension.None).Times(atom, exponent);
    }

    // Brackets hold what would be operators outside of them: [m/s2/Hz^(1/2)].
    private void SkipSymbol()
    {
        var inBrackets = false;
        while (!AtEnd && (inBrackets || Current is not ('.' or '/' or '(' or ')' or '{' or '}')))
        {
            inBrackets = Current == '[' || (inBrackets && Current != ']');
            _at++;
        }
    }

    private static int ExponentStart(ReadOnlySpan<char> symbol)
    {
        // The star and the roof end these two, so that their exponent may begin without a sign.
        var start = symbol.Length;
        while (start > 0 && char.IsAsciiDigit(symbol[start - 1]))
        {
            start--;
        }

        return start is > 0 && start < symbol.Length && symbol[start - 1] is '+' or '-' ? start - 1 : start;
    }

    private UcumUnit? Fail(string what, int? at = null)
    {
        _issue ??= UcumIssues.Invalid(_text.ToString(), at ?? _at, what);
        return null;
    }
}
