namespace FhirIomt.Core.Units;

/// <summary>How a special unit (UCUM §21, §22) relates to the unit that it is defined by. Names as in UCUM's essence.</summary>
internal sealed record SpecialFunction(string Name)
{
    // ln 50000 / ln 10
    private static readonly Rational Lg50000 = Precise.Log10(Rational.Whole(50000))!.Value;
    private static readonly Rational Lg2 = Precise.Log10(Rational.Whole(2))!.Value;
    private static readonly Rational Two = Rational.Whole(2);
    private static readonly Rational Hundred = Rational.Whole(100);

    /// <summary>Whether the name is one that this program computes.</summary>
    public bool IsKnown => Name is "Cel" or "degF" or "degRe" or "pH" or "lg" or "ln" or "ld" or "lgTimes2" or "tanTimes100" or "100tan" or "hpX" or "hpC" or "hpM" or "hpQ" or "sqrt";

    /// <summary>From a number in the special unit to the number in the defining unit; nothing where there is none.</summary>
    public Rational? ToProper(Rational value) => Name switch
    {
        "Cel" => value + new Rational(27315, 100),
        "degF" => value + new Rational(45967, 100),
        "degRe" => value + new Rational(21852, 100),
        "pH" or "hpX" => Precise.PowerOfTen(Rational.Zero - value),
        "lg" => Precise.PowerOfTen(value),
        "ln" => Precise.PowerOfTen(Precise.NaturalToDecimal(value)),
        "ld" => Precise.PowerOfTen(value * Lg2),
        "lgTimes2" => Precise.PowerOfTen(value / Two),
        "tanTimes100" or "100tan" => Precise.ArcTangent(value / Hundred),
        "hpC" => Precise.PowerOfTen(Rational.Whole(-2) * value),
        "hpM" => Precise.PowerOfTen(Rational.Whole(-3) * value),
        "hpQ" => Precise.PowerOfTen(Rational.Zero - (value * Lg50000)),
        "sqrt" => value * value,
        _ => null,
    };

    /// <summary>The inverse.</summary>
    public Rational? FromProper(Rational value) => Name switch
    {
        "Cel" => value - new Rational(27315, 100),
        "degF" => value - new Rational(45967, 100),
        "degRe" => value - new Rational(21852, 100),
        "tanTimes100" or "100tan" => Precise.Tangent(value) * Hundred,
        "sqrt" => Precise.SquareRoot(value),
        _ => Precise.Log10(value) is { } logarithm ? FromLogarithm(logarithm) : null,
    };

    private Rational? FromLogarithm(Rational logarithm) => Name switch
    {
        "pH" or "hpX" => Rational.Zero - logarithm,
        "lg" => logarithm,
        "ln" => logarithm / Precise.NaturalToDecimal(Rational.One),
        "ld" => logarithm / Lg2,
        "lgTimes2" => logarithm * Two,
        "hpC" => logarithm / Rational.Whole(-2),
        "hpM" => logarithm / Rational.Whole(-3),
        "hpQ" => Rational.Zero - (logarithm / Lg50000),
        _ => null,
    };
}
