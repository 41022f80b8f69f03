using FhirIomt.Access;
using FhirIomt.Repository.Auditing;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Smart;

/// <summary>Where a request came from, for the audit.</summary>
public static class RequestOrigins
{
    private const int LongestId = 64;

    public static RequestOrigin Of(HttpContext context)
    {
        var sent = context.Request.Headers["X-Request-Id"];
        var id = sent is [{ Length: > 0 and <= LongestId } own] && own.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '.' or '_') ? own : context.TraceIdentifier;
        return new RequestOrigin(context.Connection.RemoteIpAddress?.ToString(), id);
    }

    public static AuditOutcome OutcomeOf(int status) => status >= 500 ? AuditOutcome.Failed : status >= 400 ? AuditOutcome.Refused : AuditOutcome.Success;
}
