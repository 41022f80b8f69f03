using System.Collections.Frozen;
using System.IO.Compression;
using System.Text;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Packages;

namespace FhirIomt.Fhir.Definitions;

/// <summary>
/// R4's 4,581 definitions as resources without prose, from the embedded file that tools/FhirIomt.Definitions.Compiler writes: a directory, and blocks
/// of resources, each block packed by itself and unpacked when one of its resources is first read.
/// </summary>
internal sealed class R4Resources : IDefinitionSource
{
    private static readonly Lazy<R4Resources> Shared = new(() => new R4Resources(ReadEmbedded()));
    private static readonly PackageId Core = new("hl7.fhir.r4.core", "4.0.1");

    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly Block[] _blocks;
    private readonly FrozenDictionary<(string Type, string Url), DefinitionResource[]> _resources;

    internal R4Resources(ReadOnlyMemory<byte> bytes)
    {
        if (!bytes.Span.StartsWith(Magic))
        {
            throw new InvalidDataException("The compiled definitions have another format than this program reads; build them again.");
        }

        _bytes = bytes;
        var lengths = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, int>(bytes.Span.Slice(Magic.Length, 8));
        var directory = new DefinitionBook(Unpack(bytes.Span.Slice(Magic.Length + 8, lengths[1]), lengths[0]));
        var cursor = directory.Directory();
        _blocks = ReadBlocks(ref cursor, Magic.Length + 8 + lengths[1]);
        _resources = ReadEntries(ref cursor).GroupBy(entry => (entry.ResourceType, entry.Url)).ToFrozenDictionary(group => group.Key, group => group.ToArray());
    }

    public static ReadOnlySpan<byte> Magic => "FIOMTRS\x01"u8;

    public static R4Resources Embedded => Shared.Value;

    public DefinitionResource? Find(string resourceType, Canonical canonical, DefinitionResource? from = null)
    {
        var versions = Versions(resourceType, canonical.Url);
        return canonical.Version is not { } asked ? versions.FirstOrDefault()
            : versions.FirstOrDefault(resource => resource.Version == asked) ?? versions.FirstOrDefault(resource => DefinitionVersion.Meets(resource.Version, asked));
    }

    public IReadOnlyList<DefinitionResource> Versions(string resourceType, string url) => _resources.GetValueOrDefault((resourceType, url)) ?? [];

    public IEnumerable<DefinitionResource> All(string resourceType) => _resources.Where(entry => entry.Key.Type == resourceType).SelectMany(entry => entry.Value);

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

    private static Block[] ReadBlocks(ref BookCursor cursor, int start)
    {
        var blocks = new Block[cursor.Int()];
        for (var index = 0; index < blocks.Length; index++)
        {
            var (raw, packed) = (cursor.Int(), cursor.Int());
            blocks[index] = new Block(start, packed, raw);
            start += packed;
        }

        return blocks;
    }

    private List<DefinitionResource> ReadEntries(ref BookCursor cursor)
    {
        var entries = new List<DefinitionResource>();
        for (var left = cursor.Int(); left > 0; left--)
        {
            var (type, url, version) = (cursor.Text(), cursor.Text(), cursor.OptionalText());
            var (block, offset, length) = (cursor.Int(), cursor.Int(), cursor.Int());
            entries.Add(new DefinitionResource(type, url, version, Core, () => Read(block, offset, length)));
        }

        return entries;
    }

    // Copied, so that one resource does not keep its whole block in memory.
    private JsonTree Read(int block, int offset, int length) => JsonTree.Parse(Content(_blocks[block]).AsSpan(offset, length).ToArray()).Require();

    // Neighbours are often read together (a value set and its code system), but nobody needs all blocks for ever: they may go when memory is short.
    private byte[] Content(Block block)
    {
        lock (block)
        {
            if (block.Unpacked is { } weak && weak.TryGetTarget(out var known))
            {
                return known;
            }

            var content = Unpack(_bytes.Span.Slice(block.Start, block.Packed), block.Raw);
            block.Unpacked = new WeakReference<byte[]>(content);
            return content;
        }
    }

    private sealed class Block(int start, int packed, int raw)
    {
        public int Start { get; } = start;

        public int Packed { get; } = packed;

        public int Raw { get; } = raw;

        public WeakReference<byte[]>? Unpacked { get; set; }
    }
}
