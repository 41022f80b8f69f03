using FhirIomt.Core;
using FhirIomt.Smart.Pages;
using FhirIomt.Smart.Tokens;
using FhirIomt.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace FhirIomt.Smart.Authorize;

/// <summary>
/// <c>/auth/authorize</c>, GET and POST. It checks, keeps the request, and sends the browser on to a page of ours by 303: a POST from another site carries no
/// Lax cookies, the GET that follows does.
/// </summary>
internal sealed class AuthorizeEndpoint(AuthorizeRequests requests, IStore store, PageWriter pages, ServerAddress address, IdSource ids)
{
    public async Task HandleAsync(HttpContext context)
    {
        if (await ReadAsync(context).ConfigureAwait(false) is not { } parameters)
        {
            await pages.ErrorAsync(context, AuthorizeIssues.Unreadable()).ConfigureAwait(false);
            return;
        }

        switch (await requests.CheckAsync(parameters, context.RequestAborted).ConfigureAwait(false))
        {
            case AuthorizeVerdict.ShowError show:
                await pages.ErrorAsync(context, show.Issue).ConfigureAwait(false);
                break;
            case AuthorizeVerdict.SendBack back:
                AuditNote.Of(context).Refused = back.Error;
                ClientRedirect.Refuse(context.Response, address, back.RedirectUri, back.State, back.Error, back.Description);
                break;
            case AuthorizeVerdict.Accept accept:
                var transaction = ids.NewSecret();
                await store.WriteAsync([new Change([Record(transaction, accept.Pending)])], context.RequestAborted).ConfigureAwait(false);
                ClientRedirect.SeeOther(context.Response, $"{address.Root}/auth/continue?transaction={transaction}");
                break;
        }
    }

    internal static StoredRecord Record(string transaction, PendingAuthorization pending) =>
        Records.Of(RecordKind.Authorization, Secrets.Hash(transaction), pending, Records.Default.PendingAuthorization, pending.At + PendingAuthorization.Lifetime);

    private static async ValueTask<List<KeyValuePair<string, StringValues>>?> ReadAsync(HttpContext context)
    {
        var parameters = context.Request.Query.ToList();
        if (!HttpMethods.IsPost(context.Request.Method))
        {
            return parameters;
        }

        if ((await FormRequest.ReadFieldsAsync(context.Request, context.RequestAborted).ConfigureAwait(false)).Fields is not { } fields)
        {
            return null;
        }

        // The address that an app is given may have parameters of its own; one that is in both counts as given twice.
        return [.. parameters.Concat(fields).GroupBy(field => field.Key, StringComparer.Ordinal).Select(group => KeyValuePair.Create(group.Key, new StringValues([.. group.SelectMany(field => field.Value)])))];
    }
}

/// <summary>Back to the client. 303, so that a form's content never travels on.</summary>
internal static class ClientRedirect
{
    public static void Refuse(HttpResponse response, ServerAddress address, string redirectUri, string? state, string error, string description) =>
        Send(response, address, redirectUri, state, [("error", error), ("error_description", description)]);

    public static void Answer(HttpResponse response, ServerAddress address, string redirectUri, string? state, string code) =>
        Send(response, address, redirectUri, state, [("code", code)]);

    public static void SeeOther(HttpResponse response, string location)
    {
        OAuthResponse.NoStore(response);
        response.StatusCode = StatusCodes.Status303SeeOther;
        response.Headers.Location = location;
    }

    // iss tells a client of several servers whose answer this is (RFC 9207).
    private static void Send(HttpResponse response, ServerAddress address, string redirectUri, string? state, List<(string Name, string Value)> parameters)
    {
        if (state is not null)
        {
            parameters.Add(("state", state));
        }

        parameters.Add(("iss", address.Issuer));
        var query = string.Join('&', parameters.Select(parameter => $"{parameter.Name}={Uri.EscapeDataString(parameter.Value)}"));
        SeeOther(response, $"{redirectUri}{(redirectUri.Contains('?', StringComparison.Ordinal) ? '&' : '?')}{query}");
    }
}
