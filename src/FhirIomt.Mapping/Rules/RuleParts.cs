using System.Globalization;
using System.Text;
using FhirIomt.Core.Units;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JmesPath;
using FhirIomt.Mapping.Running;

namespace FhirIomt.Mapping.Rules;

/// <summary>A part of a resource template, compiled. It gives a value, or null: then the member that holds it stays out.</summary>
internal abstract class RulePart
{
    public abstract JmesValue Evaluate(RuleRun run);
}

/// <summary>What stands in the template as it is.</summary>
internal sealed class ConstantPart(JmesValue value) : RulePart
{
    public override JmesValue Evaluate(RuleRun run) => value;
}

/// <summary><c>"{$.x}"</c>: the value with its type.</summary>
internal sealed class ExpressionPart(RuleExpression expression) : RulePart
{
    // FHIR knows no empty text: what is empty is not there.
    public override JmesValue Evaluate(RuleRun run) => WithoutEmpty(expression.One(run));

    private static JmesValue WithoutEmpty(JmesValue value) => value.Kind == JmesKind.String && TextPart.TextOf(value).Length == 0 ? JmesValue.Null : value;
}

/// <summary><c>"Arm: {$.arm}"</c>: a text with values in it; absent when one of them is.</summary>
internal sealed class TextPart((string Text, RuleExpression? Expression)[] pieces) : RulePart
{
    public override JmesValue Evaluate(RuleRun run)
    {
        var text = new StringBuilder();
        foreach (var (constant, expression) in pieces)
        {
            text.Append(constant);
            if (expression is not null)
            {
                var value = expression.One(run);
                if (value.IsNull)
                {
                    return JmesValue.Null;
                }

                text.Append(TextOf(value));
            }
        }

        return JmesValue.Of(text.ToString());
    }

    public static string TextOf(JmesValue value) => value.TryNode(out var node) ? node.AsText() ?? node.ToString() : value.Kind switch
    {
        JmesKind.String => value.AsString(),
        JmesKind.Number when value.AsNumber() is var number && number.TryExact(out _) => number.ToString(),
        _ => JmesFunctions.Json(value),
    };
}

/// <summary>An object. Members without value stay out, and so does an object without members.</summary>
internal sealed class ObjectPart((string Name, RulePart Part)[] members) : RulePart
{
    public const string Absence = "dataAbsentReason";

    public override JmesValue Evaluate(RuleRun run)
    {
        var result = new JmesMembers();
        foreach (var (name, part) in members)
        {
            var value = part.Evaluate(run);
            if (value.IsNull)
            {
                continue;
            }

            // A sentinel is no value: it says why there is none.
            var isAbsence = part is QuantityPart && value.Member(QuantityPart.AbsenceMark) is { IsNull: false };
            result.Set(isAbsence ? Absence : name, isAbsence ? value.Member(QuantityPart.AbsenceMark) : value);
            if (!isAbsence && part is QuantityPart { Range: { } range })
            {
                range.Add(result, value);
            }
        }

        return result.Count == 0 ? JmesValue.Null : JmesValue.Of(result);
    }
}

internal sealed class ArrayPart(RulePart[] parts) : RulePart
{
    public override JmesValue Evaluate(RuleRun run)
    {
        var list = new JmesList(parts.Length);
        foreach (var part in parts)
        {
            var value = part.Evaluate(run);
            if (value.Kind == JmesKind.Array && part is EachPart)
            {
                foreach (var item in value.Items)
                {
                    list.Add(item);
                }
            }
            else if (!value.IsNull)
            {
                list.Add(value);
            }
        }

        return list.Count == 0 ? JmesValue.Null : JmesValue.Of(list);
    }
}

/// <summary><c>{"$if": condition, "then": …, "else": …}</c></summary>
internal sealed class IfPart(RuleCondition condition, RulePart then, RulePart? otherwise) : RulePart
{
    public override JmesValue Evaluate(RuleRun run) => condition.Holds(run) ? then.Evaluate(run) : otherwise?.Evaluate(run) ?? JmesValue.Null;
}

