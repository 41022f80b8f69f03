using System.Diagnostics;
using System.Text.Json;
using FhirIomt.Fhir.Json;
using FhirIomt.Api.Http;
using FhirIomt.Core;
using FhirIomt.Server.Hosting.Guarding;
using FhirIomt.Smart;

namespace FhirIomt.Server.Hosting;

/// <summary>
/// Around every request: security headers, one log line without anything from the URL, and an answer for what nobody answered — an exception is a
/// 500 with a trace id and no text, a route that is not there or not for this method an OperationOutcome.
/// </summary>
internal sealed class RequestGuard(RequestDelegate next, ServerAddress address, GuardAudit audit, ILogger<RequestGuard> log, TimeProvider time)
{
    // Of https servers a browser keeps for a year that there is no http; also where a proxy does TLS. No includeSubDomains: other hosts are not ours to decide on.
    private readonly string? _strictTransport = address.Root.StartsWith("https://", StringComparison.Ordinal) ? "max-age=31536000" : null;

    public async Task InvokeAsync(HttpContext context)
    {
        var start = time.GetTimestamp();
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
        headers["Referrer-Policy"] = "no-referrer";
        if (_strictTransport is not null)
        {
            headers.StrictTransportSecurity = _strictTransport;
        }

        try
        {
            await next(context).ConfigureAwait(false);
            await AnswerUnansweredAsync(context).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Who went away in the middle of an answer has its status already.
            if (!context.Response.HasStarted)
            {
                context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            }
        }
        catch (BadHttpRequestException exception)
        {
            await RecordAsync(context, exception.StatusCode, ServerIssues.BadRequest()).ConfigureAwait(false);
            await AnswerAsync(context, exception.StatusCode, ServerIssues.BadRequest()).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            await FailAsync(context, exception).ConfigureAwait(false);
        }

        log.Request(context.Request.Method, RouteOf(context), context.Response.StatusCode, time.GetElapsedTime(start).TotalMilliseconds);
    }

    // The route's pattern, never the path: an id in it may be a patient's.
    private static string RouteOf(HttpContext context) => (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "-";

    private async Task AnswerUnansweredAsync(HttpContext context)
    {
        var status = context.Response.StatusCode;
        Issue? issue = context.Response.HasStarted || context.Response.ContentType is not null ? null : status switch
        {
            StatusCodes.Status404NotFound => ServerIssues.NoRoute(),
            StatusCodes.Status405MethodNotAllowed => ServerIssues.MethodNotAllowed(context.Request.Method),
            StatusCodes.Status400BadRequest or StatusCodes.Status415UnsupportedMediaType => ServerIssues.BadRequest(),
            _ => null,
        };
        if (issue is not null)
        {
            await RecordAsync(context, status, issue).ConfigureAwait(false);
            await AnswerAsync(context, status, issue).ConfigureAwait(false);
        }
    }

    // What a device or an endpoint of the authorization server refused has its line from there.
    private ValueTask RecordAsync(HttpContext context, int status, Issue issue) =>
        context.Request.Path.StartsWithSegments("/fhir", StringComparison.OrdinalIgnoreCase) ? audit.RecordAsync(context, status, issue.Code) : ValueTask.CompletedTask;

    private async Task FailAsync(HttpContext context, Exception exception)
    {
        var trace = Activity.Current?.TraceId.ToString() ?? context.TraceIdentifier;
        log.Failed(exception, trace);
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        context.Response.Clear();
        if (exception is Storage.StoreLostException { MayBeWritten: true })
        {
            await AnswerAsync(context, StatusCodes.Status503ServiceUnavailable, ServerIssues.Unknown()).ConfigureAwait(false);
            return;
        }

        if (exception is Storage.StoreBusyException)
        {
            context.Response.Headers.RetryAfter = "5";
            await AnswerAsync(context, StatusCodes.Status503ServiceUnavailable, ServerIssues.Busy()).ConfigureAwait(false);
            return;
        }

        await AnswerAsync(context, StatusCodes.Status500InternalServerError, ServerIssues.Internal(trace)).ConfigureAwait(false);
    }

    private static async Task AnswerAsync(HttpContext context, int status, Issue issue)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/fhir+json; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        var writer = new Utf8JsonWriter(context.Response.BodyWriter, JsonText.Options);
        await using (writer.ConfigureAwait(false))
        {
            OperationOutcome.Write(writer, [issue]);
        }
    }
}

/// <summary>What can be said when no handler answered: IOMT-0900 to IOMT-0909.</summary>
internal static class ServerIssues
{
    public static Issue BadRequest() => Issue.Error(IssueKind.Invalid, "IOMT-0900", "The request cannot be read as HTTP.", fix: "Check its headers and body.");

    public static Issue NoRoute() => Issue.Error(IssueKind.NotFound, "IOMT-0901", "There is nothing at this address.", fix: "The FHIR base is /fhir, devices speak to /devices.");

    public static Issue MethodNotAllowed(string method) => Issue.Error(IssueKind.NotSupported, "IOMT-0902", $"{method} is not offered here.", fix: "See /fhir/metadata for what the server offers.");

    public static Issue Busy() => Issue.Error(IssueKind.Transient, "IOMT-0903", "The store cannot be written at the moment.", fix: "Send the request again after the time in Retry-After. Nothing of it was stored.");

    public static Issue Unknown() => Issue.Error(
        IssueKind.Transient, "IOMT-0908", "The store went away while it was writing, and could not be asked whether it wrote.", fix: "Read what should be there before sending the request again; readings of devices can be sent again as they are.");

    public static Issue Internal(string trace) => Issue.Error(IssueKind.Exception, "IOMT-0904", "The server failed on this request.", fix: $"Give the operator this trace id: {trace}.");
}

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Debug, "{Method} {Route} {Status} {Milliseconds:0.0} ms")]
    public static partial void Request(this ILogger logger, string method, string route, int status, double milliseconds);

    [LoggerMessage(2, LogLevel.Error, "Request failed, trace {Trace}")]
    public static partial void Failed(this ILogger logger, Exception exception, string trace);

    [LoggerMessage(3, LogLevel.Warning, "Expired records could not be taken away; trying again later")]
    public static partial void NotPurged(this ILogger logger, Exception exception);

    [LoggerMessage(890, LogLevel.Warning, "The audit is off (Audit:Enabled): nobody will know who looked. This is for measuring only")]
    public static partial void AuditIsOff(this ILogger logger);

    [LoggerMessage(891, LogLevel.Error, "Lines of the audit could not be written; trying again")]
    public static partial void NotAudited(this ILogger logger, Exception exception);

    [LoggerMessage(4, LogLevel.Warning, "Stored definitions could not be read; trying again")]
    public static partial void DefinitionsNotRefreshed(this ILogger logger, Exception exception);

    [LoggerMessage(5, LogLevel.Warning, "Stored resources could not be indexed again; trying again")]
    public static partial void NotReindexed(this ILogger logger, Exception exception);
}
