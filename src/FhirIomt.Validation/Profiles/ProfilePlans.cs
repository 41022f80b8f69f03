using System.Collections.Concurrent;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Base;

namespace FhirIomt.Validation.Profiles;

/// <summary>The compiled profiles of a validator, each made when first asked for; safe for many threads.</summary>
internal sealed class ProfilePlans(ProfileCatalog catalog, TypePlans types)
{
    private readonly ConcurrentDictionary<string, ProfilePlan?> _plans = new(StringComparer.Ordinal);
    private ScopeServices? _services;

    public ProfileCatalog Catalog => catalog;

    public TypePlans Types => types;

    public IScopeServices Services => _services ??= new ScopeServices(this);

    /// <summary>By canonical URL, with or without version; null for an unknown one.</summary>
    public ProfilePlan? Find(string canonical)
    {
        if (_plans.TryGetValue(canonical, out var known))
        {
            return known;
        }

        // Unknown ones are not kept: they come from outside and are without number.
        return catalog.Profile(canonical) is { } profile ? _plans.GetOrAdd(canonical, new ProfileCompiler(this, profile).Compile()) : null;
    }

    /// <summary>As <see cref="Find(string)"/>, without making a string for a profile that is compiled already.</summary>
    public ProfilePlan? Find(ResourceNode canonical)
    {
        Span<char> text = stackalloc char[256];
        var content = canonical.ContentSpan;
        if (System.Text.Ascii.IsValid(content) && content.Length <= text.Length)
        {
            System.Text.Encoding.ASCII.GetChars(content, text);
            if (_plans.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(text[..content.Length], out var known))
            {
                return known;
            }
        }

        return canonical.AsString() is { } url ? Find(url) : null;
    }
}
