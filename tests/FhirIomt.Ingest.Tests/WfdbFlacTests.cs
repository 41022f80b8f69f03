using System.Globalization;
using FhirIomt.Core;
using FhirIomt.Ingest.Tests.Flac;
using FhirIomt.Ingest.Wfdb;
using FhirIomt.Ingest.Wfdb.Flac;

namespace FhirIomt.Ingest.Tests;

/// <summary>Records of WFDB whose files are streams of FLAC (formats 508, 516 and 524).</summary>
public sealed class WfdbFlacTests
{
    private static readonly FlacChannel Plain = new FlacChannel.Verbatim();

    private readonly WfdbFolder _folder = new();

    [Fact]
    public void Streams_of_the_tool_flac_give_back_the_samples_that_were_given_to_it()
    {
        (_folder.Files["a.d8"], _folder.Files["a.d16"], _folder.Files["a.d24"]) = (FlacSamples.Eight, FlacSamples.Sixteen, FlacSamples.TwentyFour);
        const string Header = "a 6 100 50\na.d8 508x4 1 8 0 0 {0} 0 A\na.d16 516x3 1 16 0 0 {1} 0 B\na.d16 516x3 1 16 0 0 {2} 0 C\na.d24 524 1 24 0 0 {3} 0 D\na.d24 524 1 24 0 0 {4} 0 E\na.d24 524 1 24 0 0 0 0 F";
        int[][] samples =
        [
            [.. Enumerable.Range(0, 200).Select(FlacSamples.OfEight)],
            [.. Enumerable.Range(0, 150).Select(at => FlacSamples.OfSixteen(at, 0))],
            [.. Enumerable.Range(0, 150).Select(at => FlacSamples.OfSixteen(at, 1))],
            [.. Enumerable.Range(0, 50).Select(at => FlacSamples.OfTwentyFour(at, 0))],
            [.. Enumerable.Range(0, 50).Select(at => FlacSamples.OfTwentyFour(at, 1))],
        ];
        var header = string.Format(CultureInfo.InvariantCulture, Header, [.. samples.Select(signal => (object)unchecked((short)signal.Sum()))]);
        Assert.Empty(_folder.Verify(header));
        foreach (var (signal, name) in samples.Zip("ABCDE"))
        {
            Assert.Equal(string.Join(' ', signal.Select(sample => sample == short.MinValue ? "E" : $"{sample}")), _folder.Samples(header, $"{name}"));
        }

        Assert.Equal(string.Join(' ', Enumerable.Repeat("E", 50)), _folder.Samples(header, "F"));
    }

    [Fact]
    public void Frames_of_the_record_are_not_those_of_the_stream()
    {
        // Five samples of each channel in a frame, in blocks of 1, 17, 6 and 16.
        var writer = new FlacStreamWriter(2, 16) { IsVariable = true };
        var at = 0;
        foreach (var size in new[] { 1, 17, 6, 16 })
        {
            writer.AddFrame([[.. Enumerable.Range(at, size).Select(sample => (long)sample)], [.. Enumerable.Range(at, size).Select(sample => -(long)sample)]], FlacStereo.None, Plain);
            at += size;
        }

        _folder.Files["a.dat"] = writer.ToArray();
        const string Header = "a 2 100 8\na.dat 516x5 1 16 0 0 780 0 I\na.dat 516x5 1 16 0 0 -780 0 II";
        Assert.Empty(_folder.Verify(Header));
        Assert.Equal((string.Join(' ', Enumerable.Range(0, 40)), string.Join(' ', Enumerable.Range(0, 40).Select(sample => -sample))), (_folder.Samples(Header, "I"), _folder.Samples(Header, "II")));
    }

    [Theory]
    [InlineData("516+20", "20 21 22 23", "20 21 22 23")]
    [InlineData("516:1+70", "71 72 73 E", "70 71 72 73")]
    [InlineData("516x2+91", "91 92 93 94 95 96 97 98", "91 92 93 94 95 96 97 98")]
    public void An_offset_is_in_samples_and_skew_in_frames(string format, string first, string second)
    {
        _folder.Files["a.dat"] = Stream(2, 100);
        var header = $"a 2 100 4\na.dat {format} 1 16 0 0 0 0 I\na.dat {format.Replace(":1", "", StringComparison.Ordinal)} 1 16 0 0 0 0 II";
        Assert.Equal((first, second), (_folder.Samples(header, "I"), _folder.Samples(header, "II")));
    }

    [Fact]
    public void Samples_may_have_fewer_bits_than_the_format_and_the_file_more_samples_than_the_record()
    {
        _folder.Files["a.dat"] = new FlacStreamWriter(1, 12).AddFrame([[1, -2048, 3, 4]], FlacStereo.None, Plain).ToArray();
        Assert.Equal("1 -2048 3", _folder.Samples("a 1 100 3\na.dat 516", "signal 1"));
        Assert.Empty(_folder.Verify("a 1 100 3\na.dat 516 1 12 0 1 -2044 0 I"));
    }