/// <summary><c>{"$each": expression, "do": …}</c>: one element for each item.</summary>
internal sealed class EachPart(RuleExpression items, RulePart body) : RulePart
{
    public override JmesValue Evaluate(RuleRun run)
    {
        var list = new JmesList();
        foreach (var item in items.All(run))
        {
            run.Enter(item);
            if (body.Evaluate(run) is { IsNull: false } value)
            {
                list.Add(value);
            }

            run.Leave();
        }

        return list.Count == 0 ? JmesValue.Null : JmesValue.Of(list);
    }
}

/// <summary><c>{"$lookup": table, "key": …}</c>: the row of a table; the row "*" is for everything else.</summary>
internal sealed class LookupPart(string table, IReadOnlyDictionary<string, JmesValue> rows, RulePart key) : RulePart
{
    public override JmesValue Evaluate(RuleRun run)
    {
        var value = key.Evaluate(run);
        if (value.IsNull)
        {
            return JmesValue.Null;
        }

        var text = TextPart.TextOf(value);
        return rows.TryGetValue(text, out var row) || rows.TryGetValue("*", out row) ? row : run.Fail(RuleIssues.NotInTable(table, text));
    }
}

/// <summary><c>{"$reference": "patient" | "device" | "encounter" | name of another resource of the rule}</c></summary>
internal sealed class ReferencePart(string target) : RulePart
{
    public override JmesValue Evaluate(RuleRun run)
    {
        var reference = target switch
        {
            not ("patient" or "device" or "encounter") => run.Siblings(target) is { } sibling ? $"{sibling.Type}/{sibling.Id}" : null,
            _ when run.Resolved is null => "Basic/not-known-yet",
            "patient" => $"Patient/{run.Resolved.Value.PatientId}",
            "device" => $"Device/{run.Resolved.Value.DeviceId}",
            _ => run.Resolved.Value.EncounterId is { } encounter ? $"Encounter/{encounter}" : null,
        };
        if (reference is null)
        {
            return target == "encounter" ? JmesValue.Null : run.Fail(RuleIssues.NoSuchResource(target));
        }

        var members = new JmesMembers();
        members.Set("reference", JmesValue.Of(reference));
        return JmesValue.Of(members);
    }
}

/// <summary><c>{"$samples": expression}</c>: the tokens of a SampledData.</summary>
internal sealed class SamplesPart(RuleExpression values) : RulePart
{
    public override JmesValue Evaluate(RuleRun run)
    {
        var tokens = new List<string>();
        foreach (var node in values.All(run))
        {
            if (node.Kind == NodeKind.Null)
            {
                tokens.Add(SampleGrid.Nothing);
                continue;
            }

            if (!DecimalText.IsSample(node))
            {
                return run.Fail(RuleIssues.NotNumber(node.AsText() ?? node.ToString()));
            }

            tokens.Add(node.AsText()!.Trim());
        }

        return tokens.Count == 0 ? JmesValue.Null : JmesValue.Of(string.Join(' ', tokens));
    }
}

/// <summary>
/// <c>{"$quantity": value, "unit": UCUM code, "to": UCUM code, "digits": n, "units": {…}, "sentinels": {…}}</c>: a Quantity, converted exactly. A sentinel
/// becomes a dataAbsentReason in place of the value.
/// </summary>
internal sealed class QuantityPart(RulePart value, RulePart unit, QuantityOptions options) : RulePart
{
    /// <summary>What is normal; then interpretation and referenceRange come with the value.</summary>
    public NormalRange? Range => options.Range;

    /// <summary>Member that marks "no value, and this is why"; never written.</summary>
    public static readonly JmesName AbsenceMark = new("$absent");

