using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Access.Consents;

/// <summary>A patient's privacy consent that is in force: what it denies is withheld (R4, Consent).</summary>
/// <param name="PatientId">Whose data it is about.</param>
public sealed record ConsentRule(string Id, string PatientId, ConsentProvision Root)
{
    /// <summary>Null: it is not active, not about privacy, or not about a patient here, and withholds nothing.</summary>
    public static ConsentRule? Read(ResourceNode consent, string? serverBase)
    {
        if (!consent["status"u8].TextEquals("active"u8) || !HasCode(consent["scope"u8], "patient-privacy") || PatientCompartment.OwnerOf("Consent", consent, serverBase) is not { } patient)
        {
            return null;
        }

        // R4 lets the base rule be said by the policy; the root's own type, which profiles such as IHE's use, says it plainer.
        var optsOut = HasCode(consent["policyRule"u8], "OPTOUT") || HasCode(consent["policyRule"u8], "OPTOUTE");
        var root = ConsentProvision.Read(consent["provision"u8], serverBase);
        return new ConsentRule(consent["id"u8].AsString() ?? "", patient, root with { Denies = root.Denies ?? optsOut });
    }

    /// <summary>Whether a consent, in force or not, is about that app.</summary>
    public static bool Names(ResourceNode consent, string clientId) => ConsentProvision.Read(consent["provision"u8], serverBase: null).Names(clientId);

    private static bool HasCode(ResourceNode concept, string code)
    {
        foreach (var coding in concept["coding"u8].Items)
        {
            if (coding["code"u8].AsString() == code)
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>One provision: whatever it does not restrict, it is about all of.</summary>
/// <param name="Denies">Null: as the provision around it.</param>
/// <param name="Period">When it holds.</param>
/// <param name="DataPeriod">The time of the data it is about.</param>
public sealed record ConsentProvision(bool? Denies, ConsentPeriod? Period, ConsentPeriod? DataPeriod)
{
    public IReadOnlyList<ConsentActor> Actors { get; init; } = [];

    public IReadOnlyList<string> Actions { get; init; } = [];

    public IReadOnlyList<ConsentCode> Labels { get; init; } = [];

    public IReadOnlyList<string> Purposes { get; init; } = [];

    public IReadOnlyList<ConsentCode> Classes { get; init; } = [];

    public IReadOnlyList<ConsentCode> Codes { get; init; } = [];

    /// <summary>Single resources; null stands for what cannot be told from one of them, such as "related to".</summary>
    public IReadOnlyList<(string Type, string Id)?> Data { get; init; } = [];

    public IReadOnlyList<ConsentProvision> Exceptions { get; init; } = [];

    /// <summary>Whether it, or an exception from it, is about that app.</summary>
    public bool Names(string clientId) => Actors.Any(actor => actor.Identifier == clientId) || Exceptions.Any(exception => exception.Names(clientId));

    internal static ConsentProvision Read(ResourceNode node, string? serverBase)
    {
        var type = node["type"u8].AsString();
        return new ConsentProvision(type is null ? null : type == "deny", ConsentPeriod.Read(node["period"u8]), ConsentPeriod.Read(node["dataPeriod"u8]))
        {
            Actors = List(node["actor"u8], actor => new ConsentActor(
                PatientCompartment.Referred(actor, "reference", serverBase) is var (kind, id) ? $"{kind}/{id}" : null,
                actor["reference"u8]["identifier"u8]["value"u8].AsString())),
            Actions = List(node["action"u8], action => action["coding"u8].First()["code"u8].AsString() ?? ""),
            Labels = List(node["securityLabel"u8], ConsentCode.Read),
            Purposes = List(node["purpose"u8], purpose => purpose["code"u8].AsString() ?? ""),
            Classes = List(node["class"u8], ConsentCode.Read),
            Codes = [.. List(node["code"u8], concept => List(concept["coding"u8], ConsentCode.Read)).SelectMany(codings => codings.Count == 0 ? [default] : codings)],
            Data = List(node["data"u8], data => data["meaning"u8].TextEquals("instance"u8) ? PatientCompartment.Referred(data, "reference", serverBase) : null),
            Exceptions = List(node["provision"u8], nested => Read(nested, serverBase)),
        };
    }

    private static List<T> List<T>(ResourceNode array, Func<ResourceNode, T> read)
    {
        var list = new List<T>();
        foreach (var item in array.Items)
        {
            list.Add(read(item));
        }

        return list;
    }
}

/// <param name="Reference">A resource of this server, <c>Organization/1</c>; null for any other reference and for none.</param>
/// <param name="Identifier">For an app, its client id.</param>
public readonly record struct ConsentActor(string? Reference, string? Identifier);

/// <summary>The default is a code that could not be read.</summary>
public readonly record struct ConsentCode(string? System, string? Code)
{
    internal static ConsentCode Read(ResourceNode coding) => new(coding["system"u8].AsString(), coding["code"u8].AsString());
}

/// <summary>Start inclusive, end exclusive.</summary>
public readonly record struct ConsentPeriod(DateTimeOffset Start, DateTimeOffset End)
{
    internal static ConsentPeriod? Read(ResourceNode period) => !period.Exists ? null : new ConsentPeriod(
        FhirDate.TryParseInterval(period["start"u8].AsString() ?? "", out var start, out _) ? start : DateTimeOffset.MinValue,
        FhirDate.TryParseInterval(period["end"u8].AsString() ?? "", out _, out var end) ? end : DateTimeOffset.MaxValue);
}
