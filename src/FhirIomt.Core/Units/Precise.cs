using System.Numerics;

namespace FhirIomt.Core.Units;

/// <summary>Powers, logarithms and angles to 40 places, for units that are not proportional to their base unit. Decimal has 28 digits.</summary>
internal static class Precise
{
    // Ten guard digits for the sums below.
    private const int Places = 50;

    // 10 to this power is far outside decimal; larger arguments are refused rather than computed.
    private const int MaxExponent = 400;

    private static readonly BigInteger One = BigInteger.Pow(10, Places);
    private static readonly BigInteger Ln10 = LnOf(10 * One);

    /// <summary>10 to the power of a fraction; nothing when that is beyond any decimal.</summary>
    public static Rational? PowerOfTen(Rational exponent)
    {
        var whole = Floor(exponent);
        if (BigInteger.Abs(whole) > MaxExponent)
        {
            return null;
        }

        var rest = exponent - Rational.Whole(whole);
        var power = Rational.PowerOfTen((int)whole);
        return rest.Sign == 0 ? power : power * new Rational(Exp(Fixed(rest) * Ln10 / One), One);
    }

    /// <summary>The decimal logarithm of a positive number.</summary>
    public static Rational? Log10(Rational value)
    {
        if (value.Sign <= 0)
        {
            return null;
        }

        // Numerator and denominator tell the power of ten to within one; what is left lies near 1.
        var whole = Digits(value.Numerator) - Digits(value.Denominator);
        var rest = value / Rational.PowerOfTen(whole);
        return Rational.Whole(whole) + (rest == Rational.One ? Rational.Zero : new Rational(LnOf(Fixed(rest)), Ln10));
    }

    /// <summary>The power of ten that a natural exponent stands for.</summary>
    public static Rational NaturalToDecimal(Rational exponent) => exponent * new Rational(One, Ln10);

    public static Rational? SquareRoot(Rational value)
    {
        if (value.Sign < 0)
        {
            return null;
        }

        var (numerator, denominator) = (Root(value.Numerator), Root(value.Denominator));
        return numerator * numerator == value.Numerator && denominator * denominator == value.Denominator
            ? new Rational(numerator, denominator)
            : new Rational(Root(value.Numerator * value.Denominator * One * One), value.Denominator * One);
    }

    /// <summary>The angle in rad of a tangent.</summary>
    public static Rational ArcTangent(Rational tangent)
    {
        var x = Fixed(tangent);
        var halvings = 0;
        while (BigInteger.Abs(x) > One / 8)
        {
            // atan x = 2 atan (x / (1 + √(1 + x²)))
            x = x * One / (One + Root((One * One) + (x * x)));
            halvings++;
        }

        var (sum, power, square) = (x, x, x * x / One);
        for (var n = 3; !power.IsZero; n += 2)
        {
            power = -power * square / One;
            sum += power / n;
        }

        return new Rational(sum * BigInteger.Pow(2, halvings), One);
    }

    /// <summary>The tangent of an angle in rad between -π/2 and π/2.</summary>
    public static Rational? Tangent(Rational angle)
    {
        if (BigInteger.Abs(Fixed(angle)) > One * 157 / 100)
        {
            return null;
        }

        var x = Fixed(angle);
        var (sine, cosine, term) = (BigInteger.Zero, BigInteger.Zero, One);
        for (var n = 1; !term.IsZero; n += 2)
        {
            cosine += term;
            term = term * x / One / n;
            sine += term;
            term = -term * x / One / (n + 1);
        }

        return new Rational(sine, cosine);
    }

    private static BigInteger Exp(BigInteger x)
    {
        var (sum, term) = (One, One);
        for (var n = 1; !term.IsZero; n++)
        {
            term = term * x / One / n;
            sum += term;
        }

        return sum;
    }

    private static BigInteger LnOf(BigInteger x)
    {
        // ln x = 2^k ln x^(1/2^k), and ln y = 2 atanh ((y - 1) / (y + 1))
        var halvings = 0;
        while (BigInteger.Abs(x - One) > One / 8)
        {
            x = Root(x * One);
            halvings++;
        }

        var z = (x - One) * One / (x + One);
        var (sum, power, square) = (z, z, z * z / One);
        for (var n = 3; !power.IsZero; n += 2)
        {
            power = power * square / One;
            sum += power / n;
        }

        return sum * BigInteger.Pow(2, halvings + 1);
    }

    // Newton's method from above.
    private static BigInteger Root(BigInteger value)
    {
        if (value.IsZero)
        {
            return value;
        }

        var root = BigInteger.One << (int)((value.GetBitLength() / 2) + 1);
        while (true)
        {
            var next = (root + (value / root)) >> 1;
            if (next >= root)
            {
                return root;
            }

            root = next;
        }
    }

    private static BigInteger Fixed(Rational value) => value.Numerator * One / value.Denominator;

    private static BigInteger Floor(Rational value)
    {
        var quotient = BigInteger.DivRem(value.Numerator, value.Denominator, out var rest);
        return rest.Sign < 0 ? quotient - 1 : quotient;
    }

    private static int Digits(BigInteger value) => (int)(value.GetBitLength() * 30103L / 100000);
}
