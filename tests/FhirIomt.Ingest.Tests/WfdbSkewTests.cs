using FhirIomt.Core;
using FhirIomt.Ingest.Tests.Flac;
using FhirIomt.Ingest.Wfdb;
using FhirIomt.Ingest.Wfdb.Flac;
using FhirIomt.Tests;

namespace FhirIomt.Ingest.Tests;

/// <summary>Records of WFDB in which the samples of some signals stand late.</summary>
public sealed class WfdbSkewTests
{
    private readonly WfdbFolder _folder = new();

    [Fact]
    public void A_late_signal_is_taken_from_later_frames_and_lacks_its_last()
    {
        const string Header = "a 3 100 6\na.dat 16:2 1 16 0 0 187 0 I\na.dat 16 1 16 0 0 15 0 II\na.dat 16:6 1 16 0 0 6 0 III";
        _folder.Files["a.dat"] = WfdbFolder.Words(90, 0, 1, 91, 1, 1, 0, 2, 1, 1, 3, 1, 2, 4, 1, 3, 5, 1);
        Assert.Equal(("0 1 2 3 E E", "0 1 2 3 4 5", "E E E E E E"), (_folder.Samples(Header, "I"), _folder.Samples(Header, "II"), _folder.Samples(Header, "III")));

        // Those before the beginning are in the checksum: it stays when skew is found out afterwards.
        Assert.Empty(_folder.Verify(Header));
        Assert.Equal(["IOMT-0617"], _folder.Verify(Header.Replace("187", "6", StringComparison.Ordinal)));
    }

    [Fact]
    public void Skew_goes_across_stretches_and_files()
    {
        _folder.Files["a.dat"] = WfdbFolder.Words(Enumerable.Range(0, 2500).Select(frame => frame));
        _folder.Files["b.dat"] = WfdbFolder.Words(Enumerable.Range(0, 2500).Select(frame => frame - 700));
        const string Header = "a 2 100 2500\na.dat 16 1 16 0 0 0 0 I\nb.dat 16:700 1 16 0 0 0 0 II";
        Assert.Equal(string.Join(' ', Enumerable.Range(0, 2500)), _folder.Samples(Header, "I"));
        Assert.Equal(string.Join(' ', [.. Enumerable.Range(0, 1800).Select(frame => $"{frame}"), .. Enumerable.Repeat("E", 700)]), _folder.Samples(Header, "II"));
    }

    // header(5) counts samples of the signal; its library shifts the nearest number of whole frames.
    [Theory]
    [InlineData("16x2:1", "2 3 4 5 6 7 E E")]
    [InlineData("16x2:4", "4 5 6 7 E E E E")]
    [InlineData("16x2:5", "6 7 E E E E E E")]
    [InlineData("16x4:1", "0 1 2 3 4 5 6 7")]
    [InlineData("16x4:2", "4 5 6 7 E E E E")]
    public void Skew_of_several_samples_in_a_frame_is_in_samples_of_the_signal(string format, string samples)
    {
        _folder.Files["a.dat"] = WfdbFolder.Words(Enumerable.Range(0, 8));
        _folder.Files["b.dat"] = WfdbFolder.Words(1, 2, 3, 4);
        var header = $"a 2 100 {(format.Contains("x2", StringComparison.Ordinal) ? 4 : 2)}\na.dat {format} 1 16 0 0 28 0 I\nb.dat 16 1";
        Assert.Equal(samples, _folder.Samples(header, "I"));
    }

    [Theory]
    [InlineData("5", "2 3 4 E E")]
    [InlineData("4", "2 3 E E")]
    public void What_fills_up_a_file_is_no_sample_of_a_late_signal(string frames, string samples)
    {
        // Five samples, and half a byte and a byte behind them.
        _folder.Files["a.dat"] = Convert.FromHexString("000001020003049000");
        Assert.Equal(samples, _folder.Samples($"a 1 100 {frames}\na.dat 212:2 1 12 0 0 0 0 I", "I"));
    }

