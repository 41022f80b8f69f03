using FhirIomt.Access;
using FhirIomt.Fhir.Searching;
using FhirIomt.Smart.Clients;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Smart.Tokens;

/// <summary><c>POST /auth/token</c>: SMART Backend Services (client_credentials with private_key_jwt).</summary>
internal sealed class TokenEndpoint(ClientAuthenticator authenticator, AccessTokens tokens, IndexPolicy policy)
{
    // Scopes are the long part; fifty granular ones are about 3 kB, an assertion another 2.
    private const int MaxFormBytes = 64 * 1024;

    public async Task HandleAsync(HttpContext context)
    {
        var (form, unreadable) = await ReadFormAsync(context.Request, context.RequestAborted).ConfigureAwait(false);
        if (form is null)
        {
            await AnswerAsync(context, unreadable!).ConfigureAwait(false);
            return;
        }

        if (CheckForm(context.Request, form) is { } malformed)
        {
            await AnswerAsync(context, malformed).ConfigureAwait(false);
            return;
        }

        var (client, failure) = await authenticator.AuthenticateAsync(form["client_assertion"]!, form.GetValueOrDefault("client_id"), context.RequestAborted).ConfigureAwait(false);
        if (client is null)
        {
            await AnswerAsync(context, failure!).ConfigureAwait(false);
            return;
        }

        var (scope, refused) = Grant(client, form.GetValueOrDefault("scope"));
        if (refused is not null)
        {
            await AnswerAsync(context, refused).ConfigureAwait(false);
            return;
        }

        var token = await tokens.IssueAsync(client.ClientId, scope, context.RequestAborted).ConfigureAwait(false);
        NoStore(context.Response);
        await context.Response.WriteAsJsonAsync(new TokenAnswer(token, "bearer", (int)AccessTokens.Lifetime.TotalSeconds, scope), SmartJson.Default.TokenAnswer, cancellationToken: context.RequestAborted).ConfigureAwait(false);
    }

    private static TokenError? CheckForm(HttpRequest request, Dictionary<string, string> form)
    {
        if (request.Headers.Authorization.Count > 0)
        {
            return TokenError.InvalidRequest("Authenticate once: with client_assertion, without an Authorization header.");
        }

        if (form.GetValueOrDefault("grant_type") is not { } grant)
        {
            return TokenError.InvalidRequest("grant_type is missing.");
        }

        if (form.GetValueOrDefault("client_assertion_type") != ClientAuthenticator.AssertionType || !form.ContainsKey("client_assertion"))
        {
            return TokenError.InvalidClient($"Authenticate with client_assertion_type={ClientAuthenticator.AssertionType} and client_assertion.");
        }

        return grant == "client_credentials" ? null : TokenError.UnsupportedGrantType();
    }

    /// <summary>What is asked for and registered; more than is registered is left out, nothing in common is refused.</summary>
    private (string Scope, TokenError? Error) Grant(ClientRegistration client, string? requested)
    {
        var asked = (requested ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (asked.Length == 0)
        {
            return ("", TokenError.InvalidScope("Name the scopes you need, for example system/Observation.rs."));
        }

        var granted = asked.Where(scope => client.Allows(scope, policy)).Distinct(StringComparer.Ordinal).ToList();
        return granted.Count == 0
            ? ("", TokenError.InvalidScope("None of the scopes asked for is registered for this client."))
            : (string.Join(' ', granted), null);
    }

    private static async Task<(Dictionary<string, string>? Form, TokenError? Error)> ReadFormAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (!request.HasFormContentType || request.ContentType!.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase))
        {
            return (null, TokenError.InvalidRequest("Send application/x-www-form-urlencoded."));
        }

        if (request.ContentLength is null or > MaxFormBytes || request.QueryString.HasValue)
        {
            return (null, TokenError.InvalidRequest("Send the parameters in a form of at most 64 KiB, not in the URL."));
        }

        IFormCollection fields;
        try
        {
            fields = await request.ReadFormAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidDataException)
        {
            return (null, TokenError.InvalidRequest("The form cannot be read."));
        }

        return fields.Any(field => field.Value.Count != 1)
            ? (null, TokenError.InvalidRequest("A parameter is given twice."))
            : (fields.ToDictionary(field => field.Key, field => field.Value.ToString(), StringComparer.Ordinal), null);
    }

    private static Task AnswerAsync(HttpContext context, TokenError error)
    {
        NoStore(context.Response);
        context.Response.StatusCode = error.Status;
        return context.Response.WriteAsJsonAsync(new ErrorAnswer(error.Error, error.Description), SmartJson.Default.ErrorAnswer, cancellationToken: context.RequestAborted);
    }

    private static void NoStore(HttpResponse response)
    {
        response.Headers.CacheControl = "no-store";
        response.Headers.Pragma = "no-cache";
    }
}
