using System.Buffers;
using FhirIomt.Core;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Http;

/// <summary>Reads request bodies within a limit.</summary>
public static class RequestBody
{
    /// <summary>All bytes of the body; too many are refused before they are kept. The caller owns the memory.</summary>
    public static async Task<(ReadOnlyMemory<byte> Body, (int Status, Issue Issue)? Error)> ReadAsync(HttpRequest request, long limit)
    {
        // The middleware takes the header away with the encodings that it knows.
        if (request.Headers.ContentEncoding.ToString() is { Length: > 0 } encoding && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            return (default, (StatusCodes.Status415UnsupportedMediaType, ApiIssues.UnknownEncoding(encoding)));
        }

        if (request.ContentLength > limit)
        {
            return (default, (StatusCodes.Status413PayloadTooLarge, ApiIssues.TooLarge(limit)));
        }

        try
        {
            var reader = request.BodyReader;
            while (true)
            {
                var result = await reader.ReadAsync(request.HttpContext.RequestAborted).ConfigureAwait(false);
                if (result.Buffer.Length > limit)
                {
                    // Taken, though not kept: a buffer that is never advanced would break the connection before the answer.
                    reader.AdvanceTo(result.Buffer.End);
                    return (default, (StatusCodes.Status413PayloadTooLarge, ApiIssues.TooLarge(limit)));
                }

                if (result.IsCompleted)
                {
                    var body = result.Buffer.ToArray();
                    reader.AdvanceTo(result.Buffer.End);
                    return (body, null);
                }

                reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            }
        }
        catch (Exception exception) when (exception is InvalidDataException or InvalidOperationException)
        {
            // What calls itself gzip or brotli and is not.
            return (default, (StatusCodes.Status400BadRequest, ApiIssues.BadEncoding()));
        }
        catch (BadHttpRequestException exception)
        {
            var tooLarge = exception.StatusCode == StatusCodes.Status413PayloadTooLarge;
            return (default, tooLarge ? (exception.StatusCode, ApiIssues.TooLarge(limit)) : (StatusCodes.Status400BadRequest, ApiIssues.BodyBroken()));
        }
    }
}
