using FhirIomt.Fhir.Definitions;

namespace FhirIomt.Validation.Terminology;

/// <summary>Which rule settled the version of a code system.</summary>
internal enum VersionOrigin
{
    /// <summary>Nobody asked for one: the latest.</summary>
    Latest,

    /// <summary>The value set names it.</summary>
    ValueSet,

    /// <summary><c>system-version</c>.</summary>
    Default,

    /// <summary><c>check-system-version</c>, where nothing else named one.</summary>
    Check,

    /// <summary><c>force-system-version</c>.</summary>
    Force,
}

/// <summary>The version (or pattern) to use, and why; null is the latest.</summary>
internal readonly record struct VersionChoice(string? Version, VersionOrigin Origin);

/// <summary>The version parameters of a request ($expand, FHIR R4 §4.9.18.1; the same on $validate-code), each a list of canonicals.</summary>
internal sealed record VersionRules(IReadOnlyList<Canonical> Defaults, IReadOnlyList<Canonical> Checks, IReadOnlyList<Canonical> Forced, IReadOnlyList<Canonical> ValueSets)
{
    public static VersionRules None { get; } = new([], [], [], []);

    /// <summary>The version for a code system that a value set includes in that version.</summary>
    public VersionChoice Choose(string system, string? included)
    {
        if (Of(Forced, system) is { } forced)
        {
            return new VersionChoice(forced, VersionOrigin.Force);
        }

        if (included is not null)
        {
            return new VersionChoice(included, VersionOrigin.ValueSet);
        }

        return Of(Defaults, system) is { } wanted ? new VersionChoice(wanted, VersionOrigin.Default)
            : Of(Checks, system) is { } check ? new VersionChoice(check, VersionOrigin.Check)
            : default;
    }

    /// <summary>The version that a code system must have; null when it may have any.</summary>
    public string? Required(string system) => Of(Checks, system);

    /// <summary>A reference to a value set, with the default version where it names none.</summary>
    public Canonical Pin(Canonical valueSet, out bool pinned)
    {
        var version = valueSet.Version is null ? Of(ValueSets, valueSet.Url) : null;
        pinned = version is not null;
        return pinned ? valueSet with { Version = version } : valueSet;
    }

    private static string? Of(IReadOnlyList<Canonical> rules, string url)
    {
        foreach (var rule in rules)
        {
            if (rule.Url == url)
            {
                return rule.Version;
            }
        }

        return null;
    }
}
