using FhirIomt.Smart.Pages;
using FhirIomt.Smart.Tokens;
using FhirIomt.Storage;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Smart.Authorize;

/// <summary>A pending authorization in the browser that it belongs to.</summary>
/// <param name="Browser">The browser's secret.</param>
internal sealed record SignIn(string Transaction, PendingAuthorization Pending, string Browser, Texts Texts)
{
    public PageFrame Frame() => new(Texts, Transaction, BrowserCookies.FormKey(Browser, Transaction), Pending.ClientName);
}

/// <summary>Opens pending authorizations: for a page, and for a form that came from a page of ours. What cannot be opened is answered with an error page.</summary>
internal sealed class SignIns(IStore store, BrowserCookies cookies, PageWriter pages)
{
    public async Task<SignIn?> OpenPageAsync(HttpContext context)
    {
        var transaction = context.Request.Query["transaction"].ToString();
        if (await FindAsync(transaction, context.RequestAborted).ConfigureAwait(false) is not { } pending)
        {
            await pages.ErrorAsync(context, AuthorizeIssues.Over()).ConfigureAwait(false);
            return null;
        }

        var browser = cookies.EnsureBrowser(context);
        var hash = Secrets.Hash(browser);
        if (pending.Browser is null)
        {
            // The first browser that comes keeps it; decided in the store.
            await store.WriteAsync([new Update(RecordKind.Authorization, Secrets.Hash(transaction), record => Bind(record, transaction, hash))], context.RequestAborted).ConfigureAwait(false);
            pending = await FindAsync(transaction, context.RequestAborted).ConfigureAwait(false);
        }

        if (pending?.Browser != hash)
        {
            await pages.ErrorAsync(context, AuthorizeIssues.OtherBrowser()).ConfigureAwait(false);
            return null;
        }

        return new SignIn(transaction, pending, browser, PageWriter.TextsFor(context, pending.Languages));
    }

    /// <summary>The form with every field as it was sent; ticks may be repeated.</summary>
    public async Task<(SignIn SignIn, IFormCollection Fields)?> OpenFormAsync(HttpContext context)
    {
        if ((await FormRequest.ReadFieldsAsync(context.Request, context.RequestAborted).ConfigureAwait(false)).Fields is not { } fields)
        {
            await pages.ErrorAsync(context, AuthorizeIssues.Unreadable()).ConfigureAwait(false);
            return null;
        }

        var transaction = fields["transaction"].ToString();
        if (!cookies.IsOurForm(context.Request, fields, transaction))
        {
            await pages.ErrorAsync(context, AuthorizeIssues.ForeignForm()).ConfigureAwait(false);
            return null;
        }

        var browser = cookies.Browser(context.Request)!;
        if (await FindAsync(transaction, context.RequestAborted).ConfigureAwait(false) is not { } pending || pending.Browser != Secrets.Hash(browser))
        {
            await pages.ErrorAsync(context, AuthorizeIssues.Over()).ConfigureAwait(false);
            return null;
        }

        return (new SignIn(transaction, pending, browser, PageWriter.TextsFor(context, pending.Languages)), fields);
    }

    public Task SaveAsync(string transaction, PendingAuthorization pending, CancellationToken cancellationToken) =>
        store.WriteAsync([new Update(RecordKind.Authorization, Secrets.Hash(transaction), record => record is null ? null : AuthorizeEndpoint.Record(transaction, pending))], cancellationToken);

    private async ValueTask<PendingAuthorization?> FindAsync(string transaction, CancellationToken cancellationToken) =>
        await store.FindRecordAsync(RecordKind.Authorization, Secrets.Hash(transaction), cancellationToken).ConfigureAwait(false) is { } record ? Records.Read(record, Records.Default.PendingAuthorization) : null;

    private static StoredRecord? Bind(StoredRecord? record, string transaction, string browser) =>
        record is not null && Records.Read(record, Records.Default.PendingAuthorization) is { Browser: null } pending ? AuthorizeEndpoint.Record(transaction, pending with { Browser = browser }) : null;
}
