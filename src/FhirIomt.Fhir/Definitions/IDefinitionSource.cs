namespace FhirIomt.Fhir.Definitions;

/// <summary>Where definitions (profiles, value sets, code systems, search parameters…) are looked up by canonical URL: R4's own, packages, a store.</summary>
public interface IDefinitionSource
{
    /// <summary>
    /// The definition that a canonical reference means; null when there is none. Without a version: the one from the referrer's own package, else
    /// from the packages it depends on, else the latest. A version that is not there exactly may be a prefix (<c>4.0</c>).
    /// </summary>
    /// <param name="from">The definition in which the reference stands.</param>
    DefinitionResource? Find(string resourceType, Canonical canonical, DefinitionResource? from = null);

    /// <summary>All versions known, the latest first; empty when there is none.</summary>
    IReadOnlyList<DefinitionResource> Versions(string resourceType, string url);

    /// <summary>Every definition of a resource type, all versions.</summary>
    IEnumerable<DefinitionResource> All(string resourceType);
}
