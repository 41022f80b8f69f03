namespace FhirIomt.Core.Units;

/// <summary>A number with its unit.</summary>
public readonly record struct UcumQuantity(decimal Value, UcumUnit Unit)
{
    /// <summary>The product in canonical base units; null where special units have none, or when it does not fit 28 digits.</summary>
    public UcumQuantity? Multiply(UcumQuantity other) => Combine(other, 1);

    /// <summary>The quotient in canonical base units; null also for a division by zero.</summary>
    public UcumQuantity? Divide(UcumQuantity other) => other.Value == 0 ? null : Combine(other, -1);

    private UcumQuantity? Combine(UcumQuantity other, int exponent)
    {
        if (Unit.IsSpecial || other.Unit.IsSpecial)
        {
            return null;
        }

        var unit = Unit.Times(other.Unit, exponent);
        var value = Rational.Of(Value) * Rational.Of(other.Value).Power(exponent) * unit.Factor;
        return value.ToDecimal() is { } number ? new UcumQuantity(number, UcumUnit.Proportional(unit.CanonicalCode, Rational.One, unit.Dimension)) : null;
    }
}
