using FhirIomt.Core;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JsonPath;
using FhirIomt.Mapping.Rules;
using FhirIomt.Mapping.Running;
using FhirIomt.Mapping.Templates;

namespace FhirIomt.Mapping.Tracing;

/// <summary>Maps one message step by step, with the same parts that map it in earnest, and says what each found.</summary>
public static class MappingTracer
{
    public static IReadOnlyList<TemplateTrace> Trace(MappingSet set, JsonTree message, MappingContext context) => set.Rules is { } rules
        ? [.. rules.Rules.Select(rule => TraceRule(rule, message, context.DeviceTimeZone ?? rules.Zone))]
        : [.. set.Plans.Select(plan => TracePlan(plan, message, context.DeviceTimeZone ?? set.Zone))];

    private static TemplateTrace TracePlan(ReadingPlan plan, JsonTree message, TimeZoneInfo? zone)
    {
        var content = plan.Content;
        var matches = new List<MatchTrace>();
        foreach (var match in content.Match.SelectAll(PathScope.At(message, 0), out var failure))
        {
            var isOwn = ReferenceEquals(match.Tree, message);
            var scope = !isOwn ? PathScope.At(MappingSet.EventWith(message, match), 0) : content.SeesWholeEvent ? PathScope.WithMatch(message, match.Index) : PathScope.At(message, match.Index);
            var issues = new IssueSink();
            var reading = new ReadingExtractor(plan, zone, issues).Extract(scope);
            if (reading is not null && plan.Fhir is null)
            {
                issues.Add(ReadingIssues.NoFhirTemplate(content.TypeName));
                reading = null;
            }

            matches.Add(new MatchTrace(PlaceOf(match, message), match.ToString(), StepsOf(plan, scope, message), reading is null ? [] : [reading], issues.All));
        }

        return new TemplateTrace(content.TypeName, content.Position, content.Match.Text, content.Match.Position, matches) { RequiredNames = [.. content.Match.RequiredNames] };
    }

    private static List<StepTrace> StepsOf(ReadingPlan plan, in PathScope scope, JsonTree message)
    {
        var content = plan.Content;
        var steps = new List<StepTrace> { Step("device id", content.DeviceId, isRequired: true, scope, message) };
        foreach (var time in content.Time)
        {
            steps.Add(Step("time", time, isRequired: content.Time.Count == 1, scope, message));
        }

        foreach (var (name, expression) in new[] { ("patient id", content.PatientId), ("encounter id", content.EncounterId), ("correlation id", content.CorrelationId) })
        {
            if (expression is not null)
            {
                steps.Add(Step(name, expression, isRequired: name[0] == 'c' && name[1] == 'o', scope, message));
            }
        }

        foreach (var value in content.Values)
        {
            steps.Add(Step($"value '{value.Name}'", value.Path, value.Required, scope, message));
        }

        return steps;
    }

    private static StepTrace Step(string name, MappingExpression expression, bool isRequired, in PathScope scope, JsonTree message)
    {
        var finding = expression.SelectOne(scope, out var node, out var failure);
        var problem = finding switch
        {
            PathFinding.Several => "finds more than one value",
            PathFinding.Failed => failure,
            _ => null,
        };
        return new StepTrace(name, expression.Text, expression.Position, isRequired, finding == PathFinding.One ? node.ToString() : null, finding == PathFinding.One ? PlaceOf(node, message) : null, problem);
    }

    private static TemplateTrace TraceRule(Rule rule, JsonTree message, TimeZoneInfo? zone)
    {
        var matches = new List<MatchTrace>();
        foreach (var match in rule.Match.SelectAll(PathScope.At(message, 0), out _))
        {
            var (issues, readings) = (new IssueSink(), new List<RuleReading>());
            var taken = rule.RunAt(message, match, zone, issues, readings);
            var run = new RuleRun(message, match);
            var steps = new List<StepTrace>();
            foreach (var (name, expression) in new[] { ("device id", rule.Device), ("time", OnlyOne(rule.Time)), ("patient id", rule.Patient), ("encounter id", rule.Encounter), ("end", OnlyOne(rule.Until)) })
            {
                if (expression is not null)
                {
                    steps.Add(Step(name, expression.Inner, isRequired: name is "time" or "end" || (name is "device id" && !rule.IsOfSender), run.ScopeOf(expression.Ground), message));
                }
            }

            if (taken)
            {
                matches.Add(new MatchTrace(PlaceOf(match, message), match.ToString(), steps, [.. readings.Cast<MappedReading>()], issues.All));
            }
        }

        return new TemplateTrace(rule.Name, rule.Position, rule.Match.Text, rule.Match.Position, matches) { RequiredNames = [.. rule.Match.RequiredNames] };
    }

    // Of several ways none by itself need find anything.
    private static RuleExpression? OnlyOne(IReadOnlyList<RuleTime> times) => times is [var only] ? only.Expression : null;

    private static TextPosition? PlaceOf(ResourceNode node, JsonTree message) => ReferenceEquals(node.Tree, message) ? node.Position : null;
}
