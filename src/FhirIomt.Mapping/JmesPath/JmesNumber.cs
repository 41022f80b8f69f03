using System.Globalization;
using System.Text.Json;

namespace FhirIomt.Mapping.JmesPath;

/// <summary>
/// A number: exact decimal wherever it fits, because a dose of 0.1 + 0.2 is 0.3. Beyond that, and where the connector's own arithmetic is asked
/// for, a double.
/// </summary>
internal sealed class JmesNumber
{
    private readonly decimal _exact;
    private readonly double _approximate;
    private readonly bool _isExact;

    private JmesNumber(decimal exact, double approximate, bool isExact, bool isInteger)
    {
        (_exact, _approximate, _isExact, IsInteger) = (exact, approximate, isExact, isInteger);
    }

    /// <summary>Whether it is written without fraction and exponent and fits in 64 bits; the connector's functions ask.</summary>
    public bool IsInteger { get; }

    public double Approximate => _isExact ? (double)_exact : _approximate;

    public static JmesNumber Of(decimal value) => new(value, 0, isExact: true, value.Scale == 0 && value is >= long.MinValue and <= long.MaxValue);

    public static JmesNumber Of(double value) => new(0, value, isExact: false, isInteger: false);

    public static JmesNumber Parse(ReadOnlySpan<byte> digits)
    {
        if (decimal.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var exact))
        {
            return new JmesNumber(exact, 0, isExact: true, !digits.ContainsAny((byte)'.', (byte)'e', (byte)'E') && exact is >= long.MinValue and <= long.MaxValue);
        }

        return Of(double.Parse(digits, NumberStyles.Float, CultureInfo.InvariantCulture));
    }

    public bool TryExact(out decimal value)
    {
        value = _exact;
        return _isExact;
    }

    public int OrderTo(JmesNumber other) => _isExact && other._isExact ? _exact.CompareTo(other._exact) : Approximate.CompareTo(other.Approximate);

    public override string ToString() => _isExact ? _exact.ToString(CultureInfo.InvariantCulture) : _approximate.ToString("R", CultureInfo.InvariantCulture);

    public void WriteTo(Utf8JsonWriter writer)
    {
        // NaN and the infinities have no JSON; they come up only when the connector's arithmetic is asked for, and it gives them on as text.
        if (_isExact || double.IsFinite(_approximate))
        {
            writer.WriteRawValue(ToString(), skipInputValidation: true);
        }
        else
        {
            writer.WriteStringValue(ToString());
        }
    }
}
