using System.Globalization;

namespace FhirIomt.Fhir.Search;

/// <summary>Numbers with the interval that their written precision covers (R4 §3.1.1.4.1): 100 covers 99.5 up to 100.5, 1e2 covers 50 up to 150.</summary>
public static class FhirNumber
{
    /// <summary>False for what is no number or does not fit a decimal.</summary>
    public static bool TryParseInterval(ReadOnlySpan<byte> utf8, out decimal value, out decimal low, out decimal high)
    {
        (low, high) = (0, 0);
        if (!decimal.TryParse(utf8, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out value) || !TryUnit(utf8, out var unit))
        {
            return false;
        }

        try
        {
            (low, high) = (value - (unit / 2), value + (unit / 2));
            return true;
        }
        catch (OverflowException)
        {
            return false;
        }
    }

    // The worth of the last digit written.
    private static bool TryUnit(ReadOnlySpan<byte> utf8, out decimal unit)
    {
        unit = 1;
        var exponentAt = utf8.IndexOfAny((byte)'e', (byte)'E');
        var mantissa = exponentAt < 0 ? utf8 : utf8[..exponentAt];
        var point = mantissa.IndexOf((byte)'.');
        var power = point < 0 ? 0 : point + 1 - mantissa.Length;
        if (exponentAt >= 0)
        {
            if (!int.TryParse(utf8[(exponentAt + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var exponent) || Math.Abs(exponent) > 60)
            {
                return false;
            }

            power += exponent;
        }

        if (power is < -27 or > 27)
        {
            return false;
        }

        for (; power > 0; power--)
        {
            unit *= 10;
        }

        for (; power < 0; power++)
        {
            unit /= 10;
        }

        return true;
    }
}
