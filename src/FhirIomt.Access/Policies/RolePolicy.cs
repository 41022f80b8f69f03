using FhirIomt.Core;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Access.Policies;

/// <summary>What a role may do, as the policies file says it.</summary>
/// <param name="Patients">Searches whose matches are, or name, the role's patients; <c>{fhirUser}</c> alone is the person.</param>
/// <param name="Confidentiality">The highest confidentiality label it may see: one of U, L, M, N, R, V.</param>
/// <param name="MayOpenInEmergency">It may open a record that its policy does not cover, for an hour and with a reason.</param>
/// <param name="MayRelabel">It may take security labels off resources; without it they stay through every update.</param>
/// <param name="Types">By resource type; <c>*</c> is every other type that belongs to patients.</param>
public sealed record RolePolicy(IReadOnlyList<string> Patients, string Confidentiality, bool MayOpenInEmergency, bool MayRelabel, IReadOnlyDictionary<string, TypePolicy> Types)
{
    public const string FhirUser = "{fhirUser}";

    public const string AnyType = "*";

    /// <summary>What of the types is hidden, and what is not changed.</summary>
    public FieldRules Fields { get; } = FieldRules.Of(Types);

    /// <summary>The policy for one person.</summary>
    public BoundPolicy Bind(string? fhirUser, SearchQueryParser parser)
    {
        var types = new Dictionary<string, BoundType>(StringComparer.Ordinal);
        foreach (var (type, policy) in Types)
        {
            types[type] = new BoundType(policy.Interactions, policy.OfPatients, Where(type, policy.Where, fhirUser, parser));
        }

        return new BoundPolicy(types);
    }

    private static AccessPredicate Where(string type, string? where, string? fhirUser, SearchQueryParser parser) => where switch
    {
        null => AccessPredicate.Everything.Instance,
        _ when For(where, fhirUser) is { } search && Criteria(type, search, parser).TryGetValue(out var criteria, out _) => new AccessPredicate.Meets(criteria),
        _ => AccessPredicate.Nothing.Instance,
    };

    /// <summary>A search of the policy for one person, or null when it is about the person and nobody knows who that is here.</summary>
    public static string? For(string search, string? fhirUser) =>
        !search.Contains(FhirUser, StringComparison.Ordinal) ? search : fhirUser is null ? null : search.Replace(FhirUser, SearchQueryParser.Escape(fhirUser), StringComparison.Ordinal);

    /// <summary>The criteria of a <c>where</c>: such that one document by itself says whether they hold.</summary>
    internal static Outcome<IReadOnlyList<SearchCriterion>> Criteria(string type, string? where, SearchQueryParser parser)
    {
        if (!SearchCondition.Parse(parser, type, where ?? "").TryGetValue(out var query, out var issues))
        {
            return Outcome<IReadOnlyList<SearchCriterion>>.Refused(issues);
        }

        return query.Criteria.All(LeavingCheck.CanDecide)
            ? Outcome<IReadOnlyList<SearchCriterion>>.Success(query.Criteria)
            : PolicyIssues.NotLocal(where!);
    }
}

/// <param name="OfPatients">Only what belongs to the role's patients; otherwise every instance.</param>
/// <param name="Where">A search expression that instances must meet, or null.</param>
/// <param name="Hidden">Elements that the role does not see.</param>
/// <param name="ReadOnly">Elements that the role does not change.</param>
public sealed record TypePolicy(ScopeInteractions Interactions, bool OfPatients, string? Where, IReadOnlyList<FieldPath> Hidden, IReadOnlyList<FieldPath> ReadOnly);

/// <summary>A policy with the person put in.</summary>
public sealed class BoundPolicy(IReadOnlyDictionary<string, BoundType> types)
{
    internal AccessPredicate Granted(string resourceType, ScopeInteractions interaction, PatientSet patients)
    {
        if (!types.TryGetValue(resourceType, out var type))
        {
            var isOwned = PatientCompartment.Reaches(resourceType) || PatientCompartment.AttachedBy(resourceType) is not null;
            if (!isOwned || !types.TryGetValue(RolePolicy.AnyType, out type))
            {
                return AccessPredicate.Nothing.Instance;
            }
        }

        if (!type.Interactions.HasFlag(interaction))
        {
            return AccessPredicate.Nothing.Instance;
        }

        return AccessPredicate.Both(type.OfPatients ? PatientCompartment.Filter(resourceType, new AccessPredicate.OfPatients(patients), interaction) : AccessPredicate.Everything.Instance, type.Where);
    }
}

public sealed record BoundType(ScopeInteractions Interactions, bool OfPatients, AccessPredicate Where);
