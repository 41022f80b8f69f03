using System.Security.Cryptography;
using FhirIomt.Ingest.Wfdb.Flac;

namespace FhirIomt.Ingest.Tests.Flac;

/// <summary>Writes streams of FLAC of every kind, good ones and, by what can be set, bad ones. Its checks are computed bit by bit, and so not as the decoder does.</summary>
internal sealed class FlacStreamWriter(int channels, int bits)
{
    private readonly List<byte> _frames = [];
    private readonly List<byte> _plain = [];
    private int _frameCount;

    public bool IsVariable { get; init; }

    /// <summary>Of its samples, as the stream says; null: as many as there are.</summary>
    public long? Samples { get; init; }

    public int MaxBlockSize { get; init; } = 65_535;

    public bool HasDigest { get; init; } = true;

    /// <summary>That of the first frame, or of its first sample: of a stream that is part of another.</summary>
    public long FirstNumber { get; init; }

    /// <summary>Blocks of metadata behind the first.</summary>
    public int MoreMetadata { get; init; }

    public long Written { get; private set; }

    public FlacStreamWriter AddFrame(long[][] samples, FlacStereo stereo, params FlacChannel[] kinds)
    {
        var size = samples[0].Length;
        var header = new FlacBitWriter().Add(0x7FFC, 15).Add(IsVariable ? 1 : 0, 1).Add(SizeCode(size), 4).Add(13, 4)
            .Add(stereo == FlacStereo.None ? channels - 1 : 7 + (int)stereo, 4).Add(BitsCode, 3).Add(0, 1);
        AddNumber(header, FirstNumber + (IsVariable ? Written : _frameCount));
        if (SizeCode(size) is 6 or 7)
        {
            header.Add(size - 1, SizeCode(size) == 6 ? 8 : 16);
        }

        header.Add(250, 16);
        var frame = new FlacBitWriter().AddBytes(header.ToArray()).Add(Remainder(header.ToArray(), 8, 0x07), 8);
        var coded = Coded(samples, stereo);
        for (var channel = 0; channel < channels; channel++)
        {
            var isSide = stereo != FlacStereo.None && channel == (stereo == FlacStereo.SideAndRight ? 0 : 1);
            kinds[channel % kinds.Length].Write(frame, coded[channel], bits + (isSide ? 1 : 0));
        }

        frame.Align();
        _frames.AddRange(frame.Add(Remainder(frame.ToArray(), 16, 0x8005), 16).ToArray());
        (_frameCount, Written) = (_frameCount + 1, Written + size);
        for (var at = 0; at < size; at++)
        {
            _plain.AddRange(samples.SelectMany(channel => BitConverter.GetBytes(channel[at])[..((bits + 7) / 8)]));
        }

        return this;
    }

    public byte[] ToArray()
    {
        var stream = new FlacBitWriter().AddBytes("fLaC"u8).Add(MoreMetadata > 0 ? 0 : 1, 1).Add(0, 7).Add(34, 24)
            .Add(16, 16).Add(MaxBlockSize, 16).Add(0, 48).Add(250, 20).Add(channels - 1, 3).Add(bits - 1, 5).Add(Samples ?? Written, 36)
            .AddBytes(HasDigest ? Digest() : new byte[16]);
        for (var block = 1; block <= MoreMetadata; block++)
        {
            stream.Add(block == MoreMetadata ? 1 : 0, 1).Add(1, 7).Add(70_000, 24).AddBytes(new byte[70_000]);
        }

        return [.. stream.ToArray(), .. _frames];
    }

    private int BitsCode => bits switch { 8 => 1, 12 => 2, 16 => 4, 20 => 5, 24 => 6, 32 => 7, _ => 0 };

    private static int SizeCode(int size) => size switch { 192 => 1, 576 => 2, 1152 => 3, 2304 => 4, 4608 => 5, 256 => 8, 4096 => 12, 32_768 => 15, <= 256 => 6, _ => 7 };

    private static long[][] Coded(long[][] samples, FlacStereo stereo) => stereo switch
    {
        FlacStereo.LeftAndSide => [samples[0], Side(samples)],
        FlacStereo.SideAndRight => [Side(samples), samples[1]],
        FlacStereo.MidAndSide => [[.. samples[0].Zip(samples[1], (left, right) => (left + right) >> 1)], Side(samples)],
        _ => samples,
    };

    private static long[] Side(long[][] samples) => [.. samples[0].Zip(samples[1], (left, right) => left - right)];

    // As UTF-8 does, but up to seven bytes.
    private static void AddNumber(FlacBitWriter header, long number)
    {
        if (number < 0x80)
        {
            header.Add(number, 8);
            return;
        }

        var more = 1;
        while (number >> (6 * more) >= 1 << (6 - more))
        {
            more++;
        }

        header.Add(((0xFF00L >> (more + 1)) & 0xFF) | (number >> (6 * more)), 8);
        for (var at = more - 1; at >= 0; at--)
        {
            header.Add(0x80 | ((number >> (6 * at)) & 0x3F), 8);
        }
    }

    private static int Remainder(byte[] bytes, int width, int polynomial)
    {
        var remainder = 0;
        foreach (var bit in bytes.SelectMany(one => Enumerable.Range(0, 8).Select(at => (one >> (7 - at)) & 1)))
        {
            var top = (remainder >> (width - 1)) & 1;
            remainder = ((remainder << 1) & ((1 << width) - 1)) ^ (top != bit ? polynomial : 0);
        }

        return remainder;
    }

#pragma warning disable CA5351 // The format's own check, no secret.
    private byte[] Digest() => MD5.HashData(_plain.ToArray());
#pragma warning restore CA5351
}
