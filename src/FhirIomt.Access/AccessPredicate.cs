using FhirIomt.Fhir.Searching;

namespace FhirIomt.Access;

/// <summary>A filter on instances of one type. A closed set: storage turns it into SQL, <see cref="LeavingCheck"/> evaluates it on what leaves.</summary>
public abstract record AccessPredicate
{
    private AccessPredicate()
    {
    }

    public sealed record Everything : AccessPredicate
    {
        public static Everything Instance { get; } = new();
    }

    public sealed record Nothing : AccessPredicate
    {
        public static Nothing Instance { get; } = new();
    }

    public sealed record Any(IReadOnlyList<AccessPredicate> Alternatives) : AccessPredicate;

    public sealed record All(IReadOnlyList<AccessPredicate> Parts) : AccessPredicate;

    public sealed record Not(AccessPredicate Inner) : AccessPredicate;

    /// <summary>In the strict compartment of that patient: <see cref="PatientCompartment"/>.</summary>
    public sealed record OfPatient(string PatientId) : AccessPredicate;

    /// <summary>In the strict compartment of one of those patients.</summary>
    public sealed record OfPatients(PatientSet Patients) : AccessPredicate;

    /// <summary>That one resource.</summary>
    public sealed record WithId(string Id) : AccessPredicate;

    public sealed record Meets(IReadOnlyList<SearchCriterion> Criteria) : AccessPredicate;

    /// <summary>Whoever may see the resource that this one hangs on may see this one: the Device of a DeviceMetric, the security context of a Binary.</summary>
    /// <param name="Element">Holds the reference. Without one nobody may.</param>
    /// <param name="Target">What must hold of the resource referred to.</param>
    public sealed record Through(string Element, Func<string, AccessPredicate> Target) : AccessPredicate;

    /// <summary>Both must hold.</summary>
    public static AccessPredicate Both(AccessPredicate one, AccessPredicate other) => (one, other) switch
    {
        (Nothing, _) or (_, Nothing) => Nothing.Instance,
        (Everything, _) => other,
        (_, Everything) => one,

        // Who may see a set of patients sees this one of them: the rest of the set decides nothing more.
        (OfPatient patient, OfPatients set) when set.Patients.Contains(patient.PatientId) => one,
        (All all, All others) => new All([.. all.Parts, .. others.Parts]),
        (All all, _) => new All([.. all.Parts, other]),
        (_, All others) => new All([one, .. others.Parts]),
        _ => new All([one, other]),
    };

    /// <summary>One of both suffices.</summary>
    public static AccessPredicate Either(AccessPredicate one, AccessPredicate other) => (one, other) switch
    {
        (Everything, _) or (_, Everything) => Everything.Instance,
        (Nothing, _) => other,
        (_, Nothing) => one,
        _ => new Any([one, other]),
    };

    /// <summary>The same filter for a search that asks for those patients only: a large set shrinks to the few it is about.</summary>
    public AccessPredicate Within(IReadOnlyList<string> patients)
    {
        switch (this)
        {
            case OfPatients set:
                return set.Patients.Within(patients) is var few && ReferenceEquals(few, set.Patients) ? this : new OfPatients(few);
            case All all:
                return Within(all.Parts, patients) is { } parts ? new All(parts) : this;
            case Any any:
                return Within(any.Alternatives, patients) is { } alternatives ? new Any(alternatives) : this;
            case Not not:
                return not.Inner.Within(patients) is var inner && ReferenceEquals(inner, not.Inner) ? this : new Not(inner);
            default:
                return this;
        }
    }

    // Null: nothing of it changes, as with a token for one patient.
    private static AccessPredicate[]? Within(IReadOnlyList<AccessPredicate> parts, IReadOnlyList<string> patients)
    {
        AccessPredicate[]? changed = null;
        for (var index = 0; index < parts.Count; index++)
        {
            var part = parts[index].Within(patients);
            if (changed is null && !ReferenceEquals(part, parts[index]))
            {
                changed = [.. parts];
            }

            changed?[index] = part;
        }

        return changed;
    }
}
