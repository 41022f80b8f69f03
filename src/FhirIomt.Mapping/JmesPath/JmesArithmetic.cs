namespace FhirIomt.Mapping.JmesPath;

/// <summary>Arithmetic in exact decimals; in doubles only where a number is beyond them.</summary>
internal static class JmesArithmetic
{
    public static JmesValue Abs(JmesNumber number) => Of(number, Math.Abs, Math.Abs);

    public static JmesValue Ceiling(JmesNumber number) => Of(number, Math.Ceiling, Math.Ceiling);

    public static JmesValue Floor(JmesNumber number) => Of(number, Math.Floor, Math.Floor);

    public static JmesValue Sum(JmesValue array) => JmesValue.Of(Total(array));

    public static JmesValue Average(JmesValue array)
    {
        var total = Total(array);
        return JmesValue.Of(total.TryExact(out var exact) ? JmesNumber.Of(Quotient(exact, array.Count)) : JmesNumber.Of(total.Approximate / array.Count));
    }

    /// <summary>Without the zeros that a multiplication or division leaves behind: 0.5 × 100.0 is 50, not 50.00.</summary>
    public static decimal Trim(decimal value) => value / 1.0000000000000000000000000000m;

    /// <summary>Exact where it ends; else 15 digits, which every reader of JSON keeps.</summary>
    public static decimal Quotient(decimal dividend, decimal divisor)
    {
        var quotient = dividend / divisor;
        if (quotient.Scale < 28 - 3 && quotient * divisor == dividend)
        {
            return Trim(quotient);
        }

        return Rounded(quotient);
    }

    /// <summary>At most 15 digits.</summary>
    public static decimal Rounded(decimal value)
    {
        var whole = Math.Max(1, (int)Math.Ceiling(Math.Log10((double)Math.Abs(value) + 1)));
        return Trim(decimal.Round(value, Math.Clamp(15 - whole, 0, 28)));
    }

    private static JmesNumber Total(JmesValue array)
    {
        var exact = 0m;
        var approximate = 0.0;
        var isExact = true;
        foreach (var item in array.Items)
        {
            var number = item.AsNumber();
            approximate += number.Approximate;
            isExact = isExact && number.TryExact(out var part) && TryAdd(ref exact, part);
        }

        return isExact ? JmesNumber.Of(exact) : JmesNumber.Of(approximate);
    }

    private static bool TryAdd(ref decimal total, decimal part)
    {
        // decimal.MaxValue is near 7.9e28; beyond half of it on either side a sum may overflow.
        if (Math.Abs(total) > decimal.MaxValue / 2 || Math.Abs(part) > decimal.MaxValue / 2)
        {
            return false;
        }

        total += part;
        return true;
    }

    private static JmesValue Of(JmesNumber number, Func<decimal, decimal> exact, Func<double, double> approximate) =>
        JmesValue.Of(number.TryExact(out var value) ? JmesNumber.Of(exact(value)) : JmesNumber.Of(approximate(number.Approximate)));
}
