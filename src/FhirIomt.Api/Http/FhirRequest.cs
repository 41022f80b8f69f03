using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Http;

/// <summary>A request that cannot be read, with the status that says so.</summary>
internal sealed record Unreadable(int Status, IReadOnlyList<Issue> Issues)
{
    public Unreadable(int status, Issue issue)
        : this(status, [issue])
    {
    }
}

/// <summary>Reads what FHIR requests carry.</summary>
internal static class FhirRequest
{
    private static readonly string[] JsonTypes = ["application/fhir+json", "application/json", "application/json+fhir"];

    public static bool IsId(string id) => id.Length is > 0 and <= 64 && id.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '.');

    /// <summary>The body as a JSON tree.</summary>
    public static async Task<(JsonTree? Tree, Unreadable? Error)> ReadResourceAsync(HttpRequest request)
    {
        if (!JsonTypes.Contains(MediaTypeOf(request), StringComparer.OrdinalIgnoreCase))
        {
            return (null, new Unreadable(StatusCodes.Status415UnsupportedMediaType, ApiIssues.BadContentType(request.ContentType)));
        }

        var (body, error) = await RequestBody.ReadAsync(request, JsonLimits.Default.MaxBytes).ConfigureAwait(false);
        if (error is { } unread)
        {
            return (null, new Unreadable(unread.Status, unread.Issue));
        }

        return JsonTree.Parse(body).TryGetValue(out var tree, out var issues)
            ? (tree, null)
            : (null, new Unreadable(StatusCodes.Status400BadRequest, issues));
    }

    /// <summary>The version in an ETag header value, or null when it is none.</summary>
    public static long? VersionOf(string entityTag)
    {
        var text = entityTag.AsSpan().Trim();
        if (text.StartsWith("W/", StringComparison.Ordinal))
        {
            text = text[2..];
        }

        return text.Length > 2 && text[0] == '"' && text[^1] == '"' && long.TryParse(text[1..^1], System.Globalization.NumberStyles.None, null, out var version) ? version : null;
    }

    /// <summary>The parameters of a query string, decoded, in order.</summary>
    public static IReadOnlyList<SearchArgument> Arguments(string query)
    {
        var arguments = new List<SearchArgument>();
        foreach (var pair in query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? pair : pair[..equals];
            var value = equals < 0 ? "" : pair[(equals + 1)..];
            arguments.Add(new SearchArgument(Decode(name), Decode(value)));
        }

        return arguments;
    }

    public static bool Prefers(HttpRequest request, string preference) =>
        request.Headers["Prefer"].Any(header => header is not null && header.Split([',', ';'], StringSplitOptions.TrimEntries).Contains(preference, StringComparer.OrdinalIgnoreCase));

    /// <summary>Whether the client takes what we have; XML comes later.</summary>
    public static bool AcceptsJson(HttpRequest request)
    {
        var format = request.Query["_format"].ToString();
        if (format.Length > 0)
        {
            return format is "json" || JsonTypes.Contains(format.Replace(' ', '+').Split(';')[0], StringComparer.OrdinalIgnoreCase);
        }

        var accept = request.Headers.Accept;
        return accept.Count == 0 || accept.Any(value => value is not null && (value.Contains("json", StringComparison.OrdinalIgnoreCase) || value.Contains("*/*", StringComparison.Ordinal) || value.Contains("application/*", StringComparison.Ordinal)));
    }

    private static string MediaTypeOf(HttpRequest request) => (request.ContentType ?? "").Split(';')[0].Trim();

    private static string Decode(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));
}
