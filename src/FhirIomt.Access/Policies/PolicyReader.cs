using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Access.Policies;

/// <summary>Reads a policies file; collects every problem with the key it stands under.</summary>
internal sealed class PolicyReader(IndexPolicy policy)
{
    public const string Client = "client";

    // What a criterion is checked with: any practitioner will do.
    private const string SomeUser = "Practitioner/x";

    private static readonly string[] Roles = ["clinician", "patient", "operator", "vendor", Client];

    // Writes to these move the access generation (AccessData in Storage), so that a change acts at once.
    private static readonly string[] PatientSources = ["Patient", "CareTeam", "EpisodeOfCare", "RelatedPerson"];
    private static readonly string[] PatientParameters = ["general-practitioner", "organization"];

    // Of the resource, or of any element.
    private static readonly string[] OfTheServer = ["id", "meta", "implicitRules", "contained", "extension", "modifierExtension"];

    private readonly SearchQueryParser _parser = new(policy);
    private readonly List<Issue> _issues = [];

    public Outcome<AccessPolicies> Read(ResourceNode root)
    {
        var roles = new Dictionary<string, RolePolicy>(StringComparer.Ordinal);
        foreach (var member in root.Children)
        {
            if (Roles.Contains(member.Name, StringComparer.Ordinal))
            {
                roles[member.Name] = Role(member.Name, member);
            }
            else
            {
                _issues.Add(PolicyIssues.UnknownKey(member.Name, Roles));
            }
        }

        _issues.AddRange(Roles.Where(role => !roles.ContainsKey(role)).Select(PolicyIssues.MissingRole));
        return _issues.Count > 0 ? Outcome<AccessPolicies>.Refused(_issues) : new AccessPolicies(roles);
    }

    private RolePolicy Role(string key, ResourceNode node)
    {
        Known(key, node, "patients", "confidentiality", "emergency", "relabel", "types");
        var patients = new List<string>();
        foreach (var search in node["patients"u8].Items)
        {
            patients.Add(search.AsString() ?? "");
            CheckPatients($"{key}.patients[{patients.Count - 1}]", patients[^1]);
        }

        var confidentiality = node["confidentiality"u8].AsString() ?? "N";
        if (!Confidentiality.IsLevel(confidentiality))
        {
            _issues.Add(PolicyIssues.BadValue($"{key}.confidentiality", confidentiality, "U, L, M, N, R or V"));
        }

        var types = new Dictionary<string, TypePolicy>(StringComparer.Ordinal);
        foreach (var type in node["types"u8].Children)
        {
            types[type.Name] = Type($"{key}.types.{type.Name}", type);
        }

        return new RolePolicy(patients, confidentiality, IsTrue(node["emergency"u8]), IsTrue(node["relabel"u8]), types);
    }

    private TypePolicy Type(string key, ResourceNode node)
    {
        Known(key, node, "interactions", "of", "where", "hidden", "readOnly");
        if (node.Name != RolePolicy.AnyType && !policy.Definitions.IsResourceType(node.Name))
        {
            _issues.Add(PolicyIssues.BadValue(key, node.Name, "a resource type or *"));
        }

        var letters = node["interactions"u8].AsString() ?? "";
        var interactions = SmartScope.ParseInteractions(letters);
        if (interactions == ScopeInteractions.None)
        {
            _issues.Add(PolicyIssues.BadValue($"{key}.interactions", letters, "letters of cruds in that order"));
        }

        var of = node["of"u8].AsString();
        if (of is not ("patients" or "all") || (of == "all" && node.Name == RolePolicy.AnyType))
        {
            _issues.Add(PolicyIssues.BadValue($"{key}.of", of ?? "", node.Name == RolePolicy.AnyType ? "patients" : "patients or all"));
        }

        var where = node["where"u8].AsString();
        if (where is not null && (node.Name == RolePolicy.AnyType || !RolePolicy.Criteria(node.Name, RolePolicy.For(where, SomeUser), _parser).TryGetValue(out _, out _)))
        {
            _issues.Add(PolicyIssues.BadSearch($"{key}.where", where));
        }

        return new TypePolicy(interactions, of == "patients", where, Elements(key, node, "hidden", mayBeMandatory: false), Elements(key, node, "readOnly", mayBeMandatory: true));
    }

