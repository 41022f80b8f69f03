using System.Text.Json;
using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Smart.Jose;
using FhirIomt.Storage;

namespace FhirIomt.Smart.Clients;

/// <summary>A backend-service client as it is registered.</summary>
/// <param name="Jwks">Its public keys, or null when they lie at <paramref name="JwksUri"/>.</param>
/// <param name="Scopes">What it may ask for.</param>
public sealed record ClientRegistration(string ClientId, string Name, string? Jwks, Uri? JwksUri, IReadOnlyList<string> Scopes)
{
    /// <summary>The right to configure the server, such as its device mappings. An extension scope in the form that SMART gives them (two underscores).</summary>
    public const string OperatorScope = "__operator";

    /// <summary>Checks everything that can be checked at registration, so that a mistake shows here and not at the first token request.</summary>
    public static Outcome<ClientRegistration> Create(string clientId, string name, string jwksOrUrl, string scopes, IndexPolicy policy)
    {
        var list = scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (list.Length == 0)
        {
            return SmartIssues.NoScopes();
        }

        foreach (var scope in list.Where(scope => scope != OperatorScope))
        {
            if (!SmartScope.Parse(scope, policy).TryGetValue(out var parsed, out var issues))
            {
                return Outcome<ClientRegistration>.Refused(issues);
            }

            if (parsed.Context != ScopeContext.System)
            {
                return SmartIssues.NotASystemScope(scope);
            }
        }

        if (Uri.TryCreate(jwksOrUrl, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https")
        {
            return IsAcceptable(uri) ? new ClientRegistration(clientId, name, null, uri, list) : SmartIssues.BadJwksUrl(jwksOrUrl);
        }

        return SigningKey.ParseSet(System.Text.Encoding.UTF8.GetBytes(jwksOrUrl)).TryGetValue(out _, out var keyIssues)
            ? new ClientRegistration(clientId, name, jwksOrUrl, null, list)
            : Outcome<ClientRegistration>.Refused(keyIssues);
    }

    /// <summary>Whether the registration covers a scope, by its own text or by wider ones.</summary>
    internal bool Allows(string scope, IndexPolicy policy)
    {
        if (Scopes.Contains(scope, StringComparer.Ordinal))
        {
            return true;
        }

        if (scope == OperatorScope || !SmartScope.Parse(scope, policy).TryGetValue(out var wanted, out _) || wanted.Context != ScopeContext.System)
        {
            return false;
        }

        // Each letter must be covered by a registered scope without criteria, or with exactly the same ones (which the text comparison found).
        var covering = Scopes.Where(registered => registered != OperatorScope)
            .Select(registered => SmartScope.Parse(registered, policy).Require())
            .Where(registered => registered.Criteria.Count == 0 && (registered.ResourceType is null || registered.ResourceType == wanted.ResourceType))
            .Aggregate(ScopeInteractions.None, (sum, registered) => sum | registered.Interactions);
        return (wanted.Interactions & ~covering) == ScopeInteractions.None;
    }

    public StoredRecord ToRecord()
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            writer.WriteString("client_id", ClientId);
            writer.WriteString("name", Name);
            if (Jwks is not null)
            {
                writer.WritePropertyName("jwks");
                writer.WriteRawValue(Jwks);
            }

            if (JwksUri is not null)
            {
                writer.WriteString("jwks_uri", JwksUri.AbsoluteUri);
            }

            writer.WriteString("scope", string.Join(' ', Scopes));
            writer.WriteEndObject();
        }

        return new StoredRecord(RecordKind.Client, ClientId, stream.ToArray());
    }

    public static ClientRegistration FromRecord(StoredRecord record)
    {
        var root = JsonTree.Parse(record.Body).Require().Root;
        var uri = root["jwks_uri"u8].AsString();
        return new ClientRegistration(
            record.Id,
            root["name"u8].AsString()!,
            root["jwks"u8].Exists ? root["jwks"u8].ToString() : null,
            uri is null ? null : new Uri(uri),
            root["scope"u8].AsString()!.Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    private static bool IsAcceptable(Uri uri) => uri.UserInfo.Length == 0 && (uri.Scheme == "https" || uri.IsLoopback);
}
