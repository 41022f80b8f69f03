using System.Globalization;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>
/// The small part of UCUM that FHIRPath comparison and arithmetic need: products and quotients of prefixed units with integer exponents.
/// Special units (Cel, [degF], pH) and unknown ones are comparable only with themselves.
/// </summary>
internal static class UnitMath
{
    private const string Dimensions = "msgK";

    public static decimal? Convert(decimal value, string from, string to)
    {
        if (from == to)
        {
            return value;
        }

        try
        {
            return TryParse(from, out var one) && TryParse(to, out var other) && one.Powers.AsSpan().SequenceEqual(other.Powers) ? value * one.Factor / other.Factor : null;
        }
        catch (OverflowException)
        {
            return null;
        }
    }

    public static bool AreComparable(string one, string other) => one == other || Convert(1, one, other) is not null;

    /// <summary>The product (or quotient) with its unit written in base units; null when a unit is unknown.</summary>
    public static FhirPathQuantity? Multiply(FhirPathQuantity left, FhirPathQuantity right, bool divide)
    {
        if (left.UcumUnit is not { } one || right.UcumUnit is not { } other || !TryParse(one, out var a) || !TryParse(other, out var b))
        {
            return null;
        }

        var powers = new int[Dimensions.Length];
        for (var index = 0; index < powers.Length; index++)
        {
            powers[index] = a.Powers[index] + (divide ? -b.Powers[index] : b.Powers[index]);
        }

        var value = divide ? left.Value * a.Factor / (right.Value * b.Factor) : left.Value * a.Factor * right.Value * b.Factor;
        return new FhirPathQuantity(value, Write(powers), IsCalendar: false);
    }

    private static string Write(int[] powers)
    {
        var parts = new List<string>();
        for (var index = 0; index < powers.Length; index++)
        {
            if (powers[index] != 0)
            {
                parts.Add(Dimensions[index] + (powers[index] == 1 ? "" : powers[index].ToString(CultureInfo.InvariantCulture)));
            }
        }

        return parts.Count == 0 ? "1" : string.Join('.', parts);
    }

    private static bool TryParse(string text, out (decimal Factor, int[] Powers) unit)
    {
        unit = (1, new int[Dimensions.Length]);
        var start = 0;
        var sign = 1;
        if (text.StartsWith('/'))
        {
            (start, sign) = (1, -1);
        }

        while (start <= text.Length)
        {
            var end = text.AsSpan(start).IndexOfAny('.', '/') is >= 0 and var found ? start + found : text.Length;
            if (!TryTerm(text[start..end], sign, ref unit))
            {
                return false;
            }

            sign = end < text.Length && text[end] == '/' ? -1 : 1;
            start = end + 1;
        }

        return true;
    }

    private static bool TryTerm(string term, int sign, ref (decimal Factor, int[] Powers) unit)
    {
        var note = term.IndexOf('{', StringComparison.Ordinal);
        term = note >= 0 ? term[..note] : term;
        if (term.Length == 0)
        {
            return note >= 0;
        }

        if (int.TryParse(term, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0)
        {
            unit.Factor = sign > 0 ? unit.Factor * number : unit.Factor / number;
            return true;
        }

        var digits = term.Length;
        while (digits > 0 && (char.IsAsciiDigit(term[digits - 1]) || term[digits - 1] is '-' or '+'))
        {
            digits--;
        }

        var exponent = 1;
        if ((digits < term.Length && !int.TryParse(term.AsSpan(digits), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent)) || Math.Abs(exponent) > 9)
        {
            return false;
        }

        if (Atom(term[..digits]) is not { } atom)
        {
            return false;
        }

        for (var count = Math.Abs(exponent); count > 0; count--)
        {
            unit.Factor = exponent * sign > 0 ? unit.Factor * atom.Factor : unit.Factor / atom.Factor;
        }

        for (var index = 0; index < Dimensions.Length; index++)
        {
            unit.Powers[index] += atom.Powers[index] * exponent * sign;
        }

        return true;
    }

    private static (decimal Factor, int[] Powers)? Atom(string symbol)
    {
        if (Plain(symbol) is { } plain)
        {
            return plain;
        }

        return symbol.Length > 1 && Prefix(symbol[0]) is { } scale && Plain(symbol[1..]) is { } scaled && symbol[1..] is not ("min" or "h" or "d" or "wk")
            ? (scale * scaled.Factor, scaled.Powers)
            : null;
    }

    // Powers in the order that Dimensions names them.
    private static (decimal Factor, int[] Powers)? Plain(string symbol) => symbol switch
    {
        "m" => (1m, Powers(m: 1)),
        "s" => (1m, Powers(s: 1)),
        "g" => (1m, Powers(g: 1)),
        "K" => (1m, Powers(k: 1)),
        "min" => (60m, Powers(s: 1)),
        "h" => (3600m, Powers(s: 1)),
        "d" => (86400m, Powers(s: 1)),
        "wk" => (604800m, Powers(s: 1)),
        "l" or "L" => (0.001m, Powers(m: 3)),
        "Hz" => (1m, Powers(s: -1)),
        "N" => (1000m, Powers(m: 1, s: -2, g: 1)),
        "Pa" => (1000m, Powers(m: -1, s: -2, g: 1)),
        "J" => (1000m, Powers(m: 2, s: -2, g: 1)),
        "W" => (1000m, Powers(m: 2, s: -3, g: 1)),
        "cal" => (4184m, Powers(m: 2, s: -2, g: 1)),
        "m[Hg]" => (133322000m, Powers(m: -1, s: -2, g: 1)),
        "[lb_av]" => (453.59237m, Powers(g: 1)),
        "[oz_av]" => (28.349523125m, Powers(g: 1)),
        "[in_i]" => (0.0254m, Powers(m: 1)),
        "[ft_i]" => (0.3048m, Powers(m: 1)),
        "%" => (0.01m, Powers()),
        _ => null,
    };

    private static int[] Powers(int m = 0, int s = 0, int g = 0, int k = 0) => [m, s, g, k];

    private static decimal? Prefix(char letter) => letter switch
    {
        'T' => 1e12m,
        'G' => 1e9m,
        'M' => 1e6m,
        'k' => 1e3m,
        'h' => 1e2m,
        'd' => 0.1m,
        'c' => 0.01m,
        'm' => 0.001m,
        'u' => 1e-6m,
        'n' => 1e-9m,
        'p' => 1e-12m,
        'f' => 1e-15m,
        _ => null,
    };
}
