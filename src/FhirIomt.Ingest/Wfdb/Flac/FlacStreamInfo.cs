namespace FhirIomt.Ingest.Wfdb.Flac;

/// <summary>What a stream says of itself before its first frame (RFC 9639, section 8.2).</summary>
/// <param name="MaxBlockSize">Samples of each channel that a frame has at most.</param>
/// <param name="Bits">Of a sample.</param>
/// <param name="Samples">Of each channel; 0 when not told.</param>
/// <param name="Digest">MD5 of all samples; all zeros when not told.</param>
internal sealed record FlacStreamInfo(int MaxBlockSize, int Channels, int Bits, long Samples, byte[] Digest)
{
    private const uint Marker = 0x664C6143;
    private const uint OggMarker = 0x4F676753;
    private const int Length = 34;
    private const int MinBlockSize = 16;
    private const int MinBits = 4;

    /// <summary>Reads the marker of the format and all blocks of metadata; null when these are none.</summary>
    public static FlacStreamInfo? Read(FlacBits bits)
    {
        var marker = bits.Read(32);
        if (marker != Marker)
        {
            bits.Refuse(marker == OggMarker ? "is a stream of Ogg" : "is no stream of FLAC", isUnknown: marker == OggMarker);
            return null;
        }

        var (isLast, type, length) = (bits.Read(1) == 1, bits.Read(7), (int)bits.Read(24));
        if (type != 0 || length != Length)
        {
            bits.Refuse("does not begin with what it says of itself");
            return null;
        }

        var info = ReadInfo(bits);
        while (!isLast && bits.Problem is null)
        {
            // Tags, pictures, tables for seeking.
            isLast = bits.Read(1) == 1;
            bits.Read(7);
            bits.Skip((int)bits.Read(24));
        }

        return bits.Problem is not null || !info.IsPossible(bits) ? null : info;
    }

    private static FlacStreamInfo ReadInfo(FlacBits bits)
    {
        bits.Read(16);
        var maxBlockSize = (int)bits.Read(16);

        // Sizes of frames and the rate, which of slow signals is none that FLAC knows: the header has it.
        bits.Read(24);
        bits.Read(24);
        bits.Read(20);
        var (channels, sampleBits, samples) = ((int)bits.Read(3) + 1, (int)bits.Read(5) + 1, (long)bits.Read(36));
        var digest = new byte[16];
        foreach (ref var one in digest.AsSpan())
        {
            one = (byte)bits.Read(8);
        }

        return new FlacStreamInfo(maxBlockSize, channels, sampleBits, samples, digest);
    }

    private bool IsPossible(FlacBits bits) =>
        (MaxBlockSize >= MinBlockSize && Bits >= MinBits) || bits.Refuse($"says of itself that it has blocks of {MaxBlockSize} samples of {Bits} bits");
}
