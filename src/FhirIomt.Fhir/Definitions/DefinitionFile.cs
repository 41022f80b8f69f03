using System.Buffers.Binary;
using System.IO.Compression;

namespace FhirIomt.Fhir.Definitions;

/// <summary>
/// The compiled definitions file: magic, then for each of the three books its length, compressed length and Brotli bytes. Books are unpacked
/// when first needed; a server that never meets a profile or a code list never pays for those.
/// </summary>
internal sealed class DefinitionFile
{
    public const int BookCount = 3;

    private readonly ReadOnlyMemory<byte> _bytes;

    public DefinitionFile(ReadOnlyMemory<byte> bytes)
    {
        if (!bytes.Span.StartsWith(Magic))
        {
            throw new InvalidDataException("The compiled definitions have another format than this program reads; build them again.");
        }

        _bytes = bytes;
    }

    public enum Part
    {
        Types,
        Profiles,
        Codes,
    }

    public static ReadOnlySpan<byte> Magic => "FIOMTR4\x01"u8;

    public static DefinitionFile Embedded()
    {
        using var stream = typeof(DefinitionFile).Assembly.GetManifestResourceStream("r4.definitions")
            ?? throw new InvalidOperationException("The R4 definitions are not embedded in this build.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return new DefinitionFile(bytes);
    }

    public DefinitionBook Open(Part part) => new(Unpack(part));

    public byte[] Unpack(Part part)
    {
        var span = _bytes.Span;
        var table = span.Slice(Magic.Length, BookCount * 8);
        var start = Magic.Length + table.Length;
        for (var before = 0; before < (int)part; before++)
        {
            start += BinaryPrimitives.ReadInt32LittleEndian(table[((before * 8) + 4)..]);
        }

        var raw = new byte[BinaryPrimitives.ReadInt32LittleEndian(table[((int)part * 8)..])];
        var packed = span.Slice(start, BinaryPrimitives.ReadInt32LittleEndian(table[(((int)part * 8) + 4)..]));
        return BrotliDecoder.TryDecompress(packed, raw, out var written) && written == raw.Length
            ? raw
            : throw new InvalidDataException("The compiled definitions are damaged; build them again.");
    }
}
