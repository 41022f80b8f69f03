using System.Globalization;
using FhirIomt.Repository;
using Microsoft.Extensions.Primitives;

namespace FhirIomt.Api.Http;

/// <summary>Reads what FHIR requests carry.</summary>
internal static class FhirRequest
{
    public static bool IsId(string id) => id.Length is > 0 and <= 64 && id.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '.');

    /// <summary>The version in an ETag header value, or null when it is none.</summary>
    public static long? VersionOf(string entityTag)
    {
        var text = entityTag.AsSpan().Trim();
        if (text.StartsWith("W/", StringComparison.Ordinal))
        {
            text = text[2..];
        }

        return text.Length > 2 && text[0] == '"' && text[^1] == '"' && long.TryParse(text[1..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : null;
    }

    /// <summary>What an If-Match header asks for, <c>*</c> or a list of ETags; null when it is neither.</summary>
    public static ExpectedVersion? ExpectedVersionOf(string header)
    {
        if (header.Trim() == "*")
        {
            return new ExpectedVersion([]);
        }

        var versions = header.Split(',').Select(VersionOf).ToList();
        return versions.Contains(null) ? null : new ExpectedVersion([.. versions.OfType<long>()]);
    }

    public static bool Prefers(StringValues header, string preference)
    {
        foreach (var value in header)
        {
            if (!string.IsNullOrEmpty(value) && value.Split([',', ';'], StringSplitOptions.TrimEntries).Contains(preference, StringComparer.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
