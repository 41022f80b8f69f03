using System.Net;
using System.Text;
using FhirIomt.Smart.Clients;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Smart.Tokens;

/// <summary>
/// Which client speaks: by assertion, by secret (Basic or in the form), or, for public clients, by name alone. Exactly one way, and the one the client is
/// registered for.
/// </summary>
internal sealed class ClientAuthenticator(ClientDirectory clients, AssertionAuthenticator assertions)
{
    private const string Basic = "Basic ";

    private static readonly string NoSecret = Secrets.Hash("");

    /// <summary>The same words whether the client is unknown, of another type, or the secret is wrong.</summary>
    private static readonly TokenError NotKnown = TokenError.InvalidClient("The client is not known, or it did not authenticate as it is registered.");

    public async ValueTask<(ClientRegistration? Client, TokenError? Error)> AuthenticateAsync(HttpRequest request, IReadOnlyDictionary<string, string> form, CancellationToken cancellationToken)
    {
        var header = request.Headers.Authorization;
        var byAssertion = form.ContainsKey("client_assertion") || form.ContainsKey("client_assertion_type");
        var ways = (header.Count > 0 ? 1 : 0) + (byAssertion ? 1 : 0) + (form.ContainsKey("client_secret") ? 1 : 0);
        if (ways > 1 || header.Count > 1)
        {
            return (null, TokenError.InvalidRequest("Authenticate once: by Authorization header, client_assertion or client_secret."));
        }

        if (byAssertion)
        {
            return form.GetValueOrDefault("client_assertion_type") == AssertionAuthenticator.AssertionType && form.TryGetValue("client_assertion", out var assertion)
                ? await assertions.AuthenticateAsync(assertion, form.GetValueOrDefault("client_id"), cancellationToken).ConfigureAwait(false)
                : (null, TokenError.InvalidClient($"Authenticate with client_assertion_type={AssertionAuthenticator.AssertionType} and client_assertion."));
        }

        if (header.Count > 0)
        {
            return await BasicAsync(header[0]!, form.GetValueOrDefault("client_id"), cancellationToken).ConfigureAwait(false);
        }

        var clientId = form.GetValueOrDefault("client_id") ?? "";
        return form.TryGetValue("client_secret", out var secret)
            ? Answer(await SecretAsync(clientId, secret, cancellationToken).ConfigureAwait(false))
            : Answer(await clients.FindEnabledAsync(clientId, cancellationToken).ConfigureAwait(false) is { Type: ClientType.Public } client ? client : null);
    }

    // Clients send Basic as it is (SMART) or form-encoded (RFC 6749 §2.3.1): both are tried.
    private async ValueTask<(ClientRegistration? Client, TokenError? Error)> BasicAsync(string header, string? claimedClientId, CancellationToken cancellationToken)
    {
        if (!header.StartsWith(Basic, StringComparison.OrdinalIgnoreCase) || Decode(header[Basic.Length..].Trim()) is not { } pair || pair.IndexOf(':', StringComparison.Ordinal) is not (> 0 and var colon))
        {
            return (null, NotKnown);
        }

        var (id, secret) = (pair[..colon], pair[(colon + 1)..]);
        var client = await SecretAsync(id, secret, cancellationToken).ConfigureAwait(false)
            ?? (pair.AsSpan().IndexOfAny('%', '+') < 0 ? null : await SecretAsync(WebUtility.UrlDecode(id), WebUtility.UrlDecode(secret), cancellationToken).ConfigureAwait(false));
        return Answer(claimedClientId is null || claimedClientId == client?.ClientId ? client : null);
    }

    private async ValueTask<ClientRegistration?> SecretAsync(string clientId, string secret, CancellationToken cancellationToken)
    {
        var client = await clients.FindEnabledAsync(clientId, cancellationToken).ConfigureAwait(false);
        var matches = Secrets.Same(Secrets.Hash(secret), client?.SecretHash ?? NoSecret);
        return matches && client is { Type: ClientType.Secret, SecretHash: not null } ? client : null;
    }

    private static (ClientRegistration? Client, TokenError? Error) Answer(ClientRegistration? client) => (client, client is null ? NotKnown : null);

    private static string? Decode(string base64)
    {
        var bytes = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, bytes, out var length) ? Encoding.UTF8.GetString(bytes, 0, length) : null;
    }
}
