using System.Text.Json.Serialization;

namespace FhirIomt.Fhir.Packages;

/// <summary>What of package.json is used.</summary>
internal sealed record PackageManifest(
    [property: JsonPropertyName("name")] string? Name,
    [property: JsonPropertyName("version")] string? Version,
    [property: JsonPropertyName("dependencies")] IReadOnlyDictionary<string, string>? Dependencies);

[JsonSerializable(typeof(PackageManifest))]
internal sealed partial class PackageJson : JsonSerializerContext;
