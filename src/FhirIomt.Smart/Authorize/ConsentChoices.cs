using FhirIomt.Access;
using FhirIomt.Fhir.Searching;
using FhirIomt.Smart.Clients;

namespace FhirIomt.Smart.Authorize;

/// <summary>A scope that the person can allow or not, or allow in part.</summary>
/// <param name="Parts">Narrower scopes, for who does not want to allow all of it.</param>
internal sealed record ScopeChoice(SmartScope Scope, IReadOnlyList<SmartScope> Parts);

/// <summary>What a consent page offers, and what comes of the answers: never more than was offered, whatever a form says.</summary>
internal static class ConsentChoices
{
    private const string ObservationCategory = "http://terminology.hl7.org/CodeSystem/observation-category";
    private const string ConditionCategory = "http://terminology.hl7.org/CodeSystem/condition-category";

    // US Core's; the base has no code for health concerns.
    private const string HealthConcern = "http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern";

    private static readonly string[] ObservationCategories =
        [.. ((string[])["vital-signs", "laboratory", "activity", "survey", "social-history", "exam", "imaging", "procedure", "therapy"]).Select(code => $"{ObservationCategory}|{code}")];

    private static readonly string[] ConditionCategories = [$"{ConditionCategory}|problem-list-item", $"{ConditionCategory}|encounter-diagnosis", HealthConcern];

    // For a scope over all types: the ones that people know.
    private static readonly string[] KnownTypes =
    [
        "Patient", "Observation", "Device", "Condition", "AllergyIntolerance", "MedicationRequest", "Immunization", "Procedure", "DiagnosticReport", "DocumentReference", "CarePlan", "CareTeam", "Goal", "Encounter", "ServiceRequest", "Coverage", "Provenance",
    ];

    public static IReadOnlyList<ScopeChoice> Of(IReadOnlyList<string> offered, IndexPolicy policy) =>
        [.. offered.Where(scope => !ScopeNames.IsForPeople(scope)).Select(scope => Choice(SmartScope.Parse(scope, policy).Require(), policy))];

    /// <summary>In the order of what was offered. Identity and launch context come with any consent; offline access is asked for.</summary>
    public static IReadOnlyList<string> Granted(IReadOnlyList<string> offered, IReadOnlySet<string> ticked, IndexPolicy policy)
    {
        var granted = new List<string>();
        foreach (var scope in offered)
        {
            if (ScopeNames.IsForPeople(scope) ? scope != ScopeNames.OfflineAccess || ticked.Contains(scope) : ticked.Contains(scope))
            {
                granted.Add(scope);
            }
            else if (!ScopeNames.IsForPeople(scope))
            {
                granted.AddRange(Choice(SmartScope.Parse(scope, policy).Require(), policy).Parts.Select(part => part.Text).Where(ticked.Contains));
            }
        }

        return [.. granted.Distinct(StringComparer.Ordinal)];
    }

    private static ScopeChoice Choice(SmartScope scope, IndexPolicy policy)
    {
        IEnumerable<string> parts = (scope.ResourceType, scope.Criteria.Count) switch
        {
            ("Observation", 0) => ObservationCategories.Select(category => $"{scope.Text}?category={category}"),
            ("Condition", 0) => ConditionCategories.Select(category => $"{scope.Text}?category={category}"),
            (null, 0) => KnownTypes.Select(type => scope.Text.Replace("/*.", $"/{type}.", StringComparison.Ordinal)),
            _ => [],
        };
        return new ScopeChoice(scope, [.. parts.Select(part => SmartScope.Parse(part, policy).Require())]);
    }
}
