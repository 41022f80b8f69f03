namespace FhirIomt.Ingest.Wfdb.Flac;

/// <summary>How channels of a frame stand for others.</summary>
internal enum FlacStereo
{
    None,
    LeftAndSide,
    SideAndRight,
    MidAndSide,
}

/// <summary>What a frame says of itself (RFC 9639, section 9.1).</summary>
/// <param name="IsVariable">Frames have different sizes, and <paramref name="Number"/> is that of the first sample; otherwise it is that of the frame.</param>
/// <param name="BlockSize">Samples of each channel.</param>
/// <param name="Bits">Of a sample; null: as the stream says.</param>
internal readonly record struct FlacFrameHeader(bool IsVariable, ulong Number, int BlockSize, int Channels, FlacStereo Stereo, int? Bits)
{
    private const int MaxBlockSize = 65_535;

    /// <summary>Reads it to its check; null when it is none.</summary>
    public static FlacFrameHeader? Read(FlacBits bits)
    {
        // Fourteen bits by which a frame is found, and one that is reserved.
        if (bits.Read(15) != 0x7FFC)
        {
            bits.Refuse("has something that is no frame");
            return null;
        }

        var isVariable = bits.Read(1) == 1;
        var (sizeCode, rateCode, channelCode, bitsCode, reserved) = ((int)bits.Read(4), (int)bits.Read(4), (int)bits.Read(4), (int)bits.Read(3), bits.Read(1));
        var number = ReadNumber(bits, isVariable);
        var size = SizeOf(sizeCode, bits);
        SkipRate(rateCode, bits);
        var crc = bits.HeaderCrc();
        if (bits.Read(8) != crc)
        {
            bits.Refuse("has the header of a frame that was changed");
        }
        else if (size is 0 or > MaxBlockSize || rateCode == 15 || channelCode > 10 || bitsCode == 3 || reserved == 1)
        {
            bits.Refuse("has a frame of a kind that is reserved", isUnknown: true);
        }

        var (channels, stereo) = channelCode < 8 ? (channelCode + 1, FlacStereo.None) : (2, (FlacStereo)(channelCode - 7));
        return bits.Problem is null ? new FlacFrameHeader(isVariable, number, size, channels, stereo, BitsOf(bitsCode)) : null;
    }

    private static int SizeOf(int code, FlacBits bits) => code switch
    {
        0 => 0,
        1 => 192,
        <= 5 => 144 << code,
        6 => (int)bits.Read(8) + 1,
        7 => (int)bits.Read(16) + 1,
        _ => 1 << code,
    };

    private static void SkipRate(int code, FlacBits bits) => bits.Read(code switch { 12 => 8, 13 or 14 => 16, _ => 0 });

    private static int? BitsOf(int code) => code switch { 1 => 8, 2 => 12, 4 => 16, 5 => 20, 6 => 24, 7 => 32, _ => null };

    // As UTF-8 writes a character, up to 31 bits for a frame and 36 for a sample.
    private static ulong ReadNumber(FlacBits bits, bool isVariable)
    {
        var first = (byte)bits.Read(8);
        var more = System.Numerics.BitOperations.LeadingZeroCount((uint)(byte)~first) - 24;
        if (more == 0)
        {
            return first;
        }

        if (more == 1 || more > (isVariable ? 7 : 6))
        {
            bits.Refuse("has a frame without a number");
            return 0;
        }

        ulong number = first & (0x7FU >> more);
        for (var index = 1; index < more; index++)
        {
            var next = bits.Read(8);
            if (next >> 6 != 2)
            {
                bits.Refuse("has a frame without a number");
            }

            number = (number << 6) | (next & 0x3F);
        }

        return number;
    }
}
