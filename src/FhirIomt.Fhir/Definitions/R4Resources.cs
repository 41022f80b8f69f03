using System.Collections.Frozen;
using System.IO.Compression;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Packages;

namespace FhirIomt.Fhir.Definitions;

/// <summary>
/// R4's 4,581 definitions as resources without prose, from the embedded file that tools/FhirIomt.Definitions.Compiler writes: a directory, and blocks
/// of resources, each block packed by itself and unpacked when one of its resources is first read.
/// </summary>
internal sealed class R4Resources : IDefinitionSource
{
    private static readonly R4Resources Shared = new(ReadEmbedded);
    private static readonly PackageId Core = new("hl7.fhir.r4.core", "4.0.1");

    // Opening takes 30 ms, which a server that needs no definition beyond its compiled tables does not pay.
    private readonly Lazy<FrozenDictionary<(string Type, string Url), DefinitionResource[]>> _resources;

    internal R4Resources(Func<byte[]> file)
    {
        _resources = new(() => Open(file()));
    }

    private static FrozenDictionary<(string Type, string Url), DefinitionResource[]> Open(ReadOnlyMemory<byte> bytes)
    {
        if (!bytes.Span.StartsWith(Magic))
        {
            throw new InvalidDataException("The compiled definitions have another format than this program reads; build them again.");
        }

        var lengths = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, int>(bytes.Span.Slice(Magic.Length, 8));
        var directory = new DefinitionBook(Unpack(bytes.Span.Slice(Magic.Length + 8, lengths[1]), lengths[0]));
        var cursor = directory.Directory();
        var blocks = ReadBlocks(ref cursor, bytes, Magic.Length + 8 + lengths[1]);
        return ReadEntries(ref cursor, blocks).GroupBy(entry => (entry.ResourceType, entry.Url)).ToFrozenDictionary(group => group.Key, group => group.ToArray());
    }

    public static ReadOnlySpan<byte> Magic => "FIOMTRS\x01"u8;

    public static R4Resources Embedded => Shared;

    public DefinitionResource? Find(string resourceType, Canonical canonical, DefinitionResource? from = null)
    {
        var versions = Versions(resourceType, canonical.Url);
        return versions.Count == 0 ? null
            : canonical.Version is not { } asked ? versions[0]
            : versions.FirstOrDefault(resource => resource.Version == asked) ?? versions.FirstOrDefault(resource => DefinitionVersion.Meets(resource.Version, asked));
    }

    public IReadOnlyList<DefinitionResource> Versions(string resourceType, string url) => _resources.Value.GetValueOrDefault((resourceType, url)) ?? [];

    public IEnumerable<DefinitionResource> All(string resourceType) => _resources.Value.Where(entry => entry.Key.Type == resourceType).SelectMany(entry => entry.Value);

    private static byte[] Unpack(ReadOnlySpan<byte> packed, int length)
    {
        var raw = new byte[length];
        return BrotliDecoder.TryDecompress(packed, raw, out var written) && written == length
            ? raw
            : throw new InvalidDataException("The compiled definitions are damaged; build them again.");
    }

    private static byte[] ReadEmbedded()
    {
        using var stream = typeof(R4Resources).Assembly.GetManifestResourceStream("r4.resources")
            ?? throw new InvalidOperationException("The R4 definitions are not embedded in this build.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static Block[] ReadBlocks(ref BookCursor cursor, ReadOnlyMemory<byte> bytes, int start)
    {
        var blocks = new Block[cursor.Int()];
        for (var index = 0; index < blocks.Length; index++)
        {
            var (raw, packed) = (cursor.Int(), cursor.Int());
            blocks[index] = new Block(bytes.Slice(start, packed), raw);
            start += packed;
        }

        return blocks;
    }

    private static List<DefinitionResource> ReadEntries(ref BookCursor cursor, Block[] blocks)
    {
        var entries = new List<DefinitionResource>();
        for (var left = cursor.Int(); left > 0; left--)
        {
            var (type, url, version) = (cursor.Text(), cursor.Text(), cursor.OptionalText());
            var (block, offset, length) = (cursor.Int(), cursor.Int(), cursor.Int());
            entries.Add(new DefinitionResource(type, url, version, Core, () => blocks[block].Read(offset, length)));
        }

        return entries;
    }

    private sealed class Block(ReadOnlyMemory<byte> packed, int length)
    {
        private readonly Lock _lock = new();
        private WeakReference<byte[]>? _unpacked;

        // Copied, so that one resource does not keep its whole block in memory.
        public JsonTree Read(int offset, int count) => JsonTree.Parse(Content().AsSpan(offset, count).ToArray()).Require();

        // Neighbours are often read together (a value set and its code system), but nobody needs all blocks for ever: they may go when memory is short.
        private byte[] Content()
        {
            lock (_lock)
            {
                if (_unpacked is { } weak && weak.TryGetTarget(out var known))
                {
                    return known;
                }

                var content = Unpack(packed.Span, length);
                _unpacked = new WeakReference<byte[]>(content);
                return content;
            }
        }
    }
}
