using System.Globalization;
using System.Numerics;

namespace FhirIomt.Core.Units;

/// <summary>An exact number: a fraction in lowest terms with a positive denominator.</summary>
internal readonly record struct Rational
{
    private readonly BigInteger _denominator;

    public Rational(BigInteger numerator, BigInteger denominator)
    {
        var divisor = BigInteger.GreatestCommonDivisor(numerator, denominator);
        divisor = denominator.Sign < 0 ? -divisor : divisor;
        Numerator = numerator / divisor;
        _denominator = denominator / divisor;
    }

    public static Rational Zero => default;

    public static Rational One => new(1, 1);

    public BigInteger Numerator { get; }

    // The default value is zero, which needs a denominator too.
    public BigInteger Denominator => _denominator.IsZero ? BigInteger.One : _denominator;

    public int Sign => Numerator.Sign;

    public static Rational Whole(BigInteger value) => new(value, 1);

    public static Rational Of(decimal value)
    {
        var bits = decimal.GetBits(value);
        var digits = new BigInteger((uint)bits[2]) << 64 | new BigInteger((uint)bits[1]) << 32 | (uint)bits[0];
        return new Rational(bits[3] < 0 ? -digits : digits, BigInteger.Pow(10, (bits[3] >> 16) & 0xFF));
    }

    /// <summary>Digits with an optional point and exponent, as the unit table has them; nothing for anything else.</summary>
    public static Rational? Parse(string text)
    {
        var e = text.IndexOfAny(['e', 'E']);
        var number = e < 0 ? text : text[..e];
        var exponent = 0;
        if (e >= 0 && (!int.TryParse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent) || Math.Abs(exponent) > 1000))
        {
            return null;
        }

        var point = number.IndexOf('.', StringComparison.Ordinal);
        exponent -= point < 0 ? 0 : number.Length - point - 1;
        return BigInteger.TryParse(number.Replace(".", "", StringComparison.Ordinal), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var digits)
            ? Whole(digits) * PowerOfTen(exponent) : null;
    }

    public static Rational PowerOfTen(int exponent) => exponent >= 0 ? Whole(BigInteger.Pow(10, exponent)) : new Rational(1, BigInteger.Pow(10, -exponent));

    public Rational Power(int exponent) => exponent >= 0
        ? new Rational(BigInteger.Pow(Numerator, exponent), BigInteger.Pow(Denominator, exponent))
        : new Rational(BigInteger.Pow(Denominator, -exponent), BigInteger.Pow(Numerator, -exponent));

    public static Rational operator +(Rational left, Rational right) => new((left.Numerator * right.Denominator) + (right.Numerator * left.Denominator), left.Denominator * right.Denominator);

    public static Rational operator -(Rational left, Rational right) => left + new Rational(-right.Numerator, right.Denominator);

    public static Rational operator *(Rational left, Rational right) => new(left.Numerator * right.Numerator, left.Denominator * right.Denominator);

    public static Rational operator /(Rational left, Rational right) => new(left.Numerator * right.Denominator, left.Denominator * right.Numerator);

    public static bool operator <(Rational left, Rational right) => (left - right).Sign < 0;

    public static bool operator >(Rational left, Rational right) => (left - right).Sign > 0;

    /// <summary>The nearest decimal with up to 28 digits; nothing when it is too large, or so small that only zeros would be left.</summary>
    public decimal? ToDecimal()
    {
        var scale = Scale();
        if (scale < 0)
        {
            return null;
        }

        var digits = RoundedQuotient(Numerator * BigInteger.Pow(10, scale), Denominator);
        if (digits.IsZero && Sign != 0)
        {
            return null;
        }

        while (scale > 0 && digits % 10 == 0)
        {
            (digits, scale) = (digits / 10, scale - 1);
        }

        var size = BigInteger.Abs(digits);
        return size >= BigInteger.One << 96 ? null : new decimal((int)(uint)(size & uint.MaxValue), (int)(uint)((size >> 32) & uint.MaxValue), (int)(uint)((size >> 64) & uint.MaxValue), digits.Sign < 0, (byte)scale);
    }

    // How many places after the point leave 28 digits in all; decimal has at most 28 places.
    private int Scale()
    {
        var whole = BigInteger.Abs(Numerator / Denominator);
        var digits = whole.IsZero ? 0 : (int)Math.Min(1000, BigInteger.Log10(whole) + 1);
        return digits <= 28 ? 28 - digits : digits == 29 ? 0 : -1;
    }

    private static BigInteger RoundedQuotient(BigInteger numerator, BigInteger denominator)
    {
        var half = denominator / 2;
        return (numerator.Sign < 0 ? numerator - half : numerator + half) / denominator;
    }
}
