namespace FhirIomt.Validation.Terminology;

/// <summary>Versions with wildcards: a part <c>x</c>, <c>X</c> or <c>*</c> stands for any (<c>1.x.x</c>, <c>1.0.*</c>). Nothing else is a pattern: <c>1</c> means 1.</summary>
internal static class VersionPattern
{
    public static bool IsPattern(string version) => version.Split('.').Any(IsWild);

    /// <summary>Whether a version is the one asked for, or fits its pattern; a trailing wildcard takes any number of parts.</summary>
    public static bool Fits(string? version, string asked)
    {
        if (version is null)
        {
            return false;
        }

        if (string.Equals(version, asked, StringComparison.Ordinal))
        {
            return true;
        }

        if (!IsPattern(asked))
        {
            return false;
        }

        var parts = version.Split('.');
        var wanted = asked.Split('.');
        for (var index = 0; index < wanted.Length; index++)
        {
            if (index >= parts.Length || (!IsWild(wanted[index]) && !string.Equals(parts[index], wanted[index], StringComparison.Ordinal)))
            {
                return false;
            }
        }

        return parts.Length == wanted.Length || IsWild(wanted[^1]);
    }

    private static bool IsWild(string part) => part is "x" or "X" or "*";
}
