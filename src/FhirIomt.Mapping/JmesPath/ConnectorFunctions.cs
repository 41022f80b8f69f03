using System.Globalization;

namespace FhirIomt.Mapping.JmesPath;

/// <summary>
/// The functions that the IoMT connector adds. By default they calculate as their documentation says: divide(40, 50) is 0.8, nothing wraps, and
/// what has no result fails. With the defect asked for they calculate as the connector does.
/// </summary>
internal static class ConnectorFunctions
{
    private const string Times = "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'";

    private static readonly JmesTypes[] TwoNumbers = [JmesTypes.Number, JmesTypes.Number];

    public static JmesFunction[] All { get; } =
    [
        new("add", TwoNumbers, call => Calculate(call, decimal.Add, (a, b) => unchecked(a + b), (a, b) => a + b)),
        new("subtract", TwoNumbers, call => Calculate(call, decimal.Subtract, (a, b) => unchecked(a - b), (a, b) => a - b)),
        new("multiply", TwoNumbers, call => Calculate(call, (a, b) => JmesArithmetic.Trim(a * b), (a, b) => unchecked(a * b), (a, b) => a * b)),
        new("divide", TwoNumbers, call => Calculate(call, (a, b) => JmesArithmetic.Quotient(a, b), (a, b) => a / b, (a, b) => a / b)),
        new("pow", TwoNumbers, call => Calculate(call, Power, (a, b) => Convert.ToInt64(Math.Pow(a, b)), Math.Pow)),
        new("insertString", [JmesTypes.String, JmesTypes.String, JmesTypes.Integer], Insert),
        new("fromUnixTimestamp", [JmesTypes.Integer], call => FromUnix(call, TimeSpan.TicksPerSecond)),
        new("fromUnixTimestampMs", [JmesTypes.Integer], call => FromUnix(call, TimeSpan.TicksPerMillisecond)),
    ];

    private static JmesValue Calculate(JmesCall call, Func<decimal, decimal, decimal> exact, Func<long, long, long> integers, Func<double, double, double> doubles)
    {
        var (left, right) = (call[0].AsNumber(), call[1].AsNumber());
        try
        {
            if (call.Run.IntegerArithmetic)
            {
                return JmesValue.Of(left.IsInteger && right.IsInteger && left.TryExact(out var a) && right.TryExact(out var b)
                    ? JmesNumber.Of((decimal)integers((long)a, (long)b))
                    : JmesNumber.Of(doubles(left.Approximate, right.Approximate)));
            }

            if (left.TryExact(out var x) && right.TryExact(out var y))
            {
                return JmesValue.Of(JmesNumber.Of(exact(x, y)));
            }

            var result = doubles(left.Approximate, right.Approximate);
            return double.IsFinite(result) ? JmesValue.Of(JmesNumber.Of(result)) : NoResult(call);
        }
        catch (ArithmeticException)
        {
            return NoResult(call);
        }
    }

    private static JmesValue NoResult(JmesCall call) =>
        call.Run.Fail("invalid-value", $"'{call.Name}({call[0].AsNumber()}, {call[1].AsNumber()})' has no result that can be written as a decimal.");

    private static decimal Power(decimal value, decimal exponent)
    {
        // Whole exponents stay exact; anything larger overflows a decimal long before.
        if (exponent != decimal.Truncate(exponent) || Math.Abs(exponent) > 400)
        {
            return JmesArithmetic.Trim((decimal)Math.Pow((double)value, (double)exponent));
        }

        var result = 1m;
        for (var i = 0; i < Math.Abs(exponent); i++)
        {
            result = exponent > 0 ? result * value : result / value;
        }

        return JmesArithmetic.Trim(result);
    }

    private static JmesValue Insert(JmesCall call)
    {
        var (original, inserted) = (call[0].AsString(), call[1].AsString());
        call[2].AsNumber().TryExact(out var at);
        return at < 0 || at > original.Length
            ? call.Run.Fail("invalid-value", $"'insertString': there is no position {at} in a text of {original.Length} characters.")
            : JmesValue.Of(original.Insert((int)at, inserted));
    }

    private static JmesValue FromUnix(JmesCall call, long unit)
    {
        call[0].AsNumber().TryExact(out var count);
        var ticks = DateTime.UnixEpoch.Ticks + (count * unit);
        return ticks < DateTime.MinValue.Ticks || ticks > DateTime.MaxValue.Ticks
            ? call.Run.Fail("invalid-value", $"'{call.Name}': {count} lies beyond the year 9999 or before the year 1.")
            : JmesValue.Of(new DateTime((long)ticks, DateTimeKind.Utc).ToString(Times, CultureInfo.InvariantCulture));
    }
}
