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
    /// <summary>Whether something can stand in the way of the value; what cannot fail need not be checked.</summary>
    public virtual bool CanFail => true;

    public abstract JmesValue Evaluate(RuleRun run);

    /// <summary>
    /// Finds what stands in the way of the value, as <see cref="Evaluate"/> does, without making it: a reading is checked when it is mapped and made when it is written, and
    /// making it twice was a sixth of reading and mapping the export of a watch.
    /// </summary>
    public virtual void Check(RuleRun run) => Evaluate(run);
}

/// <summary>What stands in the template as it is.</summary>
internal sealed class ConstantPart(JmesValue value) : RulePart
{
    public override bool CanFail => false;

    public override JmesValue Evaluate(RuleRun run) => value;
}

/// <summary><c>"{$.x}"</c>: the value with its type.</summary>
internal sealed class ExpressionPart(RuleExpression expression) : RulePart
{
    // FHIR knows no empty text: what is empty is not there.
    public override JmesValue Evaluate(RuleRun run) => WithoutEmpty(expression.One(run));

    public override void Check(RuleRun run) => expression.One(run);

    private static JmesValue WithoutEmpty(JmesValue value) => value.Kind == JmesKind.String && !value.IsTruthy ? JmesValue.Null : value;
}

/// <summary><c>"Arm: {$.arm}"</c>: a text with values in it; absent when one of them is.</summary>
internal sealed class TextPart((string Text, RuleExpression? Expression)[] pieces) : RulePart
{
    // Keys of readings are shorter.
    private const int Usual = 512;

    private readonly (byte[] Text, RuleExpression? Expression)[] _pieces = [.. pieces.Select(piece => (Encoding.UTF8.GetBytes(piece.Text), piece.Expression))];

    public override JmesValue Evaluate(RuleRun run)
    {
        // Put together from the message's bytes, so that one string is made and not one for each piece.
        Span<byte> text = stackalloc byte[Usual];
        var length = 0;
        foreach (var (constant, expression) in _pieces)
        {
            Append(ref text, ref length, constant);
            if (expression is not null)
            {
                var value = expression.One(run);
                if (value.IsNull)
                {
                    return JmesValue.Null;
                }

                var isPlain = value.TryNode(out var node) && node.IsString && !node.Tree.HasEscapes;
                Append(ref text, ref length, isPlain ? node.ContentSpan : Encoding.UTF8.GetBytes(TextOf(value)));
            }
        }

        return JmesValue.Of(Encoding.UTF8.GetString(text[..length]));
    }

    public override void Check(RuleRun run)
    {
        foreach (var (_, expression) in _pieces)
        {
            if (expression?.One(run).IsNull == true)
            {
                return;
            }
        }
    }

    private static void Append(ref Span<byte> text, ref int length, ReadOnlySpan<byte> piece)
    {
        if (text.Length - length < piece.Length)
        {
            var longer = new byte[Math.Max(text.Length * 2, length + piece.Length)];
            text[..length].CopyTo(longer);
            text = longer;
        }

        piece.CopyTo(text[length..]);
        length += piece.Length;
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

    private readonly RulePart[] _fallible = [.. members.Select(member => member.Part).Where(part => part.CanFail)];

    public override bool CanFail => _fallible.Length > 0;

    public override void Check(RuleRun run)
    {
        foreach (var part in _fallible)
        {
            part.Check(run);
        }
    }

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
    private readonly RulePart[] _fallible = [.. parts.Where(part => part.CanFail)];

    public override bool CanFail => _fallible.Length > 0;

    public override void Check(RuleRun run)
    {
        foreach (var part in _fallible)
        {
            part.Check(run);
        }
    }

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

    public override bool CanFail => then.CanFail || otherwise?.CanFail == true;

    public override void Check(RuleRun run) => (condition.Holds(run) ? then : otherwise)?.Check(run);
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

    public override void Check(RuleRun run)
    {
        foreach (var item in items.All(run))
        {
            run.Enter(item);
            body.Check(run);
            run.Leave();
        }
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
    public override bool CanFail => target is not ("patient" or "device" or "encounter");

    public override JmesValue Evaluate(RuleRun run)
    {
        var reference = target switch
        {
            not ("patient" or "device" or "encounter") => run.Sibling(target) is { } sibling ? $"{sibling.Type}/{sibling.Id}" : null,
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
