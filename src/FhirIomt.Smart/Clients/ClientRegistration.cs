using System.Text.Json;
using FhirIomt.Access;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Smart.Clients;

/// <summary>How a client shows who it is.</summary>
public enum ClientType
{
    /// <summary>It cannot: it runs in a browser or on a person's device.</summary>
    Public,

    /// <summary>By a secret that both know.</summary>
    Secret,

    /// <summary>By signing with a private key (private_key_jwt).</summary>
    Jwks,
}

/// <summary>What the aud of a client's assertions may be. RFC 10070 wants the issuer, SMART 2.2 the token endpoint.</summary>
public enum AssertionAudience
{
    Both,
    Issuer,
    TokenEndpoint,
}

/// <summary>A client as it is registered.</summary>
/// <param name="Scopes">What it may ask for.</param>
public sealed record ClientRegistration(string ClientId, string Name, ClientType Type, IReadOnlyList<string> Scopes)
{
    /// <summary>Its public keys, or null when they lie at <see cref="JwksUri"/> or it has none.</summary>
    public string? Jwks { get; init; }

    public Uri? JwksUri { get; init; }

    /// <summary>Of the secret; the secret itself was shown once.</summary>
    public string? SecretHash { get; init; }

    /// <summary>Without any it is a backend service.</summary>
    public IReadOnlyList<string> RedirectUris { get; init; } = [];

    /// <summary>Where an EHR sends the browser to start it.</summary>
    public string? LaunchUri { get; init; }

    public AssertionAudience AssertionAudience { get; init; }

    public bool IsDisabled { get; init; }

    /// <summary>Whose it is, <c>Organization/1</c>: consents may name that.</summary>
    public string? Organization { get; init; }

    /// <summary>Whether the registration covers a scope, by its own text or by wider ones.</summary>
    internal bool Allows(string scope, IndexPolicy policy)
    {
        if (Scopes.Contains(scope, StringComparer.Ordinal))
        {
            return true;
        }

        if (ScopeNames.IsForPeople(scope) || ScopeNames.IsRight(scope) || !SmartScope.Parse(scope, policy).TryGetValue(out var wanted, out _))
        {
            return false;
        }

        // Each letter must be covered by a registered scope without criteria, or with exactly the same ones (which the text comparison found).
        var covering = Scopes.Where(registered => registered.Contains('/', StringComparison.Ordinal) && !ScopeNames.IsForPeople(registered))
            .Select(registered => SmartScope.Parse(registered, policy).Require())
            .Where(registered => registered.Context == wanted.Context && registered.Criteria.Count == 0 && (registered.ResourceType is null || registered.ResourceType == wanted.ResourceType))
            .Aggregate(ScopeInteractions.None, (sum, registered) => sum | registered.Interactions);
        return (wanted.Interactions & ~covering) == ScopeInteractions.None;
    }

    /// <summary>A scope that it may have for itself, without a person.</summary>
    internal bool AllowsForItself(string scope, IndexPolicy policy) =>
        (ScopeNames.IsRight(scope) || scope.StartsWith("system/", StringComparison.Ordinal)) && Allows(scope, policy);

    /// <summary>A scope that a person may grant it.</summary>
    internal bool AllowsForPerson(string scope, IndexPolicy policy) =>
        !ScopeNames.IsRight(scope) && !scope.StartsWith("system/", StringComparison.Ordinal) && Allows(scope, policy);

    internal StoredRecord ToRecord()
    {
        using var keys = Jwks is null ? null : JsonDocument.Parse(Jwks);
        var body = new ClientBody(
            ClientId, Name, Type.ToString(), keys?.RootElement, JwksUri?.AbsoluteUri, string.Join(' ', Scopes), SecretHash, RedirectUris.Count > 0 ? RedirectUris : null, LaunchUri, AssertionAudience.ToString(), IsDisabled, Organization);
        return Records.Of(RecordKind.Client, ClientId, body, Records.Default.ClientBody);
    }

    internal static ClientRegistration FromRecord(StoredRecord record)
    {
        var body = Records.Read(record, Records.Default.ClientBody);

        return new ClientRegistration(record.Id, body.Name, TypeOf(body.Type), body.Scope.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            Jwks = body.Jwks?.GetRawText(),
            JwksUri = body.JwksUri is null ? null : new Uri(body.JwksUri),
            SecretHash = body.SecretHash,
            RedirectUris = body.RedirectUris ?? [],
            LaunchUri = body.LaunchUri,
            AssertionAudience = AudienceOf(body.AssertionAudience),
            IsDisabled = body.Disabled ?? false,
            Organization = body.Organization,
        };
    }

    private static ClientType TypeOf(string? text) => text switch
    {
        nameof(ClientType.Public) => ClientType.Public,
        nameof(ClientType.Secret) => ClientType.Secret,

        // Registered before there were types: by keys.
        nameof(ClientType.Jwks) or null => ClientType.Jwks,
        _ => throw new InvalidDataException($"The store has a client of the type {text}."),
    };

    private static AssertionAudience AudienceOf(string? text) => text switch
    {
        nameof(AssertionAudience.Issuer) => AssertionAudience.Issuer,
        nameof(AssertionAudience.TokenEndpoint) => AssertionAudience.TokenEndpoint,
        nameof(AssertionAudience.Both) or null => AssertionAudience.Both,
        _ => throw new InvalidDataException($"The store has a client with the audience {text}."),
    };
}

/// <summary>Enumerations by name: a converter for each is a hundred methods to compile at every start.</summary>
internal sealed record ClientBody(
    string ClientId,
    string Name,
    string? Type,
    JsonElement? Jwks,
    string? JwksUri,
    string Scope,
    string? SecretHash,
    IReadOnlyList<string>? RedirectUris,
    string? LaunchUri,
    string? AssertionAudience,
    bool? Disabled,
    string? Organization);
