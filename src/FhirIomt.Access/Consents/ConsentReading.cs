namespace FhirIomt.Access.Consents;

/// <summary>
/// Reads a consent for one caller at one time: what is left is a condition on resources. Exceptions win over what they are exceptions from, refusals over
/// permissions at the same depth. What cannot be told counts against the caller: a refusal then holds, a permission does not.
/// </summary>
public sealed class ConsentReading(ConsentCaller caller, DateTimeOffset now)
{
    private const string ResourceTypes = "http://hl7.org/fhir/resource-types";
    private const string FhirTypes = "http://hl7.org/fhir/fhir-types";

    /// <summary>The next time at which one of the consents read so far says something else by itself.</summary>
    public DateTimeOffset? Until { get; private set; }

    /// <summary>What the consent withholds.</summary>
    public ConsentCondition Withheld(ConsentRule consent) =>
        caller.Emergency.Contains(consent.PatientId) && !NamesPerson(consent.Root) ? ConsentCondition.False : Read(consent.Root, consent.Root.Denies ?? false, consent.PatientId).Denied;

    private (ConsentCondition Denied, ConsentCondition Permitted) Read(ConsentProvision provision, bool around, string patientId)
    {
        var denies = provision.Denies ?? around;
        var about = About(provision, denies, patientId);
        if (about is ConsentCondition.Never)
        {
            return (ConsentCondition.False, ConsentCondition.False);
        }

        var exceptions = provision.Exceptions.Select(exception => Read(exception, denies, patientId)).ToList();
        var denied = ConsentCondition.AnyOf(exceptions.Select(exception => exception.Denied));
        var permitted = ConsentCondition.AnyOf(exceptions.Select(exception => exception.Permitted));
        return denies
            ? (ConsentCondition.AllOf(about, ConsentCondition.AnyOf(denied, ConsentCondition.NotOf(permitted))), ConsentCondition.AllOf(about, permitted, ConsentCondition.NotOf(denied)))
            : (ConsentCondition.AllOf(about, denied), ConsentCondition.AllOf(about, ConsentCondition.NotOf(denied)));
    }

    private ConsentCondition About(ConsentProvision provision, bool denies, string patientId)
    {
        var inDoubt = denies ? ConsentCondition.True : ConsentCondition.False;
        ConsentCondition Told(bool? answer) => answer is { } known ? (known ? ConsentCondition.True : ConsentCondition.False) : inDoubt;

        return ConsentCondition.AllOf(
            Told(caller.Is(provision, patientId)),
            Told(IsNow(provision.Period)),
            Told(caller.Asks(provision, patientId)),
            provision.Actions.Count == 0 ? ConsentCondition.True : Doing(provision.Actions, denies),
            Of(provision.Labels, inDoubt, labels => new ConsentCondition.Labelled(labels)),
            Of(provision.Codes, inDoubt, codes => new ConsentCondition.Coded(codes)),
            provision.Classes.Count == 0 ? ConsentCondition.True : Classes(provision.Classes, inDoubt),
            provision.Data.Count == 0 ? ConsentCondition.True : ConsentCondition.AnyOf(provision.Data.Select(one => one is var (type, id) ? new ConsentCondition.One(type, id) : inDoubt)),
            provision.DataPeriod is { } period ? new ConsentCondition.During(period, denies) : ConsentCondition.True);
    }

    private bool IsNow(ConsentPeriod? period)
    {
        if (period is not { } known)
        {
            return true;
        }

        var next = now < known.Start ? known.Start : now < known.End ? known.End : (DateTimeOffset?)null;
        if (next is not null && next != DateTimeOffset.MaxValue && (Until is null || next < Until))
        {
            Until = next;
        }

        return now >= known.Start && now < known.End;
    }

    private static ConsentCondition Of(IReadOnlyList<ConsentCode> codes, ConsentCondition inDoubt, Func<IReadOnlyList<ConsentCode>, ConsentCondition> condition)
    {
        var readable = codes.Where(code => code.Code is not null).ToList();
        return codes.Count == 0 ? ConsentCondition.True
            : readable.Count == 0 ? inDoubt
            : readable.Count < codes.Count ? ConsentCondition.AnyOf(inDoubt, condition(readable))
            : condition(readable);
    }

    // A class that is no type (a kind of document, a profile) is nothing that every resource says of itself.
    private static ConsentCondition Classes(IReadOnlyList<ConsentCode> classes, ConsentCondition inDoubt)
    {
        var types = classes.Where(one => one is { System: ResourceTypes or FhirTypes, Code: not null }).Select(one => one.Code!).ToList();
        return ConsentCondition.AnyOf(types.Count > 0 ? new ConsentCondition.OfType(types) : ConsentCondition.False, types.Count < classes.Count ? inDoubt : ConsentCondition.False);
    }

    private static ConsentCondition Doing(IReadOnlyList<string> actions, bool denies)
    {
        var interactions = ScopeInteractions.None;
        foreach (var action in actions)
        {
            interactions |= action switch
            {
                "access" or "use" or "disclose" => ScopeInteractions.Read | ScopeInteractions.Search,
                "collect" => ScopeInteractions.Create,
                "correct" => ScopeInteractions.Update | ScopeInteractions.Delete,
                _ => denies ? ScopeInteractions.All : ScopeInteractions.None,
            };
        }

        return interactions == ScopeInteractions.All ? ConsentCondition.True : interactions == ScopeInteractions.None ? ConsentCondition.False : new ConsentCondition.Doing(interactions);
    }

    private bool NamesPerson(ConsentProvision provision) =>
        caller.FhirUser is { } user && (provision.Actors.Any(actor => actor.Reference == user) || provision.Exceptions.Any(NamesPerson));
}
