using FhirIomt.Repository.Auditing;
using FhirIomt.Smart;

namespace FhirIomt.Server.Devices;

/// <summary>Records what devices and vendors ask for, before it is answered; messages that are taken are recorded with their receipts.</summary>
internal sealed class DeviceAudit(AuditLog audit) : IEndpointFilter
{
    /// <summary>The sender, once it is known.</summary>
    public static readonly object SenderKey = new();

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        http.Response.OnStarting(() => RecordAsync(http));
        return await next(context).ConfigureAwait(false);
    }

    private async Task RecordAsync(HttpContext context)
    {
        var outcome = RequestOrigins.OutcomeOf(context.Response.StatusCode);
        var isMessage = HttpMethods.IsPost(context.Request.Method);
        if (isMessage && outcome == AuditOutcome.Success)
        {
            return;
        }

        await audit.RecordAsync(
            new AuditEntry(isMessage ? "message" : "device")
            {
                Outcome = outcome,
                Issues = outcome == AuditOutcome.Success ? null : $"{context.Response.StatusCode}",
                Sender = (context.Items[SenderKey] as Sender)?.Id,
                Origin = RequestOrigins.Of(context),
                Target = context.Request.Path.Value!.TrimStart('/').Split('/') is ["devices", var what, ..] ? $"devices {what}" : "devices",
            },
            context.RequestAborted).ConfigureAwait(false);
    }
}
