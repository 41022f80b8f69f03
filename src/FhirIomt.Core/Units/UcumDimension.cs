using System.Globalization;

namespace FhirIomt.Core.Units;

/// <summary>Base units with their exponents, such as <c>g.m-1.s-2</c>. Arbitrary units are base units of their own: nothing converts to them (UCUM §24).</summary>
internal sealed class UcumDimension
{
    private readonly SortedDictionary<string, int> _powers;

    private UcumDimension(SortedDictionary<string, int> powers)
    {
        _powers = powers;
        Code = powers.Count == 0 ? "1" : string.Join('.', powers.Select(power => power.Key + (power.Value == 1 ? "" : power.Value.ToString(CultureInfo.InvariantCulture))));
    }

    public static UcumDimension None { get; } = new([]);

    /// <summary>The product of base units as a UCUM code; equal for equal dimensions.</summary>
    public string Code { get; }

    public static UcumDimension Of(string baseUnit) => new(new SortedDictionary<string, int>(StringComparer.Ordinal) { [baseUnit] = 1 });

    public UcumDimension Times(UcumDimension other, int exponent)
    {
        var powers = new SortedDictionary<string, int>(_powers, StringComparer.Ordinal);
        foreach (var (unit, power) in other._powers)
        {
            powers[unit] = powers.GetValueOrDefault(unit) + (power * exponent);
            if (powers[unit] == 0)
            {
                powers.Remove(unit);
            }
        }

        return new UcumDimension(powers);
    }
}
