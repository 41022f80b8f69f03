using System.Globalization;
using System.Text.Json;
using FhirIomt.Fhir.Json;
using FhirIomt.Core;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Http;

/// <summary>The one place that knows HTTP status codes and FHIR's headers.</summary>
internal static class FhirResponse
{
    public const string JsonType = "application/fhir+json; charset=utf-8";

    public static int StatusOf(RefusalKind kind) => kind switch
    {
        RefusalKind.Invalid => StatusCodes.Status422UnprocessableEntity,
        RefusalKind.BadRequest => StatusCodes.Status400BadRequest,
        RefusalKind.Forbidden => StatusCodes.Status403Forbidden,
        RefusalKind.NotFound => StatusCodes.Status404NotFound,
        RefusalKind.Gone => StatusCodes.Status410Gone,
        RefusalKind.PreconditionFailed => StatusCodes.Status412PreconditionFailed,
        _ => StatusCodes.Status405MethodNotAllowed,
    };

    public static Task RefuseAsync(HttpContext context, Refusal refusal) => RefuseAsync(context, StatusOf(refusal.Kind), refusal.Issues);

    public static async Task RefuseAsync(HttpContext context, int status, IReadOnlyList<Issue> issues)
    {
        var response = context.Response;
        response.StatusCode = status;
        Describe(response);
        var writer = new Utf8JsonWriter(response.BodyWriter, JsonText.Options);
        await using (writer.ConfigureAwait(false))
        {
            OperationOutcome.Write(writer, issues);
        }
    }

    /// <summary>A resource, as it is stored: no parsing, no copying but the one to the network.</summary>
    public static async Task ResourceAsync(HttpContext context, int status, StoredResource resource)
    {
        Tag(context.Response, resource);
        context.Response.StatusCode = status;
        Describe(context.Response);
        context.Response.ContentLength = resource.Body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.BodyWriter.WriteAsync(resource.Body, context.RequestAborted).ConfigureAwait(false);
        }
    }

    public static void Tag(HttpResponse response, StoredResource resource)
    {
        response.Headers.ETag = EntityTag(resource);
        response.Headers.LastModified = resource.LastUpdated.ToString("R", CultureInfo.InvariantCulture);
    }

    public static string EntityTag(StoredResource resource) => $"W/\"{resource.Version}\"";

    public static void Describe(HttpResponse response)
    {
        response.ContentType = JsonType;
        response.Headers.CacheControl = "private, no-store";
    }
}
