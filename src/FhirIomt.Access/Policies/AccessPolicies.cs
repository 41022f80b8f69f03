using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Access.Policies;

/// <summary>Who sees what, by role. Compiled in is <c>policies.json</c>; an operator may replace it as a whole.</summary>
public sealed class AccessPolicies
{
    private readonly Dictionary<string, RolePolicy> _roles;

    internal AccessPolicies(Dictionary<string, RolePolicy> roles) => _roles = roles;

    /// <summary>Of clients that act for themselves: their scopes say which types, this how far they reach into labelled data.</summary>
    public RolePolicy Client => _roles[PolicyReader.Client];

    public RolePolicy For(UserRole role) => _roles[NameOf(role)];

    /// <summary>The policies that are compiled in.</summary>
    public static AccessPolicies Default(IndexPolicy policy)
    {
        using var stream = typeof(AccessPolicies).Assembly.GetManifestResourceStream("policies.json") ?? throw new InvalidOperationException("The default policies are not in the assembly.");
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return Read(memory.ToArray(), policy).Require();
    }

    /// <summary>Policies from a file's content; a refusal names each key that is wrong.</summary>
    public static Outcome<AccessPolicies> Read(ReadOnlyMemory<byte> json, IndexPolicy policy) =>
        JsonTree.Parse(json).TryGetValue(out var tree, out var issues) ? new PolicyReader(policy).Read(tree.Root) : Outcome<AccessPolicies>.Refused(issues);

    internal static string NameOf(UserRole role) => role switch
    {
        UserRole.Clinician => "clinician",
        UserRole.Patient => "patient",
        UserRole.Operator => "operator",
        _ => "vendor",
    };
}
