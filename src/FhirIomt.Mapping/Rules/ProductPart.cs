using System.Globalization;
using FhirIomt.Mapping.JmesPath;

namespace FhirIomt.Mapping.Rules;

/// <summary><c>{"$product": [a, b]}</c>: how far into a series of equal steps an item stands, for example.</summary>
internal sealed class ProductPart(RulePart[] factors) : RulePart
{
    // Far above any time or measurement, far below where decimal overflows.
    private const decimal Largest = 1e14m;

    public override JmesValue Evaluate(RuleRun run)
    {
        var product = 1m;
        foreach (var factor in factors)
        {
            var value = factor.Evaluate(run);
            if (value.IsNull)
            {
                return JmesValue.Null;
            }

            var text = TextPart.TextOf(value);
            if (!decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || Math.Abs(number) > Largest)
            {
                return run.Fail(RuleIssues.NotNumber(text));
            }

            product *= number;
            if (Math.Abs(product) > Largest)
            {
                return run.Fail(RuleIssues.NotNumber(text));
            }
        }

        return JmesValue.Of(JmesNumber.Of(product));
    }
}
