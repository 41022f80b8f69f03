namespace FhirIomt.Core.Units;

/// <summary>A UCUM unit that was read: what it measures and how large it is in base units. Immutable. Made by <see cref="Ucum"/>.</summary>
public sealed class UcumUnit
{
    private readonly Rational _factor;
    private readonly UcumDimension _dimension;
    private readonly SpecialFunction? _special;
    private readonly Rational _scale;
    private readonly bool _isMixed;

    private UcumUnit(string code, Rational factor, UcumDimension dimension, SpecialFunction? special = null, Rational? scale = null, bool isMixed = false)
    {
        Code = code;
        _factor = factor;
        _dimension = dimension;
        _special = special;
        _scale = scale ?? Rational.One;
        _isMixed = isMixed;
    }

    /// <summary>The code as it was given, case-sensitive form (c/s).</summary>
    public string Code { get; }

    /// <summary>What it measures: a product of base units such as <c>g.m-1.s-2</c>, or <c>1</c>.</summary>
    public string CanonicalCode => _dimension.Code;

    /// <summary>How many canonical units it is; null for special units, which are not proportional, and where it does not fit 28 digits.</summary>
    public decimal? CanonicalFactor => IsSpecial ? null : _factor.ToDecimal();

    /// <summary>Whether it is not proportional to its base units (Cel, [pH], dB).</summary>
    public bool IsSpecial => _special is not null || _isMixed;

    internal Rational Factor => _factor;

    internal UcumDimension Dimension => _dimension;

    internal static UcumUnit Proportional(string code, Rational factor, UcumDimension dimension) => new(code, factor, dimension);

    internal static UcumUnit Special(string code, SpecialFunction function, Rational scale, Rational factor, UcumDimension dimension) => new(code, factor, dimension, function, scale);

    internal UcumUnit WithCode(string code) => new(code, _factor, _dimension, _special, _scale, _isMixed);

    /// <summary>Whether a value in one unit can be said in the other.</summary>
    public bool IsComparableTo(UcumUnit other) => (!_isMixed && !other._isMixed && _dimension.Code == other._dimension.Code) || Code == other.Code;

    /// <summary>The value in another unit, exact but for the 28 digits of decimal; null when the units are not comparable or the result does not fit.</summary>
    public decimal? Convert(decimal value, UcumUnit target)
    {
        if (Code == target.Code)
        {
            return value;
        }

        return IsComparableTo(target) ? target.FromCanonical(ToCanonical(Rational.Of(value)))?.ToDecimal() : null;
    }

    /// <summary>The product with another unit, or with <paramref name="exponent"/> -1 the quotient. A special unit has none (UCUM §22) but by 1:
    /// the answer is then comparable only with itself.</summary>
    internal UcumUnit Times(UcumUnit other, int exponent)
    {
        var isMixed = (IsSpecial && !other.IsUnity) || (other.IsSpecial && (exponent != 1 || !IsUnity));
        var special = isMixed ? null : _special ?? other._special;
        return new UcumUnit("", _factor * other._factor.Power(exponent), _dimension.Times(other._dimension, exponent), special, _special is not null ? _scale : other._scale, isMixed);
    }

    internal bool IsUnity => !IsSpecial && _factor == Rational.One && _dimension.Code == "1";

    private Rational? ToCanonical(Rational value) => _special is null ? value * _factor : _special.ToProper(value * _scale) * _factor;

    private Rational? FromCanonical(Rational? value) => value is not { } known ? null : _special is null ? known / _factor : _special.FromProper(known / _factor) / _scale;

    public override string ToString() => Code;
}
