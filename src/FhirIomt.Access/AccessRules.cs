using FhirIomt.Access.Policies;

namespace FhirIomt.Access;

/// <summary>What is known about one caller beyond the scopes of its token: the policy of the person's role, and whom of all patients that means. Immutable.</summary>
public sealed record AccessRules
{
    /// <summary>Nothing is known: <c>user/</c> scopes grant nothing.</summary>
    public static AccessRules None { get; } = new();

    public BoundPolicy? Policy { get; init; }

    /// <summary>The patients that the policy means, with those opened in an emergency.</summary>
    public PatientSet Patients { get; init; } = PatientSet.Empty;

    /// <summary>The patients whose record the person opened in an emergency.</summary>
    public PatientSet Emergency { get; init; } = PatientSet.Empty;

    /// <summary>What consents and labels take away.</summary>
    public AccessLimits Limits { get; init; } = AccessLimits.None;

    /// <summary>What of resources is hidden, and what is not changed.</summary>
    public FieldRules Fields { get; init; } = FieldRules.None;

    /// <summary>May take security labels off resources.</summary>
    public bool MayRelabel { get; init; }

    /// <summary>When something about them ends by itself; null: never.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>What the person's policy allows on a type.</summary>
    public AccessPredicate Granted(string resourceType, ScopeInteractions interaction) =>
        Policy?.Granted(resourceType, interaction, Patients) ?? AccessPredicate.Nothing.Instance;

    /// <summary>A grant without what consents and labels take away.</summary>
    public AccessPredicate Limited(AccessPredicate granted, string resourceType, ScopeInteractions interaction) =>
        AccessPredicate.Both(granted, Limits.On(resourceType, interaction));
}
