using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace FhirIomt.Smart.Tokens;

/// <summary>A form as OAuth wants it: url-encoded, each parameter once, nothing in the address.</summary>
internal static class FormRequest
{
    // Scopes are the long part; fifty granular ones are about 3 kB, an assertion another 2.
    private const int MaxFormBytes = 64 * 1024;

    public static async Task<(Dictionary<string, string>? Form, TokenError? Error)> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.QueryString.HasValue)
        {
            return (null, TokenError.InvalidRequest("Send the parameters in the form, not in the URL."));
        }

        var (fields, error) = await ReadFieldsAsync(request, cancellationToken).ConfigureAwait(false);
        if (fields is null)
        {
            return (null, error);
        }

        return fields.Any(field => field.Value.Count != 1)
            ? (null, TokenError.InvalidRequest("A parameter is given twice."))
            : (fields.ToDictionary(field => field.Key, field => field.Value.ToString(), StringComparer.Ordinal), null);
    }

    /// <summary>All fields, repeated ones too.</summary>
    public static async Task<(IFormCollection? Fields, TokenError? Error)> ReadFieldsAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (!request.HasFormContentType || request.ContentType!.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase))
        {
            return (null, TokenError.InvalidRequest("Send application/x-www-form-urlencoded."));
        }

        if (request.ContentLength > MaxFormBytes)
        {
            return (null, TokenError.InvalidRequest("Send a form of at most 64 KiB."));
        }

        try
        {
            // What comes in chunks tells no length before.
            request.LimitBody(MaxFormBytes);
            return (await request.ReadFormAsync(cancellationToken).ConfigureAwait(false), null);
        }
        catch (BadHttpRequestException)
        {
            return (null, TokenError.InvalidRequest("Send a form of at most 64 KiB."));
        }
        catch (InvalidDataException)
        {
            return (null, TokenError.InvalidRequest("The form cannot be read."));
        }
    }
}

internal static class RequestLimits
{
    /// <summary>A body beyond this ends the reading of it with <see cref="BadHttpRequestException"/>.</summary>
    public static void LimitBody(this HttpRequest request, long bytes)
    {
        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = bytes;
        }
    }
}

internal static class OAuthResponse
{
    public static void NoStore(HttpResponse response)
    {
        response.Headers.CacheControl = "no-store";
        response.Headers.Pragma = "no-cache";
    }

    public static Task RefuseAsync(HttpContext context, TokenError error)
    {
        NoStore(context.Response);
        context.Response.StatusCode = error.Status;
        if (error.Status == StatusCodes.Status401Unauthorized && context.Request.Headers.Authorization.Count > 0)
        {
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"client\"";
        }

        return context.Response.WriteAsJsonAsync(new ErrorAnswer(error.Error, error.Description), SmartJson.Default.ErrorAnswer, cancellationToken: context.RequestAborted);
    }
}
