using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Http;

/// <summary>The bearer token of a request (RFC 6750 §2.1).</summary>
public static class BearerToken
{
    // An opaque token of ours has 43 characters; a JWT of another issuer with many claims some 4,000.
    private const int MaxLength = 8192;

    private const string Scheme = "Bearer ";

    /// <summary>From one Authorization header with the Bearer scheme; a token anywhere else (query, form) does not count.</summary>
    public static string? Of(HttpRequest request)
    {
        var header = request.Headers.Authorization;
        if (header.Count != 1 || header[0] is not { } value || value.Length > MaxLength || !value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var token = value[Scheme.Length..].Trim();
        return token.Length > 0 ? token : null;
    }

    /// <summary>How a 401 asks for a token: RFC 6750 §3.1 names an error only where something came.</summary>
    public static string Challenge(HttpRequest request) =>
        request.Headers.Authorization.Any(value => value?.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) == true) ? "Bearer error=\"invalid_token\"" : "Bearer";
}
