namespace FhirIomt.Validation.Terminology.CodeSystems;

/// <summary>The form of a language tag (RFC 5646 §2.1): primary subtag, then script, region, variants, extensions; <c>x-</c> private use. No registry is consulted.</summary>
internal static class LanguageTag
{
    private const int MaxLength = 64;

    public static bool IsWellFormed(string tag)
    {
        if (tag.Length is 0 or > MaxLength)
        {
            return false;
        }

        var parts = tag.Split('-');
        var primary = parts[0];
        var isPrivate = primary.Length == 1 && primary is "x" or "X" or "i" or "I";
        return (isPrivate ? parts.Length > 1 : primary.Length is >= 2 and <= 8 && primary.All(char.IsAsciiLetter))
            && parts.Skip(1).All(part => part.Length is >= 1 and <= 8 && part.All(char.IsAsciiLetterOrDigit))
            && !IsBareSingleton(parts[^1], parts.Length);
    }

    private static bool IsBareSingleton(string last, int count) => count > 1 && last.Length == 1 && !char.IsAsciiDigit(last[0]);
}
