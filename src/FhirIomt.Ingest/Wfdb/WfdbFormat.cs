using System.Buffers.Binary;

namespace FhirIomt.Ingest.Wfdb;

/// <summary>How samples lie in a file (PhysioNet, signal(5)): so many bytes hold so many samples.</summary>
/// <param name="Bytes">Of a group; none in a compressed file.</param>
/// <param name="Samples">In a group.</param>
/// <param name="Missing">The sample that stands for none. Differences cannot say that a sample is missing: there it only stands for those that skew takes away.</param>
public sealed record WfdbFormat(int Code, int Bytes, int Samples, int Missing)
{
    private static readonly WfdbFormat[] All =
    [
        new(8, 1, 1, int.MinValue), new(16, 2, 1, short.MinValue), new(24, 3, 1, -8_388_608), new(32, 4, 1, int.MinValue), new(61, 2, 1, short.MinValue), new(80, 1, 1, -128), new(160, 2, 1, short.MinValue),
        new(212, 3, 2, -2048), new(310, 4, 3, -512), new(311, 4, 3, -512),
        new(508, 0, 0, -128), new(516, 0, 0, short.MinValue), new(524, 0, 0, -8_388_608),
    ];

    /// <summary>That of a signal without samples, in a layout.</summary>
    public static WfdbFormat None { get; } = new(0, 1, 1, int.MinValue);

    /// <summary>Each sample is the difference from the one before.</summary>
    public bool IsDifference => Code == 8;

    /// <summary>The file is a stream of FLAC.</summary>
    public bool IsFlac => Bytes == 0;

    /// <summary>Of a sample in a stream of FLAC, at most.</summary>
    internal int FlacBits => Code - 500;

    public static WfdbFormat? Find(int code) => Array.Find(All, format => format.Code == code);

    /// <summary>Reads one group, or the beginning of one at the end of a file; answers how many samples it holds.</summary>
    /// <param name="bytes">At most <see cref="Bytes"/>.</param>
    /// <param name="samples">At least <see cref="Samples"/> long.</param>
    public int Decode(ReadOnlySpan<byte> bytes, Span<int> samples)
    {
        switch (Code)
        {
            case 212:
                return Of212(bytes, samples);
            case 310:
                return Of310(bytes, samples);
            case 311:
                return Of311(bytes, samples);
            default:
                if (bytes.Length < Bytes)
                {
                    return 0;
                }

                samples[0] = Code switch
                {
                    8 => (sbyte)bytes[0],
                    16 => BinaryPrimitives.ReadInt16LittleEndian(bytes),
                    24 => Signed(bytes[0] | (bytes[1] << 8) | (bytes[2] << 16), 24),
                    32 => BinaryPrimitives.ReadInt32LittleEndian(bytes),
                    61 => BinaryPrimitives.ReadInt16BigEndian(bytes),
                    80 => bytes[0] - 128,
                    _ => BinaryPrimitives.ReadUInt16LittleEndian(bytes) - 32_768,
                };
                return 1;
        }
    }

    // Two samples of 12 bits: the low nibble of the middle byte belongs to the first.
    private static int Of212(ReadOnlySpan<byte> bytes, Span<int> samples)
    {
        if (bytes.Length < 2)
        {
            return 0;
        }

        samples[0] = Signed(bytes[0] | ((bytes[1] & 0x0F) << 8), 12);
        if (bytes.Length < 3)
        {
            return 1;
        }

        samples[1] = Signed(bytes[2] | ((bytes[1] & 0xF0) << 4), 12);
        return 2;
    }

    // Two words of 16 bits: each has a sample in bits 1 to 10, and five bits of the third above it.
    private static int Of310(ReadOnlySpan<byte> bytes, Span<int> samples)
    {
        if (bytes.Length < 2)
        {
            return 0;
        }

        var first = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        samples[0] = Signed((first >> 1) & 0x3FF, 10);
        if (bytes.Length < 4)
        {
            return 1;
        }

        var second = BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]);
        samples[1] = Signed((second >> 1) & 0x3FF, 10);
        samples[2] = Signed((first >> 11) | ((second >> 11) << 5), 10);
        return 3;
    }

    // Three samples of 10 bits, from the lowest bit on.
    private static int Of311(ReadOnlySpan<byte> bytes, Span<int> samples)
    {
        var bits = 0;
        for (var index = bytes.Length - 1; index >= 0; index--)
        {
            bits = (bits << 8) | bytes[index];
        }

        var count = Math.Min(bytes.Length * 8 / 10, 3);
        for (var index = 0; index < count; index++)
        {
            samples[index] = Signed((bits >> (10 * index)) & 0x3FF, 10);
        }

        return count;
    }

    private static int Signed(int value, int bits) => (value << (32 - bits)) >> (32 - bits);
}
