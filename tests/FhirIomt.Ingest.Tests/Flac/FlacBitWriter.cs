using System.Numerics;

namespace FhirIomt.Ingest.Tests.Flac;

/// <summary>Bits to bytes, the highest first.</summary>
internal sealed class FlacBitWriter
{
    private readonly List<byte> _bytes = [];
    private int _free;

    public byte[] ToArray() => [.. _bytes];

    public FlacBitWriter Add(BigInteger value, int count)
    {
        for (var bit = count - 1; bit >= 0; bit--)
        {
            if (_free == 0)
            {
                _bytes.Add(0);
                _free = 8;
            }

            _free--;
            _bytes[^1] |= (byte)((int)((value >> bit) & 1) << _free);
        }

        return this;
    }

    public FlacBitWriter AddUnary(long zeros) => Add(1, (int)zeros + 1);

    public FlacBitWriter AddBytes(ReadOnlySpan<byte> bytes)
    {
        foreach (var one in bytes)
        {
            Add(one, 8);
        }

        return this;
    }

    public FlacBitWriter Align()
    {
        _free = 0;
        return this;
    }
}
