namespace FhirIomt.Smart.Clients;

/// <summary>Where a client wants its people back: compared character by character (RFC 9700 §2.1), never by what a URL parser makes of it.</summary>
internal static class RedirectUri
{
    private const int MaxLength = 2048;

    /// <summary>https; http for this machine only; a scheme of an app's own in reverse-domain form (RFC 8252 §7.1). No fragment, no user, nothing to be read in two ways.</summary>
    public static bool IsAcceptable(string text)
    {
        if (text.Length > MaxLength || !text.All(character => character is > ' ' and < '\x7f' and not ('\\' or '"' or '<' or '>' or '#' or ';')) || !Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.UserInfo.Length > 0)
        {
            return false;
        }

        return uri.Scheme switch
        {
            "https" => uri.Host.Length > 0,
            "http" => uri.IsLoopback,
            var scheme => scheme.Contains('.', StringComparison.Ordinal),
        };
    }

    /// <summary>A public app on the person's own machine may listen on any port of a loopback address (RFC 8252 §7.3); all else must be the same text.</summary>
    public static bool Matches(ClientRegistration client, string asked) => client.RedirectUris.Any(registered =>
        registered == asked || (client.Type == ClientType.Public && WithoutLoopbackPort(registered) is { } one && one == WithoutLoopbackPort(asked)));

    /// <summary>The origin for CORS; null for schemes of an app's own.</summary>
    public static string? Origin(string redirectUri) =>
        Uri.TryCreate(redirectUri, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" ? uri.GetLeftPart(UriPartial.Authority) : null;

    /// <summary>What a person is told about where the browser goes next: the origin, or the scheme of an app's own.</summary>
    public static string Place(string redirectUri) => Origin(redirectUri) ?? Scheme(redirectUri);

    /// <summary>What a Content-Security-Policy calls the place that a form may end at. Its grammar has no IPv6 addresses, so for [::1] the scheme has to do.</summary>
    public static string FormTarget(string redirectUri) => Origin(redirectUri) is { } origin && !origin.Contains('[', StringComparison.Ordinal) ? origin : Scheme(redirectUri);

    private static string Scheme(string redirectUri) => redirectUri[..(redirectUri.IndexOf(':', StringComparison.Ordinal) + 1)];

    private static string? WithoutLoopbackPort(string text)
    {
        foreach (var host in (ReadOnlySpan<string>)["http://127.0.0.1", "http://[::1]"])
        {
            if (!text.StartsWith(host, StringComparison.Ordinal))
            {
                continue;
            }

            var rest = text[host.Length..];
            if (rest.StartsWith(':'))
            {
                var digits = rest.Skip(1).TakeWhile(char.IsAsciiDigit).Count();
                rest = digits is > 0 and <= 5 ? rest[(1 + digits)..] : rest;
            }

            return rest.Length == 0 || rest[0] is '/' or '?' ? host + rest : null;
        }

        return null;
    }
}
