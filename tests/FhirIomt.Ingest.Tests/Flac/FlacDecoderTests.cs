using FhirIomt.Ingest.Wfdb.Flac;

namespace FhirIomt.Ingest.Tests.Flac;

/// <summary>Streams of FLAC give back the samples that were written, and bad ones say what is wrong with them.</summary>
public sealed class FlacDecoderTests
{
    private static readonly FlacRice Rice = new();

    public static TheoryData<string> Kinds => ["verbatim", "fixed 0", "fixed 1", "fixed 2", "fixed 3", "fixed 4", "linear 1", "linear 2", "linear 8", "linear 32"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Each_kind_of_channel_gives_back_the_samples_of_each_depth(string kind)
    {
        foreach (var bits in new[] { 4, 7, 8, 12, 16, 20, 24, 32 })
        {
            // What is left of 32 bits by a prediction must fit into 32 bits itself.
            var samples = Wave(kind == "verbatim" ? bits : Math.Min(bits, 27), 500, 0);
            Assert.Equal(samples, Assert.Single(Decode(new FlacStreamWriter(1, bits).AddFrame([samples], FlacStereo.None, Channel(kind, new FlacRice(1))).ToArray())));
        }
    }

    [Fact]
    public void A_constant_channel_has_one_sample_for_all()
    {
        var samples = Enumerable.Repeat(-8L, 300).ToArray();
        Assert.Equal(samples, Assert.Single(Decode(new FlacStreamWriter(1, 4).AddFrame([samples], FlacStereo.None, new FlacChannel.Constant()).ToArray())));
    }

    [Theory]
    [InlineData(0, 0, null)]
    [InlineData(0, 3, null)]
    [InlineData(1, 0, null)]
    [InlineData(1, 5, null)]
    [InlineData(0, 2, 20)]
    [InlineData(1, 2, 31)]
    public void Residuals_may_be_in_parts_and_as_they_are(int method, int partitionOrder, int? plain)
    {
        var samples = Wave(16, 256, 3);
        var rice = new FlacRice(method, partitionOrder, plain);
        foreach (var kind in new[] { "fixed 0", "fixed 2", "linear 8" })
        {
            Assert.Equal(samples, Assert.Single(Decode(new FlacStreamWriter(1, 16).AddFrame([samples], FlacStereo.None, Channel(kind, rice)).ToArray())));
        }
    }

    [Fact]
    public void A_part_of_no_bits_is_what_was_foretold()
    {
        var samples = Enumerable.Range(0, 64).Select(at => (long)at * 3).ToArray();
        Assert.Equal(samples, Assert.Single(Decode(new FlacStreamWriter(1, 8 + 8).AddFrame([samples], FlacStereo.None, new FlacChannel.Fixed(2, new FlacRice(Plain: 0))).ToArray())));
    }

    [Theory]
    [InlineData("verbatim")]
    [InlineData("constant")]
    [InlineData("fixed 2")]
    [InlineData("linear 2")]
    public void Low_bits_that_are_always_zero_are_left_out(string kind)
    {
        foreach (var wasted in new[] { 1, 5, 12 })
        {
            var samples = kind == "constant" ? [.. Enumerable.Repeat(-1L << wasted, 100)] : Wave(16 - wasted, 100, 1).Select(sample => sample << wasted).ToArray();
            Assert.Equal(samples, Assert.Single(Decode(new FlacStreamWriter(1, 16).AddFrame([samples], FlacStereo.None, Channel(kind, Rice) with { Wasted = wasted }).ToArray())));
        }
    }

    [Fact]
    public void Two_channels_may_stand_for_each_other()
    {
        foreach (var bits in new[] { 8, 16, 24, 32 })
        {
            // The difference of the extremes has one bit more than either.
            var (low, high) = (-(1L << (bits - 1)), (1L << (bits - 1)) - 1);
            long[][] samples = [[.. Wave(bits, 300, 0), low, high, low, high], [.. Wave(bits, 300, 1), high, low, low, high]];
            foreach (var stereo in Enum.GetValues<FlacStereo>())
            {
                Assert.Equal(samples, Decode(new FlacStreamWriter(2, bits).AddFrame(samples, stereo, new FlacChannel.Verbatim()).ToArray()));
                if (bits < 32)
                {
                    Assert.Equal(samples, Decode(new FlacStreamWriter(2, bits).AddFrame(samples, stereo, new FlacChannel.Fixed(0, new FlacRice(1))).ToArray()));
                }
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(8)]
    public void Up_to_eight_channels_are_of_kinds_of_their_own(int channels)
    {
        var samples = Enumerable.Range(0, channels).Select(channel => Wave(16, 192, channel)).ToArray();
        Assert.Equal(samples, Decode(new FlacStreamWriter(channels, 16) { MoreMetadata = 3 }.AddFrame(samples, FlacStereo.None, Channel("linear 8", Rice), Channel("fixed 1", Rice), Channel("verbatim", Rice)).ToArray()));
    }

    [Theory]
    [InlineData(false, 0, new[] { 16 }, 3000)]
    [InlineData(false, 2_000_000, new[] { 16 }, 100)]
    [InlineData(false, 67_108_850, new[] { 16 }, 30)]
    [InlineData(true, 0, new[] { 192, 576, 17, 4096, 256, 1, 300 }, 20)]
    [InlineData(true, 0, new[] { 32_768, 65_535, 4608 }, 3)]
    [InlineData(true, 2_147_483_600, new[] { 16 }, 30)]
    [InlineData(true, 68_719_470_000, new[] { 16 }, 30)]
    public void Frames_are_numbered_or_their_samples_are(bool isVariable, long first, int[] sizes, int count)
    {
        var writer = new FlacStreamWriter(1, 8) { IsVariable = isVariable, FirstNumber = first };
        var all = new List<long>();
        for (var frame = 0; frame < count; frame++)
        {
            var samples = Enumerable.Repeat((long)((frame % 200) - 100), sizes[frame % sizes.Length]).ToArray();
            writer.AddFrame([samples], FlacStereo.None, new FlacChannel.Constant());
            all.AddRange(samples);
        }

        Assert.Equal(all, Assert.Single(Decode(writer.ToArray())));
    }

    [Fact]
    public void Number_of_samples_and_digest_need_not_be_told()
    {
        var samples = Wave(16, 500, 0);
        var stream = new FlacStreamWriter(1, 16) { Samples = 0, HasDigest = false }.AddFrame([samples], FlacStereo.None, new FlacChannel.Verbatim()).ToArray();
        Assert.Equal(samples, Assert.Single(Decode(stream)));
    }

    [Fact]
    public void What_stands_behind_the_last_sample_is_no_part_of_the_stream()
    {
        var samples = Wave(16, 500, 0);
        Assert.Equal(samples, Assert.Single(Decode([.. new FlacStreamWriter(1, 16).AddFrame([samples], FlacStereo.None, new FlacChannel.Verbatim()).ToArray(), .. "TAG"u8, .. new byte[125]])));
    }

    [Fact]
    public void A_stream_says_what_is_wrong_with_it()
    {
        var (samples, verbatim) = (Wave(16, 500, 0), new FlacChannel.Verbatim());
        var whole = new FlacStreamWriter(1, 16).AddFrame([samples], FlacStereo.None, verbatim).ToArray();
        (byte[] Stream, string Said, bool IsUnknown)[] cases =
        [
            ([], "ends in the middle", false),
            ([.. "RIFF"u8, .. whole], "is no stream of FLAC", false),
            ([.. "OggS"u8, .. whole], "is a stream of Ogg", true),
            (With(whole, 4, 0x81), "does not begin with what it says of itself", false),
            (whole[..^1], "ends in the middle", false),
            (whole[..42], "has 0 samples, and says 500 of itself", false),
            (With(whole, 26, 1), "has other samples than were written to it", false),
            (With(whole, 100, 1), "has a frame that was changed", false),
            (With(whole, 46, 1), "has the header of a frame that was changed", false),
            (With(whole, 42, 0), "has something that is no frame", false),
            (new FlacStreamWriter(1, 16) { Samples = 499 }.AddFrame([samples], FlacStereo.None, verbatim).ToArray(), "has 500 samples, and says 499 of itself", false),
            (new FlacStreamWriter(1, 16) { MaxBlockSize = 499 }.AddFrame([samples], FlacStereo.None, verbatim).ToArray(), "has a block of 500 samples, and says 499 of itself", false),
            (new FlacStreamWriter(1, 3).AddFrame([[1, 2]], FlacStereo.None, verbatim).ToArray(), "says of itself that it has blocks of 65535 samples of 3 bits", false),
            ([.. new FlacStreamWriter(1, 16).ToArray(), .. new FlacStreamWriter(2, 16).AddFrame([samples, samples], FlacStereo.None, verbatim).ToArray()[42..]], "has other channels or bits from one frame on", true),
            ([.. new FlacStreamWriter(1, 16).ToArray(), .. new FlacStreamWriter(1, 8).AddFrame([samples], FlacStereo.None, verbatim).ToArray()[42..]], "has other channels or bits from one frame on", true),
            ([.. new FlacStreamWriter(1, 16) { Samples = 1000 }.AddFrame([samples], FlacStereo.None, verbatim).ToArray(), .. whole[42..]], "has frames that do not follow each other", false),
            (new FlacStreamWriter(1, 16).AddFrame([samples], FlacStereo.None, new FlacChannel.Fixed(0, new FlacRice(2))).ToArray(), "has residuals of a kind that is reserved", true),
            (new FlacStreamWriter(1, 16).AddFrame([samples], FlacStereo.None, new FlacChannel.Linear([1], 16, 0, Rice)).ToArray(), "has a prediction of a kind that is reserved", true),
            (new FlacStreamWriter(1, 16).AddFrame([samples], FlacStereo.None, new FlacChannel.Linear([1], 15, 31, Rice)).ToArray(), "has a prediction of a kind that is reserved", true),
            (new FlacStreamWriter(1, 16).AddFrame([samples], FlacStereo.None, new FlacChannel.Verbatim(16)).ToArray(), "has a channel in which no bit is left", false),
            (new FlacStreamWriter(1, 16) { HasDigest = false }.AddFrame([[40_000, .. samples]], FlacStereo.None, new FlacChannel.Fixed(0, Rice)).ToArray(), "has samples of more than 16 bits", false),
            (new FlacStreamWriter(1, 16).AddFrame([samples], FlacStereo.None, new FlacChannel.Fixed(0, new FlacRice(0, 3))).ToArray(), "has a block that cannot be parted as it says", false),
        ];
        foreach (var (stream, said, isUnknown) in cases)
        {
            using var decoder = new FlacDecoder(new MemoryStream(stream));
            ReadAll(decoder);
            Assert.Equal((said, isUnknown), (decoder.Problem?.What, decoder.Problem?.IsUnknown ?? false));
        }
    }

    [Fact]
    public void Nothing_that_was_changed_or_cut_off_is_taken_for_what_was_written()
    {
        long[][] samples = [Wave(16, 40, 0), Wave(16, 40, 1)];
        var writer = new FlacStreamWriter(2, 16);
        foreach (var kind in new[] { "fixed 2", "linear 2", "verbatim" })
        {
            writer.AddFrame(samples, FlacStereo.MidAndSide, Channel(kind, new FlacRice(PartitionOrder: 2)));
        }

        var whole = writer.ToArray();
        for (var at = 0; at < whole.Length; at++)
        {
            using var cut = new FlacDecoder(new MemoryStream(whole[..at]));
            ReadAll(cut);
            Assert.NotNull(cut.Problem);
            for (var bit = 0; bit < 8; bit++)
            {
                using var changed = new FlacDecoder(new Trickle(With(whole, at, (byte)(whole[at] ^ (1 << bit)))));
                ReadAll(changed);

                // Sizes of blocks and frames and the rate, of which nothing depends.
                Assert.True(changed.Problem is not null || at is >= 8 and < 21, $"byte {at}, bit {bit}");
            }
        }
    }

    [Fact]
    public void A_stream_of_zeros_without_end_is_not_read_to_its_end()
    {
        var start = new FlacBitWriter().AddBytes(new FlacStreamWriter(1, 16).ToArray())
            .AddBytes(new FlacStreamWriter(1, 16).AddFrame([Wave(16, 500, 0)], FlacStereo.None, new FlacChannel.Verbatim()).ToArray().AsSpan(42, 10)).Add(8, 7).Add(0, 1).Add(1, 2).Add(0, 4).Add(20, 5).ToArray();
        using var decoder = new FlacDecoder(new MemoryStream([.. start, .. new byte[100_000]]));
        ReadAll(decoder);
        Assert.Equal("has a difference that is out of all bounds", decoder.Problem?.What);
    }

    private static FlacChannel Channel(string kind, FlacRice rice) => kind switch
    {
        "constant" => new FlacChannel.Constant(),
        "verbatim" => new FlacChannel.Verbatim(),
        "linear 1" => new FlacChannel.Linear([15], 5, 4, rice),
        "linear 2" => new FlacChannel.Linear([8000, -4000], 14, 12, rice),
        "linear 8" => new FlacChannel.Linear([120, -30, 20, -10, 5, -3, 2, -1], 8, 7, rice),
        "linear 32" => new FlacChannel.Linear([.. Enumerable.Range(0, 32).Select(index => index % 2 == 0 ? 500L / (index + 1) : -400L / index)], 15, 9, rice),
        _ => new FlacChannel.Fixed(kind[^1] - '0', rice),
    };

    // Of half the range, with a step to both ends.
    private static long[] Wave(int bits, int count, int channel) =>
        [.. Enumerable.Range(0, count).Select(at => at == count / 2 ? -(1L << (bits - 1)) : at == (count / 2) + 1 ? (1L << (bits - 1)) - 1 : (long)(Math.Sin((at / 9.0) + channel) * (1L << (bits - 2))))];

    private static byte[] With(byte[] bytes, int at, byte value)
    {
        byte[] changed = [.. bytes];
        changed[at] = changed[at] == value ? (byte)~value : value;
        return changed;
    }

    private static List<long>[] ReadAll(FlacDecoder decoder)
    {
        var read = new List<long>[decoder.TryOpen() ? decoder.Info!.Channels : 0];
        foreach (ref var channel in read.AsSpan())
        {
            channel = [];
        }

        while (decoder.TryReadBlock())
        {
            for (var channel = 0; channel < read.Length; channel++)
            {
                read[channel].AddRange(decoder.ChannelOf(channel));
            }
        }

        return read;
    }

    private static long[][] Decode(byte[] stream)
    {
        using var decoder = new FlacDecoder(new MemoryStream(stream));
        var read = ReadAll(decoder);
        Assert.Null(decoder.Problem);
        return [.. read.Select(channel => channel.ToArray())];
    }

    // Gives a byte at a time, as a slow disk may.
    private sealed class Trickle(byte[] bytes) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(1, buffer.Length)]);
    }
}