    // A hidden element that must be there would make answers that nobody can read; one that says whose a resource is decides who sees it.
    private List<FieldPath> Elements(string key, ResourceNode node, string name, bool mayBeMandatory)
    {
        var (paths, type) = (new List<FieldPath>(), policy.Definitions.Type(node.Name));
        foreach (var item in node[System.Text.Encoding.UTF8.GetBytes(name)].Items)
        {
            var text = item.AsString() ?? "";
            if (type is not null && FieldPath.Parse(type, text) is { } path && !path.Steps.Any(step => OfTheServer.Contains(step.Element.Name, StringComparer.Ordinal)) && node.Name != "AuditEvent" && (mayBeMandatory || MayBeHidden(node.Name, path)))
            {
                paths.Add(path);
            }
            else
            {
                _issues.Add(PolicyIssues.BadValue($"{key}.{name}", text, mayBeMandatory
                    ? "an element of the type, or a path to one such as contact.telecom"
                    : "an element of the type, or a path to one such as contact.telecom, that may be absent, and says neither whose it is nor what it means"));
            }
        }

        return paths;
    }

    private static bool MayBeHidden(string type, FieldPath path) =>
        path.Last.Element is { Min: 0, IsModifier: false } && path.Steps[0].Element.Name is var first && first != PatientCompartment.SubjectElementOf(type) && first != PatientCompartment.AttachedBy(type);

    private void CheckPatients(string key, string search)
    {
        if (search == RolePolicy.FhirUser)
        {
            return;
        }

        var (type, query) = search.Split('?', 2) is [var head, var tail] ? (head, tail) : ("", "");
        if (!PatientSources.Contains(type, StringComparer.Ordinal)
            || (type == "Patient" && SearchCondition.Arguments(query).Any(argument => !PatientParameters.Contains(argument.Name.Split(':', '.')[0], StringComparer.Ordinal)))
            || !SearchCondition.Parse(_parser, type, RolePolicy.For(query, SomeUser)!).TryGetValue(out _, out _))
        {
            _issues.Add(PolicyIssues.BadSearch(key, search));
        }
    }

    private static bool IsTrue(ResourceNode node) => node is { Exists: true, Kind: NodeKind.True };

    private void Known(string key, ResourceNode node, params string[] names)
    {
        foreach (var member in node.Children)
        {
            if (!names.Contains(member.Name, StringComparer.Ordinal))
            {
                _issues.Add(PolicyIssues.UnknownKey($"{key}.{member.Name}", names));
            }
        }
    }
}

/// <summary>Confidentiality labels (HL7 v3 Confidentiality), from the least to the most restricted.</summary>
public static class Confidentiality
{
    public const string System = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";

    private static readonly string[] Levels = ["U", "L", "M", "N", "R", "V"];

    public static bool IsLevel(string code) => Array.IndexOf(Levels, code) >= 0;

    /// <summary>The levels beyond one.</summary>
    public static IReadOnlyList<string> Above(string level) => Levels[(Array.IndexOf(Levels, level) + 1)..];

    /// <summary>The higher of two; null is none.</summary>
    public static string? Higher(string? one, string? other) => Array.IndexOf(Levels, one) >= Array.IndexOf(Levels, other) ? one : other;
}

/// <summary>Refusals of policies: IOMT-0880 to IOMT-0884.</summary>
internal static class PolicyIssues
{
    public static Issue UnknownKey(string key, string[] known) =>
        Issue.Error(IssueKind.Invalid, "IOMT-0880", $"Access:Policies knows no '{key}'.", key, $"Use {string.Join(", ", known)}.");

    public static Issue MissingRole(string role) =>
        Issue.Error(IssueKind.Required, "IOMT-0881", $"Access:Policies says nothing about '{role}'.", role, "Write the role with empty types if it may do nothing.");

    public static Issue BadValue(string key, string value, string expected) =>
        Issue.Error(IssueKind.Value, "IOMT-0882", $"Access:Policies: '{value}' is not a value for '{key}'.", key, $"Give {expected}.");

    public static Issue BadSearch(string key, string search) =>
        Issue.Error(IssueKind.Invalid, "IOMT-0883", $"Access:Policies: '{key}' cannot be searched for as '{search}'.", key, "patients: CareTeam?…, EpisodeOfCare?…, RelatedPerson?…, Patient?general-practitioner=… or organization=…; where: codes, ids and references without modifiers.");

    public static Issue NotLocal(string where) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0884", $"'{where}' cannot be decided from one resource alone.", fix: "Use codes, ids and references without chains.");
}
