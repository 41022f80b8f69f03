using System.Globalization;
using FhirIomt.Mapping.JmesPath;

namespace FhirIomt.Mapping.Rules;

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

    public override bool CanFail => value.CanFail;

    public override void Check(RuleRun run) => value.Check(run);

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
