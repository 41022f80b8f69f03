namespace FhirIomt.Ingest.Wfdb.Flac;

/// <summary>The checks of a frame (RFC 9639, sections 9.1.8 and 9.3): no reflection, beginning with zero.</summary>
internal static class FlacCrc
{
    // x^8 + x^2 + x + 1
    private static readonly byte[] Table8 = [.. Enumerable.Range(0, 256).Select(value => (byte)(Remainder(value, 8, 0x07)))];

    // x^16 + x^15 + x^2 + 1
    private static readonly ushort[] Table16 = [.. Enumerable.Range(0, 256).Select(value => (ushort)Remainder(value << 8, 16, 0x8005))];

    public static byte Of8(ReadOnlySpan<byte> bytes)
    {
        byte crc = 0;
        foreach (var one in bytes)
        {
            crc = Table8[crc ^ one];
        }

        return crc;
    }

    /// <param name="crc">Of what stands before the bytes.</param>
    public static ushort Of16(ushort crc, ReadOnlySpan<byte> bytes)
    {
        foreach (var one in bytes)
        {
            crc = (ushort)((crc << 8) ^ Table16[(crc >> 8) ^ one]);
        }

        return crc;
    }

    private static int Remainder(int value, int bits, int polynomial)
    {
        for (var bit = 0; bit < 8; bit++)
        {
            value = (value & (1 << (bits - 1))) == 0 ? value << 1 : (value << 1) ^ polynomial;
        }

        return value & ((1 << bits) - 1);
    }
}
