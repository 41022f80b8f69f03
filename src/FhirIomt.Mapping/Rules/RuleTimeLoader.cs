using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.Loading;

namespace FhirIomt.Mapping.Rules;

/// <summary>Reads the times of a rule: an expression, an object that says how the text is meant, or a list of these of which the first that finds something counts.</summary>
internal sealed class RuleTimeLoader(LoadIssues issues, PartLoader parts)
{
    private static readonly (string Name, RuleClock Clock)[] Clocks =
    [
        ("text", RuleClock.Text), ("epochSeconds", RuleClock.EpochSeconds), ("epochMilliseconds", RuleClock.EpochMilliseconds), ("localSeconds", RuleClock.LocalSeconds), ("date", RuleClock.Date),
        ("usDate", RuleClock.UsDate),
    ];

    public IReadOnlyList<RuleTime> Load(ResourceNode node)
    {
        if (!node.Exists)
        {
            return [];
        }

        var times = new List<RuleTime>();
        if (!node.IsArray)
        {
            Add(times, node);
        }

        foreach (var one in node.IsArray ? node.Items : default)
        {
            Add(times, one);
        }

        return times;
    }

    private void Add(List<RuleTime> times, ResourceNode node)
    {
        if (!node.IsObject)
        {
            AddOne(times, node, RuleClock.Text, null);
            return;
        }

        var reader = new TemplateReader(node, "time", issues);
        var (zone, plus, minus) = (reader.Member("zone"), reader.Member("plus"), reader.Member("minus"));
        foreach (var (name, clock) in Clocks)
        {
            if (reader.Member(name) is { Exists: true } member)
            {
                reader.RefuseUnknown();
                AddOne(times, member, clock, (Part(zone), Part(plus), Part(minus)));
                return;
            }
        }

        issues.BadRule(node, "A time is an expression, or an object with 'text', 'epochSeconds', 'epochMilliseconds', 'localSeconds', 'date' or 'usDate'.", "Name one of them.");
    }

    private void AddOne(List<RuleTime> times, ResourceNode node, RuleClock clock, (RulePart? Zone, RulePart? Plus, RulePart? Minus)? with)
    {
        var text = node.AsText() ?? "";
        if (text.Contains('{', StringComparison.Ordinal))
        {
            times.Add(new RuleTime(text, parts.Load(node), null, clock, with?.Zone, with?.Plus, with?.Minus));
            return;
        }

        var expression = RuleExpression.Parse(text, out var problem);
        if (problem is not null)
        {
            issues.BadRule(node, problem, "Correct the expression.");
            return;
        }

        expression!.Inner.Position = node.Position;
        times.Add(new RuleTime(text, new ExpressionPart(expression), expression, clock, with?.Zone, with?.Plus, with?.Minus));
    }

    private RulePart? Part(ResourceNode node) => node.Exists ? parts.Load(node) : null;
}
