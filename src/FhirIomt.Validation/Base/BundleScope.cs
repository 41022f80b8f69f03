using System.Text;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Base;

/// <summary>The entries of a Bundle as references find them (FHIR R4 §2.36.4.1).</summary>
internal sealed class BundleScope
{
    private readonly Dictionary<string, List<ResourceNode>> _byFullUrl = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<ResourceNode>> _byTypeAndId = new(StringComparer.Ordinal);
    private readonly Dictionary<int, string> _fullUrls = [];

    public BundleScope(ResourceNode bundle)
    {
        Bundle = bundle;
        foreach (var entry in bundle["entry"u8].Items)
        {
            var resource = entry["resource"u8];
            if (!resource.IsObject)
            {
                continue;
            }

            if (entry["fullUrl"u8].AsString() is { } fullUrl)
            {
                _fullUrls[resource.Index] = fullUrl;
                Add(_byFullUrl, fullUrl, resource);
            }

            if (resource["resourceType"u8].AsString() is { } type && resource["id"u8].AsString() is { } id)
            {
                Add(_byTypeAndId, $"{type}/{id}", resource);
            }
        }
    }

    public ResourceNode Bundle { get; }

    public string? FullUrlOf(ResourceNode resource) => _fullUrls.GetValueOrDefault(resource.Index);

    /// <summary>The entries that a reference in an entry with that fullUrl means.</summary>
    public IReadOnlyList<ResourceNode> Find(string reference, string? fullUrl)
    {
        var (target, version) = SplitVersion(reference);
        var found = IsAbsolute(target) ? _byFullUrl.GetValueOrDefault(target)
            : fullUrl is not null && BaseOf(fullUrl) is { } root ? _byFullUrl.GetValueOrDefault(root + target)
            : fullUrl is null ? _byTypeAndId.GetValueOrDefault(target)
            : null;
        return found is null ? []
            : version is null ? found
            : found.Where(resource => resource["meta"u8]["versionId"u8].AsString() == version).ToList();
    }

    /// <summary>Whether an entry has the type and id of a relative reference, whatever its fullUrl.</summary>
    public bool HasTypeAndId(string reference) => _byTypeAndId.ContainsKey(SplitVersion(reference).Target);

    public static bool IsAbsolute(string text) => text.IndexOf(':') > 0;

    /// <summary>The base of a RESTful URL, with its slash: <c>http://example.org/fhir/</c>; null for any other.</summary>
    public static string? BaseOf(string fullUrl)
    {
        if (!fullUrl.StartsWith("http://", StringComparison.Ordinal) && !fullUrl.StartsWith("https://", StringComparison.Ordinal))
        {
            return null;
        }

        var (url, _) = SplitVersion(fullUrl);
        var id = url.LastIndexOf('/');
        var type = id > 0 ? url.LastIndexOf('/', id - 1) : -1;
        return type > 8 ? url[..(type + 1)] : null;
    }

    public static (string Target, string? Version) SplitVersion(string reference) =>
        reference.IndexOf("/_history/", StringComparison.Ordinal) is > 0 and var at ? (reference[..at], reference[(at + 10)..]) : (reference, null);

    private static void Add(Dictionary<string, List<ResourceNode>> index, string key, ResourceNode resource)
    {
        if (!index.TryGetValue(key, out var list))
        {
            index.Add(key, list = []);
        }

        list.Add(resource);
    }
}
