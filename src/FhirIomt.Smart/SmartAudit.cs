using FhirIomt.Repository.Auditing;
using FhirIomt.Smart.Tokens;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Smart;

/// <summary>What an endpoint of the authorization server knows about a request that its status does not say.</summary>
internal sealed class AuditNote
{
    public string? ClientId { get; set; }

    public string? UserId { get; set; }

    public string? FhirUser { get; set; }

    public string? Patient { get; set; }

    /// <summary>The request was answered as a page or a redirect, and refused all the same.</summary>
    public string? Refused { get; set; }

    /// <summary>What may be kept of the request: no code, no verifier, no secret, no token.</summary>
    public string? Request { get; set; }

    public static AuditNote Of(HttpContext context)
    {
        if (context.Features.Get<AuditNote>() is not { } note)
        {
            context.Features.Set(note = new AuditNote());
        }

        return note;
    }
}

/// <summary>Records logins, decisions, tokens and launches, before the first byte of their answer leaves.</summary>
internal sealed class SmartAudit(AuditLog audit) : IEndpointFilter
{
    private static readonly string[] KeptFields = ["grant_type", "client_id", "scope", "redirect_uri", "response_type", "aud", "client_assertion_type", "token_type_hint"];

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (KindOf(http.Request) is { } kind)
        {
            http.Response.OnStarting(() => RecordAsync(http, kind));
        }

        return await next(context).ConfigureAwait(false);
    }

    /// <summary>The request as it may be kept.</summary>
    public static string Kept(string path, IEnumerable<KeyValuePair<string, string>> fields) =>
        $"POST {path}\n\n{string.Join('&', fields.Where(field => KeptFields.Contains(field.Key, StringComparer.Ordinal)).Select(field => $"{field.Key}={Uri.EscapeDataString(field.Value)}"))}";

    private async Task RecordAsync(HttpContext context, string kind)
    {
        var note = AuditNote.Of(context);
        var outcome = RequestOrigins.OutcomeOf(context.Response.StatusCode);

        // A page that is shown again, and the steps before a decision, are nobody's decision yet.
        if (outcome == AuditOutcome.Success && note.Refused is null && (note is { ClientId: null, UserId: null } || (kind == "authorize" && context.Request.Path != "/auth/consent")))
        {
            return;
        }

        await audit.RecordAsync(
            new AuditEntry(kind)
            {
                Outcome = outcome == AuditOutcome.Success && note.Refused is not null ? AuditOutcome.Refused : outcome,
                Issues = note.Refused,
                ClientId = note.ClientId,
                UserId = note.UserId,
                FhirUser = note.FhirUser,
                Origin = RequestOrigins.Of(context),
                Patients = note.Patient is null ? [] : [note.Patient],
                Request = note.Request,
                Target = note.Request is null ? context.Request.Path : null,
            },
            context.RequestAborted).ConfigureAwait(false);
    }

    private static string? KindOf(HttpRequest request) => request.Path.Value switch
    {
        "/auth/authorize" or "/auth/consent" => "authorize",
        "/auth/login" or "/account/login" or "/auth/passkey" or "/account/passkey" => "login",
        "/account/passkeys" or "/account/passkeys/remove" => "passkey",
        "/auth/logout" when HttpMethods.IsPost(request.Method) => "logout",
        "/auth/launches" => "launch",
        "/auth/token" => "token",
        "/auth/introspect" => "introspect",
        "/auth/revoke" or "/account/revoke" => "revoke",
        "/account/password" => "password",
        "/auth/userinfo" => "userinfo",
        _ => null,
    };
}
