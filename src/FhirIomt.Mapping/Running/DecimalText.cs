using System.Globalization;
using System.Text;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.Running;

/// <summary>
/// The digits of a measurement, kept as the device sent them: 78.50 stays 78.50. A JSON number is taken as it is; a text may have spaces around
/// it, a sign, and digits with one point. Thousands separators and decimal commas are refused: the connector read "78,5" as 785.
/// </summary>
internal static class DecimalText
{
    /// <summary>The digits as JSON and FHIR write a decimal, or null when this is not a number (or one beyond <see cref="decimal"/>).</summary>
    /// <param name="commasIgnored">Take commas for thousands separators wherever they stand, as the connector does.</param>
    public static ReadOnlySpan<byte> Of(ResourceNode node, bool commasIgnored = false)
    {
        if (node.Kind == NodeKind.Number)
        {
            return InRange(node.RawSpan) ? node.RawSpan : default;
        }

        if (node.Kind != NodeKind.String)
        {
            return default;
        }

        var text = node.ContentSpan.Contains((byte)'\\') ? Encoding.UTF8.GetBytes(node.AsString()!) : node.ContentSpan;
        text = text.Trim(" \t\r\n"u8);
        return Canonical(commasIgnored && text.Contains((byte)',') ? Encoding.UTF8.GetBytes(node.AsString()!.Trim().Replace(",", "", StringComparison.Ordinal)) : text);
    }

    /// <summary>Whether a value may stand among the tokens of a SampledData: a number, or E, L or U.</summary>
    public static bool IsSample(ResourceNode node) => !Of(node).IsEmpty || (node.Kind == NodeKind.String && node.ContentSpan is [(byte)'E' or (byte)'L' or (byte)'U']);

    /// <summary>Whether a text is a number as JSON writes it, with a sign, leading zeros and an exponent allowed.</summary>
    public static bool IsNumber(ReadOnlySpan<byte> text)
    {
        var exponent = text.IndexOfAny((byte)'e', (byte)'E');
        if (exponent < 0)
        {
            return !Canonical(text).IsEmpty;
        }

        var digits = text[(exponent + 1)..];
        digits = digits.Length > 1 && digits[0] is (byte)'-' or (byte)'+' ? digits[1..] : digits;
        return digits.Length is > 0 and < 4 && !digits.ContainsAnyExceptInRange((byte)'0', (byte)'9') && !Canonical(text[..exponent]).IsEmpty;
    }

    private static ReadOnlySpan<byte> Canonical(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty)
        {
            return default;
        }

        var negative = text[0] == '-';
        var digits = text[0] is (byte)'-' or (byte)'+' ? text[1..] : text;
        var point = digits.IndexOf((byte)'.');
        var whole = point < 0 ? digits : digits[..point];
        var fraction = point < 0 ? default : digits[(point + 1)..];
        if (digits.Length == (point < 0 ? 0 : 1) || whole.ContainsAnyExceptInRange((byte)'0', (byte)'9') || fraction.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
        {
            return default;
        }

        var trimmed = whole.TrimStart((byte)'0');
        var isJsonAlready = text[0] != '+' && whole.Length > 0 && (trimmed.Length == whole.Length || whole.Length == 1) && (point < 0 || fraction.Length > 0);
        if (isJsonAlready)
        {
            return IsShort(text) || InRange(text) ? text : default;
        }

        byte[] result = [.. negative ? "-"u8 : default, .. trimmed.IsEmpty ? "0"u8 : trimmed, .. fraction.IsEmpty ? default : "."u8, .. fraction];
        return IsShort(result) || InRange(result) ? result : default;
    }

    // Any 28 digits fit into a decimal, wherever the point stands: nearly all measurements need no reading to know.
    private static bool IsShort(ReadOnlySpan<byte> canonical) => canonical.Length <= 28;

    private static bool InRange(ReadOnlySpan<byte> digits) => decimal.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out _);
}
