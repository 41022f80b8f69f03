using System.Globalization;

namespace FhirIomt.Fhir.Definitions;

/// <summary>
/// Orders business versions: by their numbers, part by part; a pre-release (<c>1.0.0-ballot</c>) comes before its release, as in Semantic Versioning.
/// Dates (<c>20190731</c>, <c>2019-07-31</c>) fall in order too, and before numbers: HL7's terminology was versioned by date (R4's own copy still is)
/// before it came to numbers. Nothing comes before no version.
/// </summary>
public sealed class DefinitionVersion : IComparer<string?>
{
    public static DefinitionVersion Order { get; } = new();

    public int Compare(string? x, string? y)
    {
        if (x is null || y is null)
        {
            return (x is null ? 0 : 1) - (y is null ? 0 : 1);
        }

        if (IsDate(x) != IsDate(y))
        {
            return IsDate(x) ? -1 : 1;
        }

        var (left, leftLabel) = Split(x);
        var (right, rightLabel) = Split(y);
        for (var index = 0; index < Math.Max(left.Length, right.Length); index++)
        {
            var order = ComparePart(index < left.Length ? left[index] : "0", index < right.Length ? right[index] : "0");
            if (order != 0)
            {
                return order;
            }
        }

        return leftLabel.Length == 0 || rightLabel.Length == 0 ? rightLabel.Length - leftLabel.Length : string.CompareOrdinal(leftLabel, rightLabel);
    }

    /// <summary>Whether a version meets what a reference asks for: the same text, or a prefix that ends at a dot (<c>4.0</c> is met by <c>4.0.1</c>,
    /// <c>1.x</c> and <c>1.*</c> by <c>1.2</c>).</summary>
    public static bool Meets(string? version, string asked)
    {
        if (version is null || string.Equals(version, asked, StringComparison.Ordinal))
        {
            return version is not null;
        }

        var stem = asked.EndsWith(".x", StringComparison.Ordinal) || asked.EndsWith(".*", StringComparison.Ordinal) ? asked[..^2] : asked;
        return version.Length > stem.Length && version.StartsWith(stem, StringComparison.Ordinal) && version[stem.Length] == '.';
    }

    // A year, and month and day with or without dashes.
    private static bool IsDate(string version) =>
        version is ['1', '9', _, _, _, _, ..] or ['2', '0', _, _, _, _, ..] && char.IsAsciiDigit(version[2]) && char.IsAsciiDigit(version[3])
        && (version[4] == '-' || (version.Length == 8 && version.All(char.IsAsciiDigit)));

    private static (string[] Parts, string Label) Split(string version)
    {
        // A dash after a dot-separated number starts a label; in a date it separates.
        var dash = version.IndexOf('-');
        return dash > 0 && version.AsSpan(0, dash).Contains('.') ? (version[..dash].Split('.'), version[(dash + 1)..]) : (version.Split('.', '-'), "");
    }

    private static int ComparePart(string left, string right)
    {
        var bothNumbers = long.TryParse(left, NumberStyles.None, CultureInfo.InvariantCulture, out var one) & long.TryParse(right, NumberStyles.None, CultureInfo.InvariantCulture, out var other);
        return bothNumbers ? one.CompareTo(other) : string.CompareOrdinal(left, right);
    }
}
