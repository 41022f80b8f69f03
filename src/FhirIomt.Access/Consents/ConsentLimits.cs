using System.Collections.Concurrent;
using FhirIomt.Access.Policies;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Access.Consents;

/// <summary>What consents and labels take away from one caller, as one predicate for each type and interaction.</summary>
/// <param name="withheld">For each condition the patients who refuse it.</param>
/// <param name="confidentiality">The highest label that the caller may see.</param>
/// <param name="emergency">Patients for whom labels do not count.</param>
/// <param name="isClient">It acts for itself. Such a client keeps consents for others, so it sees those that refuse everybody: nobody else could withdraw them.</param>
/// <param name="own">Consents that name the calling client: it does not change those.</param>
public sealed class ConsentLimits(IndexPolicy policy, IReadOnlyList<(ConsentCondition Condition, PatientSet Patients)> withheld, string confidentiality, PatientSet emergency, IReadOnlyList<string> own, bool isClient) : AccessLimits
{
    // A resource says what it is about by one of these.
    private static readonly string[] CodeParameters = ["code", "category", "type", "class"];

    // The time that a resource is about.
    private static readonly string[] TimeParameters = ["date", "effective", "effective-time", "onset-date", "performed", "period", "authoredon", "occurrence", "started", "created", "issued"];

    private readonly ConcurrentDictionary<(string Type, ScopeInteractions Interaction), AccessPredicate> _known = new();

    public override AccessPredicate On(string resourceType, ScopeInteractions interaction) =>
        _known.GetOrAdd((resourceType, interaction), static (key, limits) => limits.Find(key.Type, key.Interaction), this);

    private AccessPredicate Find(string type, ScopeInteractions interaction)
    {
        var left = AccessPredicate.Both(Unlabelled(type), Consented(type, interaction));
        return type == "Consent" && own.Count > 0 && interaction is ScopeInteractions.Update or ScopeInteractions.Delete
            ? AccessPredicate.Both(left, new AccessPredicate.Not(new AccessPredicate.Any([.. own.Select(id => new AccessPredicate.WithId(id))])))
            : left;
    }

    private AccessPredicate Unlabelled(string type)
    {
        var beyond = Confidentiality.Above(confidentiality).Select(level => new ConsentCode(Confidentiality.System, level)).ToList();
        if (beyond.Count == 0)
        {
            return AccessPredicate.Everything.Instance;
        }

        var labelled = Coded(type, "_security", beyond);
        return Except(emergency.Count == 0 ? labelled : AccessPredicate.Both(labelled, new AccessPredicate.Not(new AccessPredicate.OfPatients(emergency))));
    }

    private AccessPredicate Consented(string type, ScopeInteractions interaction)
    {
        var left = (AccessPredicate)AccessPredicate.Everything.Instance;
        if (withheld.Count == 0 || (isClient && type == "Consent"))
        {
            return left;
        }

        if (PatientCompartment.AttachedBy(type) is { } element)
        {
            // Withheld with what it hangs on. No index leads from Binaries to that, so nobody whom something is withheld from searches them.
            return type == "Binary" && interaction == ScopeInteractions.Search
                ? new AccessPredicate.Any([])
                : Except(new AccessPredicate.Through(element, target => PatientCompartment.Reaches(target) ? Except(On(target, interaction)) : AccessPredicate.Nothing.Instance));
        }

        if (!PatientCompartment.Reaches(type))
        {
            return left;
        }

        foreach (var (condition, patients) in withheld)
        {
            left = AccessPredicate.Both(left, Except(AccessPredicate.Both(new AccessPredicate.OfPatients(patients), Predicate(condition, type, interaction))));
        }

        return left;
    }

    private static AccessPredicate Except(AccessPredicate taken) => taken switch
    {
        AccessPredicate.Nothing => AccessPredicate.Everything.Instance,
        AccessPredicate.Everything => AccessPredicate.Nothing.Instance,
        AccessPredicate.Not not => not.Inner,
        _ => new AccessPredicate.Not(taken),
    };

    private AccessPredicate Predicate(ConsentCondition condition, string type, ScopeInteractions interaction) => condition switch
    {
        ConsentCondition.Never => AccessPredicate.Nothing.Instance,
        ConsentCondition.All all => all.Parts.Select(part => Predicate(part, type, interaction)).Aggregate(AccessPredicate.Both),
        ConsentCondition.Any any => any.Parts.Select(part => Predicate(part, type, interaction)).Aggregate(AccessPredicate.Either),
        ConsentCondition.Not not => Except(Predicate(not.Inner, type, interaction)),
        ConsentCondition.Labelled labelled => Coded(type, "_security", labelled.Labels),
        ConsentCondition.Coded coded => CodeParameters.Select(parameter => Coded(type, parameter, coded.Codes)).Aggregate(AccessPredicate.Either),
        ConsentCondition.OfType types => Whether(types.Types.Contains(type, StringComparer.Ordinal)),
        ConsentCondition.One one => one.Type == type ? new AccessPredicate.WithId(one.Id) : AccessPredicate.Nothing.Instance,
        ConsentCondition.Doing doing => Whether(doing.Interactions.HasFlag(interaction)),
        ConsentCondition.During during => During(type, during),
        _ => AccessPredicate.Everything.Instance,
    };

    private static AccessPredicate Whether(bool holds) => holds ? AccessPredicate.Everything.Instance : AccessPredicate.Nothing.Instance;

    private AccessPredicate Coded(string type, string code, IReadOnlyList<ConsentCode> codes) =>
        policy.Find(type, code) is { Type: SearchParameterType.Token } parameter && policy.IsIndexed(parameter)
            ? new AccessPredicate.Meets([new SearchCriterion.Tokens(parameter, [.. codes.Select(one => new TokenMatch(one.System, one.Code))], Negated: false)])
            : AccessPredicate.Nothing.Instance;

    // Only what is surely outside is not refused; only what is surely inside is permitted.
    private AccessPredicate During(string type, ConsentCondition.During during)
    {
        var parameter = TimeParameters.Select(code => policy.Find(type, code)).FirstOrDefault(found => found is { Type: SearchParameterType.Date } && policy.IsIndexed(found));
        if (parameter is null)
        {
            return Whether(during.InDoubt);
        }

        var (start, end) = during.Period;
        AccessPredicate Time(SearchPrefix prefix, DateTimeOffset from, DateTimeOffset to) => new AccessPredicate.Meets([new SearchCriterion.Dates(parameter, [new DateMatch(prefix, from, to)])]);
        return during.InDoubt
            ? Except(AccessPredicate.Either(Time(SearchPrefix.EndsBefore, start, start), Time(SearchPrefix.StartsAfter, end, end)))
            : Time(SearchPrefix.Equal, start, end);
    }
}
