using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;

namespace FhirIomt.Storage.Sql;

/// <summary>
/// Lines of one commit in one row of the audit: lines of reads resemble each other, so 100 of them take a tenth of the room, and one row of an index instead of 100. One
/// line alone stands as it is; several are a mark, their number, the length of all, and all compressed, each behind its length.
/// Keys of a row's lines are consecutive, and the row has the last one's.
/// </summary>
internal static class AuditPack
{
    /// <summary>At most so many lines in a row: what is unpacked to find one of them.</summary>
    public const int MaxLines = 128;

    // A line is a JSON object, so none begins like this.
    private const byte Mark = 1;
    private const int HeadSize = 1 + sizeof(int) + sizeof(int);

    // The fastest: 130 lines of 250 bytes take 60 µs.
    private const int Quality = 1;
    private const int Window = 18;

    public static ReadOnlyMemory<byte> Of(ReadOnlySpan<AuditRow> lines)
    {
        if (lines.Length == 1)
        {
            return lines[0].Body;
        }

        var length = 0;
        foreach (var line in lines)
        {
            length += sizeof(int) + line.Body.Length;
        }

        // Lent: both are larger than what is kept of them.
        var plain = ArrayPool<byte>.Shared.Rent(length);
        var packed = ArrayPool<byte>.Shared.Rent(HeadSize + BrotliEncoder.GetMaxCompressedLength(length));
        var body = Pack(lines, plain.AsSpan(0, length), packed).ToArray();
        ArrayPool<byte>.Shared.Return(plain);
        ArrayPool<byte>.Shared.Return(packed);
        return body;
    }

    private static ReadOnlySpan<byte> Pack(ReadOnlySpan<AuditRow> lines, Span<byte> plain, Span<byte> packed)
    {
        var used = 0;
        foreach (var line in lines)
        {
            BinaryPrimitives.WriteInt32LittleEndian(plain[used..], line.Body.Length);
            line.Body.Span.CopyTo(plain[(used + sizeof(int))..]);
            used += sizeof(int) + line.Body.Length;
        }

        packed[0] = Mark;
        BinaryPrimitives.WriteInt32LittleEndian(packed[1..], lines.Length);
        BinaryPrimitives.WriteInt32LittleEndian(packed[(1 + sizeof(int))..], plain.Length);
        return BrotliEncoder.TryCompress(plain, packed[HeadSize..], out var size, Quality, Window)
            ? packed[..(HeadSize + size)]
            : throw new InvalidOperationException("Audit lines could not be compressed.");
    }

    /// <summary>Everybody whom one of the lines names, and whether such a line tells what readings became.</summary>
    public static IReadOnlyDictionary<string, bool> PatientsOf(ReadOnlySpan<AuditRow> lines)
    {
        var patients = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var line in lines)
        {
            var readings = line.HasReadings;
            foreach (var patient in line.Patients)
            {
                patients[patient] = readings || patients.GetValueOrDefault(patient);
            }
        }

        return patients;
    }

    /// <summary>The lines of a row with their keys, in order; null when it is no row that was written here.</summary>
    public static IReadOnlyList<StoredAudit>? Lines(StoredAudit row)
    {
        var packed = row.Body.Span;
        if (packed.Length == 0 || packed[0] != Mark)
        {
            return [row];
        }

        if (packed.Length < HeadSize)
        {
            return null;
        }

        var count = BinaryPrimitives.ReadInt32LittleEndian(packed[1..]);
        var size = BinaryPrimitives.ReadInt32LittleEndian(packed[(1 + sizeof(int))..]);
        return count is > 1 and <= MaxLines && size >= 0 && Plain(packed[HeadSize..], size) is { } plain ? Lines(row.Key - count + 1, count, plain) : null;
    }

    // What was tampered with may say any size: memory is taken as it is filled.
    private static byte[]? Plain(ReadOnlySpan<byte> packed, int size)
    {
        using var decoder = new BrotliDecoder();
        var plain = new ArrayBufferWriter<byte>(1024);
        while (true)
        {
            var status = decoder.Decompress(packed, plain.GetSpan(1), out var taken, out var given);
            plain.Advance(given);
            packed = packed[taken..];
            if (status == OperationStatus.Done)
            {
                return plain.WrittenCount == size ? plain.WrittenSpan.ToArray() : null;
            }

            if (status != OperationStatus.DestinationTooSmall || plain.WrittenCount > size)
            {
                return null;
            }
        }
    }

    private static List<StoredAudit>? Lines(long first, int count, byte[] plain)
    {
        var lines = new List<StoredAudit>(count);
        var at = 0;
        for (var index = 0; index < count; index++)
        {
            if (plain.Length - at < sizeof(int) || BinaryPrimitives.ReadInt32LittleEndian(plain.AsSpan(at)) is var length && (length < 0 || length > plain.Length - at - sizeof(int)))
            {
                return null;
            }

            at += sizeof(int);
            lines.Add(new StoredAudit(first + index, plain.AsMemory(at, length)));
            at += length;
        }

        return at == plain.Length ? lines : null;
    }
}
