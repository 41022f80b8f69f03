using FhirIomt.Access.Policies;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Server.Hosting;

/// <summary>Who sees what (docs/security.md).</summary>
internal sealed class AccessOptions
{
    /// <summary>A policies file in place of the one that is compiled in; read once, at start.</summary>
    public string? Policies { get; set; }

    public IEnumerable<string> Problems() => string.IsNullOrEmpty(Policies) ? [] : Read(new IndexPolicy(FhirDefinitions.R4)).Issues.Where(issue => issue.Refuses).Select(issue => $"{issue.Message} {issue.Fix}");

    public AccessPolicies Load(IndexPolicy policy) => Read(policy).Require();

    private Outcome<AccessPolicies> Read(IndexPolicy policy)
    {
        if (string.IsNullOrEmpty(Policies))
        {
            return AccessPolicies.Default(policy);
        }

        try
        {
            return AccessPolicies.Read(File.ReadAllBytes(Policies), policy);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Issue.Error(IssueKind.NotFound, "IOMT-0886", $"Access:Policies: '{Policies}' cannot be read.", "Access:Policies", "Name a file that the server may read, or leave the setting out.");
        }
    }
}
