using System.Formats.Tar;
using System.IO.Compression;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Definitions.Compiler;

/// <summary>
/// The definition resources of a source: a FHIR package (.tgz) or a folder of NDJSON files (.ndjson or .ndjson.gz). Sorted by type and URL,
/// so that both give the same output.
/// </summary>
internal sealed class PackageSource
{
    private static readonly string[] Wanted = ["StructureDefinition", "SearchParameter", "CompartmentDefinition", "CodeSystem", "ValueSet"];

    private readonly Dictionary<string, SortedDictionary<string, JsonTree>> _byType = new(StringComparer.Ordinal);

    private readonly SortedDictionary<(string Type, string Id), JsonTree> _everything = new(Comparer<(string Type, string Id)>.Create(Compare));

    private PackageSource()
    {
        foreach (var type in Wanted)
        {
            _byType.Add(type, new SortedDictionary<string, JsonTree>(StringComparer.Ordinal));
        }
    }

    public IEnumerable<ResourceNode> All(string type) => _byType[type].Values.Select(tree => tree.Root);

    /// <summary>Every resource of the source, sorted by type and id.</summary>
    public IEnumerable<ResourceNode> Everything() => _everything.Values.Select(tree => tree.Root);

    public ResourceNode Find(string type, string url) => _byType[type].TryGetValue(url, out var tree) ? tree.Root : default;

    public static PackageSource Read(string path)
    {
        var source = new PackageSource();
        if (Directory.Exists(path))
        {
            source.ReadFolder(path);
        }
        else
        {
            source.ReadPackage(path);
        }

        return source;
    }

    private void ReadFolder(string path)
    {
        foreach (var file in Directory.EnumerateFiles(path, "*.ndjson*").Order(StringComparer.Ordinal))
        {
            using var stream = File.OpenRead(file);
            using var plain = file.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(stream, CompressionMode.Decompress) : (Stream)stream;
            using var reader = new StreamReader(plain);
            while (reader.ReadLine() is { } line)
            {
                if (line.Length > 0)
                {
                    Add(System.Text.Encoding.UTF8.GetBytes(line));
                }
            }
        }
    }

    private void ReadPackage(string path)
    {
        using var stream = File.OpenRead(path);
        using var plain = new GZipStream(stream, CompressionMode.Decompress);
        using var tar = new TarReader(plain);
        while (tar.GetNextEntry() is { } entry)
        {
            var name = entry.Name;
            var isResource = name.StartsWith("package/", StringComparison.Ordinal) && name.EndsWith(".json", StringComparison.Ordinal) && name.IndexOf('/', 8) < 0;
            if (isResource && entry.DataStream is { } data)
            {
                using var bytes = new MemoryStream();
                data.CopyTo(bytes);
                Add(bytes.ToArray());
            }
        }
    }

    private static int Compare((string Type, string Id) left, (string Type, string Id) right) =>
        string.CompareOrdinal(left.Type, right.Type) is var order && order != 0 ? order : string.CompareOrdinal(left.Id, right.Id);

    private void Add(byte[] utf8)
    {
        // Package files may start with a byte-order mark; resources on the wire may not.
        var start = utf8.AsSpan().StartsWith(System.Text.Encoding.UTF8.Preamble) ? 3 : 0;
        var tree = JsonTree.Parse(utf8.AsMemory(start)).Require();
        _everything.TryAdd((tree.Root["resourceType"u8].AsString() ?? "", tree.Root["id"u8].AsString() ?? ""), tree);
        if (tree.Root["resourceType"u8].AsString() is { } type && _byType.TryGetValue(type, out var resources))
        {
            // HL7's own examples (ids example, example-…) are part of the package; they are no definitions.
            var id = tree.Root["id"u8].AsString() ?? "";
            if (tree.Root["url"u8].AsString() is { } url && !(type is "SearchParameter" or "CompartmentDefinition" && id.StartsWith("example", StringComparison.Ordinal)))
            {
                resources.TryAdd(url, tree);
            }
        }
    }
}
