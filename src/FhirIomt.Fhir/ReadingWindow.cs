using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir;

/// <summary>What stands under a source key of a window: the resource, and what the mapping remembered of it beside it.</summary>
/// <param name="Resource">Nothing when there never was one.</param>
/// <param name="IsDeleted">It was there and was deleted; <paramref name="Memory"/> still says what it held.</param>
/// <param name="Memory">JSON that <see cref="IWindowShelf.Put"/> was given last; empty when none was.</param>
public readonly record struct WindowContent(ResourceNode Resource, bool IsDeleted, ReadOnlyMemory<byte> Memory);

/// <summary>Where windows look up and keep what they hold, inside the write transaction.</summary>
public interface IWindowShelf
{
    WindowContent Find(in SourceKey key);

    /// <param name="resource">The new version; null when only the memory changed.</param>
    void Put(in SourceKey key, JsonTree? resource, ReadOnlyMemory<byte> memory);
}

/// <summary>What became of a reading of a window.</summary>
public enum WindowPlace
{
    /// <summary>It stands in the window's resource now, which is new or has a new version.</summary>
    Taken,

    /// <summary>Its moment stood there with another value; the resource has a new version.</summary>
    Changed,

    /// <summary>It stood there already, and says the same.</summary>
    Known,

    /// <summary>Its place is held by a reading of another moment: it gets a resource of its own, under the source key with its fraction.</summary>
    Apart,

    /// <summary>The mapping asks for the connector's way, in which such a reading fails.</summary>
    Refused,
}

/// <param name="Key">The key of the resource it stands in, unless <see cref="WindowPlace.Apart"/>.</param>
public readonly record struct PlacedReading(MappedReading Reading, WindowPlace Place, SourceKey Key);
