using FhirIomt.Smart.Pages;
using FhirIomt.Smart.Tokens;
using FhirIomt.Smart.Users;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Smart.Authorize;

/// <summary><c>/auth/logout</c>: a GET asks, only a form of ours does it. Ends the session, and with it all online access.</summary>
internal sealed class LogoutEndpoint(Sessions sessions, BrowserCookies cookies, PageWriter pages, ServerAddress address)
{
    private const string Purpose = "";

    public Task AskAsync(HttpContext context)
    {
        var texts = PageWriter.TextsFor(context);
        return pages.WriteAsync(context, texts, texts["logout.title"], LogoutPage.Ask(texts, BrowserCookies.FormKey(cookies.EnsureBrowser(context), Purpose)));
    }

    public async Task LogOutAsync(HttpContext context)
    {
        var fields = (await FormRequest.ReadFieldsAsync(context.Request, context.RequestAborted).ConfigureAwait(false)).Fields;
        var transaction = fields?["transaction"].ToString() ?? Purpose;
        if (fields is null || !cookies.IsOurForm(context.Request, fields, transaction))
        {
            await pages.ErrorAsync(context, AuthorizeIssues.ForeignForm()).ConfigureAwait(false);
            return;
        }

        AuditNote.Of(context).UserId = (await sessions.FindAsync(context).ConfigureAwait(false))?.User.Id;
        await sessions.EndAsync(context).ConfigureAwait(false);
        if (transaction == Account.AccountEndpoints.Purpose)
        {
            ClientRedirect.SeeOther(context.Response, $"{address.Root}/account");
            return;
        }

        if (transaction != Purpose)
        {
            // In the middle of a sign-in: somebody else goes on with it.
            ClientRedirect.SeeOther(context.Response, $"{address.Root}/auth/continue?transaction={Uri.EscapeDataString(transaction)}");
            return;
        }

        var texts = PageWriter.TextsFor(context);
        await pages.WriteAsync(context, texts, texts["logout.title"], LogoutPage.Done(texts)).ConfigureAwait(false);
    }
}
