using System.Globalization;
using System.Text;
using FhirIomt.Core.Units;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JmesPath;
using FhirIomt.Mapping.Running;

namespace FhirIomt.Mapping.Rules;

/// <summary>
/// <c>{"$quantity": value, "unit": UCUM code, "to": UCUM code, "digits": n, "units": {…}, "sentinels": {…}}</c>: a Quantity, converted exactly. A sentinel
/// becomes a dataAbsentReason in place of the value.
/// </summary>
internal sealed class QuantityPart(RulePart value, RulePart unit, QuantityOptions options) : RulePart
{
    /// <summary>Member that marks "no value, and this is why"; never written.</summary>
    public static readonly JmesName AbsenceMark = new("$absent");

    // A device knows few units: what a text of the message stands for in UCUM.
    private readonly KnownAnswers<string> _units = new();

    /// <summary>What is normal; then interpretation and referenceRange come with the value.</summary>
    public NormalRange? Range => options.Range;

    public override JmesValue Evaluate(RuleRun run)
    {
        if (!TryRead(run, out var number, out var absence))
        {
            return absence.IsNull ? JmesValue.Null : Absent(absence);
        }

        if (!TryConvert(run, ref number, out var code))
        {
            return JmesValue.Null;
        }

        var quantity = new JmesMembers();
        quantity.Set("value", JmesValue.Of(JmesNumber.Of(number)));
        quantity.Set("unit", JmesValue.Of(options.Display ?? code));
        quantity.Set("system", JmesValue.Of("http://unitsofmeasure.org"));
        quantity.Set("code", JmesValue.Of(code));
        return JmesValue.Of(quantity);
    }

    public override void Check(RuleRun run)
    {
        if (TryRead(run, out var number, out _))
        {
            TryConvert(run, ref number, out _);
        }
    }

    private static JmesValue Absent(JmesValue reason)
    {
        var mark = new JmesMembers();
        mark.Set(AbsenceMark.Text, reason);
        return JmesValue.Of(mark);
    }

    // False: there is no value, or a sentinel stands for it, or the run has failed.
    private bool TryRead(RuleRun run, out decimal number, out JmesValue absence)
    {
        (number, absence) = (0, JmesValue.Null);
        var given = value.Evaluate(run);
        if (given.IsNull)
        {
            return false;
        }

        // A number that was computed needs no text to be one, unless the text may be a sentinel.
        if (options.Sentinels.Count == 0 && IsNumber(given, out number))
        {
            return true;
        }

        var text = TextPart.TextOf(given).Trim();
        if (options.Sentinels.TryGetValue(text, out absence))
        {
            return false;
        }

        if (DecimalText.IsNumber(Encoding.UTF8.GetBytes(text)) && decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number))
        {
            return true;
        }

        run.Fail(RuleIssues.NotNumber(text));
        return false;
    }

    // False says only that it takes the longer way to know.
    private static bool IsNumber(JmesValue given, out decimal number)
    {
        if (!given.TryNode(out var node))
        {
            number = 0;
            return given.Kind == JmesKind.Number && given.AsNumber().TryExact(out number);
        }

        number = 0;
        return node.Kind is NodeKind.String or NodeKind.Number && DecimalText.IsNumber(node.ContentSpan) && decimal.TryParse(node.ContentSpan, NumberStyles.Float, CultureInfo.InvariantCulture, out number);
    }

    private bool TryConvert(RuleRun run, ref decimal number, out string code)
    {
        var from = UnitOf(unit.Evaluate(run));
        code = options.To.Length > 0 ? options.To : from;
        if (from == code)
        {
            return true;
        }

        if (Ucum.Standard.Convert(number, from, code) is not { } converted)
        {
            run.Fail(RuleIssues.NotConvertible(from, code));
            return false;
        }

        number = options.Digits is { } digits ? WithDigits(converted, digits) : JmesArithmetic.Rounded(converted);
        return true;
    }

    private string UnitOf(JmesValue named)
    {
        if (named.IsNull)
        {
            return InUcum(options.To);
        }

        return named.TryNode(out var node) && node.Kind == NodeKind.String ? _units.Of(node, this, static (part, text) => part.InUcum(text)) : InUcum(TextPart.TextOf(named));
    }

    private string InUcum(string text) => options.Units.GetValueOrDefault(text, text);

    // Exactly so many places, zeros too: they say how precise the value is.
    private static decimal WithDigits(decimal value, int digits) => decimal.Round(value, digits, MidpointRounding.ToEven) + new decimal(0, 0, 0, isNegative: false, (byte)digits);
}

/// <param name="To">UCUM code of the result; empty: the unit given.</param>
/// <param name="Digits">Places after the point of a converted value.</param>
/// <param name="Display">The unit for people; the code when absent.</param>
/// <param name="Units">What the device writes → UCUM code.</param>
/// <param name="Range">What is normal.</param>
/// <param name="Sentinels">What the device writes when it has no value → dataAbsentReason.</param>
internal sealed record QuantityOptions(string To, int? Digits, string? Display, IReadOnlyDictionary<string, string> Units, IReadOnlyDictionary<string, JmesValue> Sentinels, NormalRange? Range);
