using FhirIomt.Api.Http;
using FhirIomt.Repository.Auditing;
using FhirIomt.Server.Devices;
using FhirIomt.Smart;
using Microsoft.AspNetCore.Http.Features;

namespace FhirIomt.Server.Hosting.Guarding;

/// <summary>Records what was refused before, or behind, everything that records: limits, and addresses that nobody answers.</summary>
internal sealed class GuardAudit(AuditLog audit)
{
    public ValueTask RecordAsync(HttpContext context, int status, string code)
    {
        if (!audit.IsEnabled || KindOf(context.Request.Path) is not { } kind)
        {
            return ValueTask.CompletedTask;
        }

        // Only FHIR requests are kept as they were sent: what others have in their address may be a code or a name.
        var scope = context.Features.Get<CheckedToken>()?.Grant.Scope;
        var isFhir = kind == "operation";
        var entry = scope is null ? new AuditEntry(kind) : AuditEntry.Of(kind, scope);
        return audit.RecordAsync(
            entry with
            {
                Outcome = RequestOrigins.OutcomeOf(status),
                Issues = $"{status} {code}",
                Origin = RequestOrigins.Of(context),
                Sender = (context.Items[DeviceAudit.SenderKey] as Sender)?.Id ?? entry.Sender,
                Request = isFhir ? TargetLine(context) : null,
                Target = isFhir ? null : $"{context.Request.Path}",
            },
            context.RequestAborted);
    }

    private static string? KindOf(PathString path) => path switch
    {
        _ when path.StartsWithSegments("/fhir", StringComparison.OrdinalIgnoreCase) => "operation",
        _ when path.StartsWithSegments("/devices", StringComparison.Ordinal) => "message",
        { Value: "/auth/token" } => "token",
        _ when path.StartsWithSegments("/auth", StringComparison.Ordinal) || path.StartsWithSegments("/account", StringComparison.Ordinal) => "login",
        _ => null,
    };

    // As it was sent. A token in an address must not be kept.
    private static string TargetLine(HttpContext context)
    {
        var target = context.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "";
        var token = target.IndexOf("access_token=", StringComparison.OrdinalIgnoreCase);
        return $"{context.Request.Method} {(token < 0 ? target : target[..token] + "access_token=…")}";
    }
}
