namespace FhirIomt.Access.Consents;

/// <summary>Which organization a client that acts for itself belongs to: consents may name it.</summary>
public interface IClientOrganizations
{
    /// <returns><c>Organization/1</c>; null when nobody has said.</returns>
    ValueTask<string?> OrganizationOfAsync(string clientId, CancellationToken cancellationToken);
}
