using System.Globalization;

namespace FhirIomt.Validation.Terminology;

/// <summary>The languages a reader wants, best first, as in <c>Accept-Language</c> (RFC 9110 §12.5.4): <c>de-CH, de;q=0.8, *;q=0</c>.</summary>
internal sealed class LanguageRanges
{
    private const int MaxRanges = 32;

    private readonly (string Tag, decimal Quality)[] _ranges;

    private LanguageRanges(string text, (string Tag, decimal Quality)[] ranges)
    {
        Text = text;
        _ranges = [.. ranges.Where(range => range.Quality > 0 && range.Tag != "*").OrderByDescending(range => range.Quality)];
        RefusesOthers = ranges.Any(range => range is { Tag: "*", Quality: 0 });
    }

    /// <summary>As the client wrote it.</summary>
    public string Text { get; }

    /// <summary><c>*;q=0</c>: a display in another language is worse than none.</summary>
    public bool RefusesOthers { get; }

    public IEnumerable<string> Tags => _ranges.Select(range => range.Tag);

    public bool IsEmpty => _ranges.Length == 0;

    /// <summary>Null when the text is no list of language ranges.</summary>
    public static LanguageRanges? Parse(string text)
    {
        var parts = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length is 0 or > MaxRanges)
        {
            return null;
        }

        var ranges = new (string, decimal)[parts.Length];
        for (var index = 0; index < parts.Length; index++)
        {
            if (!TryParseRange(parts[index], out ranges[index]))
            {
                return null;
            }
        }

        return new LanguageRanges(text, ranges);
    }

    /// <summary>Whether a text in that language serves a reader who wants this tag: <c>de</c> is served by <c>de-CH</c>, <c>en-AU</c> by <c>en</c>.</summary>
    public static bool Serves(string? language, string wanted) =>
        language is not null && (Covers(wanted, language) || Covers(language, wanted));

    public bool ServedBy(string? language) => Array.Exists(_ranges, range => Serves(language, range.Tag));

    private static bool Covers(string range, string tag) =>
        tag.StartsWith(range, StringComparison.OrdinalIgnoreCase) && (tag.Length == range.Length || tag[range.Length] == '-');

    private static bool TryParseRange(string part, out (string Tag, decimal Quality) range)
    {
        range = default;
        var pieces = part.Split(';', StringSplitOptions.TrimEntries);
        var quality = 1m;
        if (pieces.Length > 2 || (pieces.Length == 2 && !(pieces[1].StartsWith("q=", StringComparison.OrdinalIgnoreCase)
            && decimal.TryParse(pieces[1].AsSpan(2), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out quality) && quality is >= 0 and <= 1)))
        {
            return false;
        }

        range = (pieces[0], quality);
        return pieces[0] == "*" || CodeSystems.LanguageTag.IsWellFormed(pieces[0]);
    }
}
