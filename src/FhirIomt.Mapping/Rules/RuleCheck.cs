using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JsonPath;
using FhirIomt.Mapping.Running;

namespace FhirIomt.Mapping.Rules;

/// <summary>What a format demands of a message before anything of it may be taken.</summary>
/// <param name="Name">What the message claims to be.</param>
/// <param name="Musts">What must hold where it matches, each with its words.</param>
internal sealed record RuleCheck(string Name, JsonPathExpression Match, IReadOnlyList<(string Words, RuleCondition Condition)> Musts)
{
    /// <summary>Answers how many demands are not met.</summary>
    public int Run(JsonTree message, IssueSink issues)
    {
        var faults = 0;
        foreach (var match in Match.SelectAll(PathScope.At(message, 0), out _))
        {
            foreach (var (words, condition) in Musts)
            {
                if (!condition.Holds(new RuleRun(message, match)))
                {
                    issues.Add(RuleIssues.NotValid(Name, words));
                    faults++;
                }
            }
        }

        return faults;
    }
}
