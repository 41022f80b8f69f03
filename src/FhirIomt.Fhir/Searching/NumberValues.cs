using System.Text;
using FhirIomt.Core;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.Searching;

/// <summary>Numbers and quantities in search values: <c>[prefix]number</c>, <c>number|system|code</c>, <c>number||code</c> (R4 §3.1.1.4.5, §3.1.1.4.11).</summary>
internal static class NumberValues
{
    // Beyond it the interval of "about" would leave decimal's 28 digits.
    private const decimal Largest = 1e27m;

    public static Outcome<NumberMatch> Number(string code, string text) => TryNumber(text, out var match)
        ? match
        : SearchIssues.BadValue(code, text, "a number such as 100, 1e2 or 5.40, with an optional prefix eq ne gt lt ge le sa eb ap");

    public static Outcome<QuantityMatch> Quantity(string code, string text)
    {
        var parts = ValueText.Split(text, '|');
        if (parts.Count is not (1 or 3) || !TryNumber(parts[0], out var number))
        {
            return SearchIssues.BadValue(code, text, "number, number|system|code or number||code, with an optional prefix eq ne gt lt ge le sa eb ap");
        }

        return parts.Count == 1
            ? new QuantityMatch(number, System: null, Code: null)
            : new QuantityMatch(number, NullIfEmpty(ValueText.Unescape(parts[1])), NullIfEmpty(ValueText.Unescape(parts[2])));
    }

    private static bool TryNumber(string text, out NumberMatch match)
    {
        var (prefix, number) = ValueText.SplitPrefix(text);
        match = default;
        if (number.Length > 64 || !FhirNumber.TryParseInterval(Encoding.UTF8.GetBytes(number), out var value, out var low, out var high) || Math.Abs(value) > Largest)
        {
            return false;
        }

        match = new NumberMatch(prefix, value, low, high);
        return true;
    }

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
