using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Packages;

namespace FhirIomt.Fhir.Definitions;

/// <summary>A definition as a resource, read when first asked for. Immutable; safe for many threads.</summary>
public sealed class DefinitionResource
{
    private readonly Func<JsonTree>? _read;
    private readonly JsonTree? _tree;
    private WeakReference<JsonTree>? _lastRead;

    /// <summary>A definition whose text is read later.</summary>
    /// <param name="read">Gives the same tree each time; two threads may both call it.</param>
    public DefinitionResource(string resourceType, string url, string? version, PackageId? package, Func<JsonTree> read)
    {
        ResourceType = resourceType;
        Url = url;
        Version = version;
        Package = package;
        _read = read;
    }

    private DefinitionResource(string resourceType, string url, string? version, JsonTree tree)
    {
        ResourceType = resourceType;
        Url = url;
        Version = version;
        _tree = tree;
    }

    /// <summary><c>StructureDefinition</c>, <c>ValueSet</c>…</summary>
    public string ResourceType { get; }

    /// <summary>Canonical URL without version.</summary>
    public string Url { get; }

    /// <summary>Business version, when it has one.</summary>
    public string? Version { get; }

    /// <summary>The package it came in; null for loose resources.</summary>
    public PackageId? Package { get; }

    /// <summary>The resource. One that is read later is not kept: what is compiled from it is smaller and stays.</summary>
    public JsonTree Tree
    {
        get
        {
            if (_tree is not null)
            {
                return _tree;
            }

            if (_lastRead is { } last && last.TryGetTarget(out var known))
            {
                return known;
            }

            var tree = _read!();
            _lastRead = new WeakReference<JsonTree>(tree);
            return tree;
        }
    }

    /// <summary>A resource with <c>url</c>; null for anything else.</summary>
    public static DefinitionResource? Of(JsonTree tree) =>
        tree.Root["resourceType"u8].AsString() is { } type && tree.Root["url"u8].AsString() is { } url
            ? new DefinitionResource(type, url, tree.Root["version"u8].AsString(), tree)
            : null;

    public override string ToString() => $"{ResourceType} {new Canonical(Url, Version)}";
}
