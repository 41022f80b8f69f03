using System.Buffers.Binary;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Definitions.Compiler;

/// <summary>Writes profiles/r4/r4.resources: every definition without prose, in blocks, as R4Resources reads it.</summary>
internal static class ResourceFile
{
    // Large enough to pack well (a block of profiles packs 40:1), small enough to unpack in 1 ms.
    private const int BlockBytes = 512 * 1024;

    public static byte[] Pack(PackageSource source)
    {
        var blocks = new List<byte[]>();
        var entries = new List<Entry>();
        var block = new List<byte>();
        foreach (var definition in source.Everything())
        {
            var bytes = Prose.Without(definition);
            if (block.Count > 0 && block.Count + bytes.Length > BlockBytes)
            {
                blocks.Add([.. block]);
                block.Clear();
            }

            entries.Add(new Entry(definition["resourceType"u8].AsString()!, UrlOf(definition), definition["version"u8].AsString(), blocks.Count, block.Count, bytes.Length));
            block.AddRange(bytes);
        }

        blocks.Add([.. block]);
        return Write(blocks, entries);
    }

    // R4's NamingSystem has no url.
    private static string UrlOf(ResourceNode definition) =>
        definition["url"u8].AsString() ?? $"http://hl7.org/fhir/{definition["resourceType"u8].AsString()}/{definition["id"u8].AsString()}";

    private static byte[] Write(List<byte[]> blocks, List<Entry> entries)
    {
        var packed = blocks.ConvertAll(DefinitionCompiler.Compress);
        var writer = new BookWriter();
        writer.StartDirectory();
        writer.Int(blocks.Count);
        for (var index = 0; index < blocks.Count; index++)
        {
            writer.Int(blocks[index].Length);
            writer.Int(packed[index].Length);
        }

        writer.Int(entries.Count);
        foreach (var entry in entries)
        {
            writer.Text(entry.ResourceType);
            writer.Text(entry.Url);
            writer.OptionalText(entry.Version);
            writer.Int(entry.Block);
            writer.Int(entry.Offset);
            writer.Int(entry.Length);
        }

        var directory = writer.ToBytes();
        var packedDirectory = DefinitionCompiler.Compress(directory);
        var head = new byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(head, directory.Length);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(4), packedDirectory.Length);
        return [.. R4Resources.Magic, .. head, .. packedDirectory, .. packed.SelectMany(bytes => bytes)];
    }

    private readonly record struct Entry(string ResourceType, string Url, string? Version, int Block, int Offset, int Length);
}