    [Fact]
    public void Segments_are_streams_of_their_own()
    {
        _folder.Headers["b"] = "b 1 100 100\nb.dat 516 1 16 0 0 4950 0 I";
        _folder.Headers["c"] = "c 1 100 3\nc.dat 516:1+97 1 16 0 97 294 0 I";
        _folder.Files["b.dat"] = _folder.Files["c.dat"] = Stream(1, 100);
        Assert.Equal($"{string.Join(' ', Enumerable.Range(0, 100))} 98 99 E", _folder.Samples("a/2 1 100 103\nb 100\nc 3", "I"));
        Assert.Empty(_folder.Verify("a/2 1 100 103\nb 100\nc 3"));
    }

    [Theory]
    [InlineData("a 1 100 100\na.dat 516", "'a.dat' has 2 channels, and the header 1 signals")]
    [InlineData("a 3 100 100\na.dat 516\na.dat 516\na.dat 516", "'a.dat' has 2 channels, and the header 3 signals")]
    [InlineData("a 2 100 100\na.dat 508\na.dat 508", "'a.dat' has samples of 16 bits, and the header format 508")]
    [InlineData("a 2 100 101\na.dat 516\na.dat 516", "100 frames are there in a, not 101")]
    [InlineData("a 2 100 100\na.dat 516 1 16 0 0 1 0 I\na.dat 516", "the checksum of 'I' in a is another")]
    [InlineData("a 2 100 100\nb.dat 516\nb.dat 516", "'b.dat' is no stream of FLAC")]
    [InlineData("a 2 100 100\nc.dat 516\nc.dat 516", "'c.dat' has a frame that was changed")]
    [InlineData("a 2 100 100\nd.dat 516\nd.dat 516", "'d.dat' ends in the middle")]
    [InlineData("a 2 100 100\ne.dat 516\ne.dat 516", "'e.dat' has other samples than were written to it")]
    [InlineData("a 2 100 100\nf.dat 516\nf.dat 516", "'f.dat' has other samples than were written to it")]
    [InlineData("a 2 100 100\ng.dat 516\ng.dat 516", "'g.dat' ends in the middle")]
    public void A_stream_that_is_not_the_header_s_is_noticed(string header, string said)
    {
        _folder.Files["a.dat"] = Stream(2, 100);
        _folder.Files["b.dat"] = WfdbFolder.Words(new int[1000]);
        _folder.Files["c.dat"] = Changed(100, _folder.Files["a.dat"]);
        _folder.Files["d.dat"] = _folder.Files["a.dat"][..200];
        _folder.Files["e.dat"] = Changed(30, _folder.Files["a.dat"]);
        _folder.Files["f.dat"] = Changed(30, Stream(2, 100, samples: 0));
        _folder.Files["g.dat"] = [];
        var issue = Assert.Single(_folder.Issues(header));
        Assert.Equal(("IOMT-0617", $"The samples are not those that the header tells of: {said}."), (issue.Code, issue.Message));
    }

    [Fact]
    public void A_stream_of_a_kind_that_is_not_read_says_so()
    {
        _folder.Files["a.dat"] = [.. "OggS"u8, .. new byte[100]];
        var issue = Assert.Single(_folder.Issues("a 1 100 100\na.dat 516"));
        Assert.Equal(("IOMT-0616", "'a.dat' is a stream of Ogg, which is not read here."), (issue.Code, issue.Message));
    }

    [Fact]
    public void A_header_cannot_give_signals_of_one_file_different_formats_or_of_one_stream_different_rates()
    {
        foreach (var header in new[] { "a 2\na.dat 516\na.dat 516x2", "a 2\na.dat 516\na.dat 524", "a 2\na.dat 516\na.dat 16", "a 2\na.dat 8\na.dat 80" })
        {
            var issue = Assert.Single(WfdbHeader.Parse(header).Issues);
            Assert.Equal(("IOMT-0615", 3), (issue.Code, issue.Position?.Line));
        }
    }

    // Of each channel the samples 0, 1, 2, …, in two blocks and more.
    private static byte[] Stream(int channels, int count, long? samples = null)
    {
        var writer = new FlacStreamWriter(channels, 16) { Samples = samples };
        for (var from = 0; from < count; from += 64)
        {
            var block = Enumerable.Range(from, Math.Min(64, count - from)).Select(sample => (long)sample).ToArray();
            writer.AddFrame([.. Enumerable.Repeat(block, channels)], FlacStereo.None, Plain);
        }

        return writer.ToArray();
    }

    private static byte[] Changed(int at, byte[] bytes)
    {
        byte[] changed = [.. bytes];
        changed[at] ^= 4;
        return changed;
    }
}