    [Fact]
    public void Where_the_header_does_not_say_how_many_there_are_all_frames_stay()
    {
        _folder.Files["a.dat"] = WfdbFolder.Words(9, 1, 2, 3);
        Assert.Equal("1 2 3 E", _folder.Samples("a 1 100\na.dat 16:1 1 16 0 0 0 0 I", "I"));
        Assert.Empty(_folder.Verify("a 1 100\na.dat 16:1 1 16 0 0 15 0 I"));
    }

    [Fact]
    public void Each_segment_has_skew_of_its_own()
    {
        _folder.Headers["b"] = "b 2 100 4\nb.dat 16:1 1 16 0 0 15 0 I\nb.dat 16 1 16 0 0 6 0 II";
        _folder.Headers["c"] = "c 2 100 3\nc.dat 16 1 16 0 0 12 0 I\nc.dat 16:2 1 16 0 0 22 0 II";
        _folder.Files["b.dat"] = WfdbFolder.Words(9, 0, 1, 1, 2, 2, 3, 3);
        _folder.Files["c.dat"] = WfdbFolder.Words(3, 9, 4, 9, 5, 4);
        const string Header = "a/4 2 100 12\nb 4\n~ 1\nc 3\nb 4";
        Assert.Equal(("1 2 3 E E 3 4 5 1 2 3 E", "0 1 2 3 E 4 E E 0 1 2 3"), (_folder.Samples(Header, "I"), _folder.Samples(Header, "II")));
        Assert.Empty(_folder.Verify(Header));
    }

    [Theory]
    [InlineData("a 1\na.dat 16:4000001", "IOMT-0616")]
    [InlineData("a 2\na.dat 16x1000\na.dat 16:4000", "IOMT-0616")]
    [InlineData("a 1\na.dat 16:2147483648", "IOMT-0615")]
    [InlineData("a 1\na.dat 16:", "IOMT-0615")]
    [InlineData("a 1\na.dat 16:-1", "IOMT-0615")]
    [InlineData("a 1\na.dat 16:1:1", "IOMT-0615")]
    [InlineData("a 1\na.dat 16:1x2", "IOMT-0615")]
    public void Skew_that_is_none_or_too_large_to_hold_is_refused(string header, string code) =>
        Assert.Equal(code, Assert.Single(WfdbHeader.Parse(header).Issues).Code);

    [Fact]
    public void The_largest_skew_is_held()
    {
        _folder.Files["a.dat"] = WfdbFolder.Words(1, 2, 3);
        Assert.Equal("E E E", _folder.Samples("a 1 100 3\na.dat 16:4000000 1 16 0 0 0 0 I", "I"));
    }

    [Theory]
    [InlineData("16", "16:3")]
    [InlineData("8", "8:3")]
    [InlineData("516", "516:3")]
    public void A_frame_allocates_nothing(string first, string second)
    {
        // An object of a frame would be 24 bytes: 120,000 of all.
        const int Frames = 5000;
        var header = WfdbHeader.Parse($"a 2 100 {Frames}\na.dat {first}\na.dat {second}").Require();
        var block = new long[Frames];
        using var frames = new WfdbDeskewedFrames(header, _ => new MemoryStream(
            first == "516" ? new FlacStreamWriter(2, 16).AddFrame([block, block], FlacStereo.None, new FlacChannel.Constant()).ToArray() : new byte[Frames * 4]));
        var frame = new int[2];
        Assert.True(frames.Next(frame));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var read = 1; read < Frames; read++)
        {
            Assert.True(frames.Next(frame));
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20_000);
    }

    [Fact]
    public void A_published_record_keeps_its_checksums_when_skew_is_inserted()
    {
        var folder = SharedData.Require("device-data/ecg-wfdb");
        var text = File.ReadAllText(Path.Combine(folder, "100_3chan.hea")).Replace("212 200(1024)/mV 11 1024 1011", "212:3 200(1024)/mV 11 1024 1011", StringComparison.Ordinal);
        _folder.Files["100_3chan.dat"] = File.ReadAllBytes(Path.Combine(folder, "100_3chan.dat"));
        Assert.Empty(_folder.Verify(text));
        var plain = _folder.Samples(text.Replace(":3", "", StringComparison.Ordinal), "II").Split(' ');
        Assert.Equal([.. plain[3..], "E", "E", "E"], _folder.Samples(text, "II").Split(' '));
    }
}
