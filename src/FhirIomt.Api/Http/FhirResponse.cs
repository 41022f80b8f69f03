using System.Globalization;
using FhirIomt.Api.Auditing;
using FhirIomt.Api.Shaping;
using FhirIomt.Core;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository;
using FhirIomt.Smart;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Api.Http;

/// <summary>The one place that knows HTTP status codes and FHIR's headers.</summary>
internal static class FhirResponse
{
    public const string JsonType = MediaTypes.Json + "; charset=utf-8";
    private const string XmlType = MediaTypes.Xml + "; charset=utf-8";

    public static int StatusOf(RefusalKind kind) => kind switch
    {
        RefusalKind.Invalid => StatusCodes.Status422UnprocessableEntity,
        RefusalKind.BadRequest => StatusCodes.Status400BadRequest,
        RefusalKind.Forbidden => StatusCodes.Status403Forbidden,
        RefusalKind.NotFound => StatusCodes.Status404NotFound,
        RefusalKind.Gone => StatusCodes.Status410Gone,
        RefusalKind.PreconditionFailed => StatusCodes.Status412PreconditionFailed,
        RefusalKind.Conflict => StatusCodes.Status409Conflict,
        _ => StatusCodes.Status405MethodNotAllowed,
    };

    /// <summary>A refusal before any handler ran, in the format that the caller takes.</summary>
    public static async Task RefuseAsync(HttpContext context, int status, params IReadOnlyList<Issue> issues)
    {
        await FhirAudit.RecordRefusalAsync(context, FhirAnswer.Refused(status, issues)).ConfigureAwait(false);
        var shape = ResponseShape.Of(context.Request).TryGetValue(out var asked, out _) ? asked : ResponseShape.Plain;
        await SendAsync(context, FhirAnswer.Refused(status, issues), shape).ConfigureAwait(false);
    }

    public static async Task SendAsync(HttpContext context, FhirAnswer answer, ResponseShape shape)
    {
        var response = context.Response;
        response.StatusCode = answer.Status;
        response.Headers.CacheControl = "private, no-store";
        if (answer.Tag is { } tag)
        {
            response.Headers.ETag = EntityTag(tag);
            response.Headers.LastModified = tag.LastUpdated.ToString("R", CultureInfo.InvariantCulture);
        }

        if (answer.Location is not null)
        {
            response.Headers.Location = $"{context.RequestServices.GetRequiredService<ServerAddress>().FhirBase}/{answer.Location}";
        }

        switch (answer.Content)
        {
            case null:
                break;
            case FhirContent.Raw raw:
                await SendRawAsync(context, raw).ConfigureAwait(false);
                break;
            case var content:
                await SendResourceAsync(context, content, answer.Status >= 400 ? shape with { Summary = SummaryMode.Whole, Elements = [] } : shape).ConfigureAwait(false);
                break;
        }
    }

    public static string EntityTag(StoredResource resource) => $"W/\"{resource.Version}\"";

    private static async Task SendResourceAsync(HttpContext context, FhirContent content, ResponseShape shape)
    {
        var response = context.Response;
        response.ContentType = shape.Format == FhirFormat.Xml ? XmlType : JsonType;
        if (content is FhirContent.Streamed streamed)
        {
            if (shape.IsPlain)
            {
                await streamed.StreamAsync(response.BodyWriter, context.RequestAborted).ConfigureAwait(false);
                return;
            }

            content = await streamed.GatherAsync(context.RequestAborted).ConfigureAwait(false);
        }

        if (!shape.IsPlain && shape.Format is not null)
        {
            if (!ContentShaper.Apply(content, shape).TryGetValue(out var bytes, out var issues))
            {
                response.StatusCode = StatusCodes.Status406NotAcceptable;
                response.ContentType = JsonType;
                content = new FhirContent.Outcome(issues);
            }
            else
            {
                response.ContentLength = bytes.Length;
                await WriteAsync(context, bytes).ConfigureAwait(false);
                return;
            }
        }

        if (content is FhirContent.Stored { Resource.Body: var body })
        {
            response.ContentLength = body.Length;
            await WriteAsync(context, body).ConfigureAwait(false);
            return;
        }

        content.WriteTo(response.BodyWriter);
        await response.BodyWriter.FlushAsync(context.RequestAborted).ConfigureAwait(false);
    }

    // Somebody else's file: never rendered in the server's own name.
    private static Task SendRawAsync(HttpContext context, FhirContent.Raw raw)
    {
        context.Response.ContentType = raw.MediaType;
        context.Response.ContentLength = raw.Bytes.Length;
        context.Response.Headers.ContentDisposition = "attachment";
        context.Response.Headers.ContentSecurityPolicy = "sandbox; default-src 'none'";
        return WriteAsync(context, raw.Bytes);
    }

    private static async Task WriteAsync(HttpContext context, ReadOnlyMemory<byte> bytes)
    {
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.BodyWriter.WriteAsync(bytes, context.RequestAborted).ConfigureAwait(false);
        }
    }
}