    public override JmesValue Evaluate(RuleRun run)
    {
        var given = value.Evaluate(run);
        if (given.IsNull)
        {
            return JmesValue.Null;
        }

        var text = TextPart.TextOf(given).Trim();
        if (options.Sentinels.TryGetValue(text, out var absence))
        {
            var mark = new JmesMembers();
            mark.Set(AbsenceMark.Text, absence);
            return JmesValue.Of(mark);
        }

        if (!DecimalText.IsNumber(Encoding.UTF8.GetBytes(text)) || !decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
        {
            return run.Fail(RuleIssues.NotNumber(text));
        }

        var from = unit.Evaluate(run) is { IsNull: false } named ? TextPart.TextOf(named) : options.To;
        from = options.Units.GetValueOrDefault(from, from);
        var to = options.To.Length > 0 ? options.To : from;
        if (from != to)
        {
            if (Ucum.Standard.Convert(number, from, to) is not { } converted)
            {
                return run.Fail(RuleIssues.NotConvertible(from, to));
            }

            number = options.Digits is { } digits ? WithDigits(converted, digits) : JmesArithmetic.Rounded(converted);
        }

        var quantity = new JmesMembers();
        quantity.Set("value", JmesValue.Of(JmesNumber.Of(number)));
        quantity.Set("unit", JmesValue.Of(options.Display ?? to));
        quantity.Set("system", JmesValue.Of("http://unitsofmeasure.org"));
        quantity.Set("code", JmesValue.Of(to));
        return JmesValue.Of(quantity);
    }

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

/// <summary>The range in which a value is normal, in the unit in which it is stored.</summary>
internal sealed record NormalRange(decimal? Low, decimal? High)
{
    private static readonly JmesName Number = new("value");

    /// <summary>Adds interpretation and referenceRange to what holds the quantity, unless the template gives them itself.</summary>
    public void Add(JmesMembers owner, JmesValue quantity)
    {
        quantity.Member(Number).AsNumber().TryExact(out var number);
        if (owner.Find("interpretation").IsNull)
        {
            owner.Set("interpretation", JmesValue.Of(JmesList.Of(InterpretPart.Of(number, Low, High))));
        }

        if (owner.Find("referenceRange").IsNull)
        {
            var range = new JmesMembers();
            foreach (var (name, bound) in new[] { ("low", Low), ("high", High) })
            {
                if (bound is { } limit)
                {
                    range.Set(name, With(quantity, limit));
                }
            }

            owner.Set("referenceRange", JmesValue.Of(JmesList.Of(JmesValue.Of(range))));
        }
    }

    private static JmesValue With(JmesValue quantity, decimal value)
    {
        var members = new JmesMembers();
        for (var items = quantity.Items; items.MoveNext();)
        {
            members.Set(items.Name, items.Name == Number.Text ? JmesValue.Of(JmesNumber.Of(value)) : items.Current);
        }

        return JmesValue.Of(members);
    }
}

/// <summary><c>{"$interpret": value, "low": …, "high": …}</c>: N, L or H (v3 ObservationInterpretation).</summary>
internal sealed class InterpretPart(RulePart value, decimal? low, decimal? high) : RulePart
{
    private static readonly JmesName Number = new("value");

    private const string System = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";

    public override JmesValue Evaluate(RuleRun run)
    {
        var given = value.Evaluate(run);
        given = given.Kind == JmesKind.Object ? given.Member(Number) : given;
        if (given.IsNull || !decimal.TryParse(TextPart.TextOf(given), NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
        {
            return JmesValue.Null;
        }

        return Of(number, low, high);
    }

    public static JmesValue Of(decimal number, decimal? low, decimal? high)
    {
        var (code, display) = number < low ? ("L", "Low") : number > high ? ("H", "High") : ("N", "Normal");
        return Coded(System, code, display);
    }

    public static JmesValue Coded(string system, string code, string? display)
    {
        var coding = new JmesMembers();
        coding.Set("system", JmesValue.Of(system));
        coding.Set("code", JmesValue.Of(code));
        if (display is not null)
        {
            coding.Set("display", JmesValue.Of(display));
        }

        var concept = new JmesMembers();
        concept.Set("coding", JmesValue.Of(JmesList.Of(JmesValue.Of(coding))));
        return JmesValue.Of(concept);
    }
}
