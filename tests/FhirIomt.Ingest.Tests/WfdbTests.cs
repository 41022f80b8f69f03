using System.Buffers;
using System.Globalization;
using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Ingest.Wfdb;
using FhirIomt.Tests;

namespace FhirIomt.Ingest.Tests;

/// <summary>Records of WFDB: headers, formats, checksums, and the messages that they are cut into.</summary>
public sealed class WfdbTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 14, 8, 0, 0, TimeSpan.FromHours(1));

    [Fact]
    public void A_header_says_what_the_samples_mean()
    {
        var header = WfdbHeader.Parse("# written by hand\n100 2 360 650000 19:46:25.757 14/3/2026\r\n100.dat 212 200(1024)/mV 11 1024 995 -22131 0 MLII\n\n100.mat 16+24 1.052e+04 16 0 1 43172 0 the second one\n# 69 M\n").Require();
        Assert.Equal(("100", 360m, 650000L), (header.Name, header.Rate, header.Frames));
        Assert.Equal((new TimeSpan(0, 19, 46, 25, 757), new DateOnly(2026, 3, 14)), (header.BaseTime, header.BaseDate));
        var (first, second) = (header.Signals[0], header.Signals[1]);
        Assert.Equal((212, 0L, 200m, 1024, "mV", 11, 1024, unchecked((ushort)-22131), "MLII"), (first.Format.Code, first.Offset, first.Gain, first.Baseline, first.Unit, first.Resolution, first.Zero, first.Checksum, first.Name));
        Assert.Equal(-0.145m, first.ValueOf(995));
        Assert.Equal((16, 24L, 10520m, 0, "mV", (ushort)43172, "the second one"), (second.Format.Code, second.Offset, second.Gain, second.Baseline, second.Unit, second.Checksum!.Value, second.Name));
    }

    [Theory]
    [InlineData("a 1\na.dat 16", 250, 200, "signal 1")]
    [InlineData("a 1 500/1000(0)\na.dat 16 0", 500, 200, "signal 1")]
    [InlineData("a 1 0.5\na.dat 16 -3.5(7)", 0.5, -3.5, "signal 1")]
    public void What_a_header_leaves_out_is_what_the_format_says(string text, double rate, double gain, string name)
    {
        var header = WfdbHeader.Parse(text).Require();
        Assert.Equal(((decimal)rate, (decimal)gain, name), (header.Rate, header.Signals[0].Gain, header.Signals[0].Name));
        Assert.Null(header.Frames);
        Assert.Null(header.Signals[0].Checksum);
    }

    [Theory]
    [InlineData("", "IOMT-0615", 1)]
    [InlineData("# only words", "IOMT-0615", 1)]
    [InlineData("a", "IOMT-0615", 1)]
    [InlineData("a 0", "IOMT-0615", 1)]
    [InlineData("a many 250", "IOMT-0615", 1)]
    [InlineData("a 1 fast\na.dat 16", "IOMT-0615", 1)]
    [InlineData("a 1 250 some\na.dat 16", "IOMT-0615", 1)]
    [InlineData("a 1 250 10 25:00:00\na.dat 16", "IOMT-0615", 1)]
    [InlineData("a 1 250 10 1:00:00 2026-03-14\na.dat 16", "IOMT-0615", 1)]
    [InlineData("a 2 250\na.dat 16 200", "IOMT-0615", 2)]
    [InlineData("a 1\na.dat", "IOMT-0615", 2)]
    [InlineData("a 1\na.dat none", "IOMT-0615", 2)]
    [InlineData("a 1\na.dat 16+y", "IOMT-0615", 2)]
    [InlineData("a 1\na.dat 16 2e40", "IOMT-0615", 2)]
    [InlineData("a 1\na.dat 16 200(x)/mV", "IOMT-0615", 2)]
    [InlineData("a 1\na.dat 16 200 99", "IOMT-0615", 2)]
    [InlineData("a 1\na.dat 16 200 16 zero", "IOMT-0615", 2)]
    [InlineData("a/0 2 250 100", "IOMT-0615", 1)]
    [InlineData("a/3 2 250 100\na_0001 50\na_0002 50", "IOMT-0615", 3)]
    [InlineData("a/2 2 250 100\na_0001 50\na_0002", "IOMT-0615", 3)]
    [InlineData("a/2 2 250 100\na_0001 50\na_0002 51", "IOMT-0615", 1)]
    [InlineData("a/1 2 250 50\n../a_0001 50", "IOMT-0616", null)]
    [InlineData("a 1\na.dat 16x0", "IOMT-0615", 2)]
    [InlineData("a 1\na.dat 16x2x2", "IOMT-0615", 2)]
    [InlineData("a 2\na.dat 16x30000\na.dat 16x30000", "IOMT-0616", null)]
    [InlineData("a 1\na.dat 9", "IOMT-0616", null)]
    [InlineData("a 1\na.dat 532:10", "IOMT-0616", null)]
    [InlineData("a 2\na.dat 212\na.dat 16", "IOMT-0615", 3)]
    [InlineData("a 1\n../../etc/passwd 80", "IOMT-0616", null)]
    [InlineData("a 1\n~ 0", "IOMT-0616", null)]
    public void A_header_that_cannot_be_followed_is_refused(string text, string code, int? line)
    {
        var issue = Assert.Single(WfdbHeader.Parse(text).Issues);
        Assert.Equal((code, line), (issue.Code, issue.Position?.Line));
        Assert.NotNull(issue.Fix);
    }

    [Theory]
    [InlineData(8, "01FE0080", "1 -1 -1 -129")]
    [InlineData(16, "0100FFFF0080", "1 -1 E")]
    [InlineData(61, "0001FFFF8000", "1 -1 E")]
    [InlineData(160, "018000800000", "1 0 E")]
    [InlineData(24, "010000FFFFFF000080", "1 -1 E")]
    [InlineData(32, "01000000FFFFFFFF00000080", "1 -1 E")]
    [InlineData(80, "817F00", "1 -1 E")]
    [InlineData(212, "E333F30008", "995 1011 E")]
    [InlineData(310, "02F0FEFF0004", "1 -1 -2 E")]
    [InlineData(311, "01FC0F200200", "1 -1 E 2")]
    public void Each_format_is_read_as_it_is_defined(int format, string hex, string samples)
    {
        var header = WfdbHeader.Parse($"a 1 1\na.dat {format} 1").Require();
        var data = Messages(header, Convert.FromHexString(hex)).Select(message => message.GetProperty("signals")[0].GetProperty("data").GetString());
        Assert.Equal(samples, string.Join(' ', data));
    }

    [Fact]
    public void A_record_is_cut_into_stretches_that_lie_one_behind_the_other()
    {
        var header = WfdbHeader.Parse("a 2 360 9000\na.dat 16 7247/mV 16 0 0 0 0 II\na.dat 16 12530/NU 0 0 0 0 0 PLETH").Require();
        var samples = Enumerable.Range(0, 9000).SelectMany(index => new[] { (short)(index % 1000), (short)-index }).ToArray();
        var messages = Messages(header, Bytes(samples));
        Assert.Equal([3600, 3600, 1800], messages.Select(message => Data(message, "leads").Length));
        Assert.Equal(["2026-03-14T07:00:00Z", "2026-03-14T07:00:10Z", "2026-03-14T07:00:20Z"], messages.Select(message => message.GetProperty("start").GetString()));
        Assert.Equal(["2026-03-14T07:00:10Z", "2026-03-14T07:00:20Z", "2026-03-14T07:00:25Z"], messages.Select(message => message.GetProperty("end").GetString()));
        Assert.Equal(samples.Where((_, index) => index % 2 == 0).Select(sample => $"{sample}"), messages.SelectMany(message => Data(message, "leads")));
        Assert.Equal(samples.Where((_, index) => index % 2 == 1).Select(sample => $"{sample}"), messages.SelectMany(message => Data(message, "signals")));
        Assert.All(messages, message => Assert.Equal("2.77777777777778", message.GetProperty("periodMs").GetRawText()));
        var lead = messages[0].GetProperty("leads")[0];
        Assert.Equal(("II", "mV", "0.000137988133020560"), (lead.GetProperty("name").GetString(), lead.GetProperty("unit").GetString(), lead.GetProperty("factor").GetRawText().PadRight(20, '0')));
        Assert.Equal(32767m / 7247m, lead.GetProperty("upperLimit").GetDecimal(), 12);
        Assert.Equal(-32768m / 7247m, lead.GetProperty("lowerLimit").GetDecimal(), 12);
        Assert.False(messages[0].GetProperty("signals")[0].TryGetProperty("upperLimit", out _));
    }

    [Fact]
    public void Many_leads_at_a_high_rate_come_in_shorter_stretches()
    {
        var lines = string.Join('\n', Enumerable.Range(0, 100).Select(index => $"a.dat 16 200/mV 16 0 0 0 0 ECG{index}"));
        var messages = Messages(WfdbHeader.Parse($"a 100 1000\n{lines}").Require(), Bytes(new short[100 * 1200]));
        Assert.Equal([500, 500, 200], messages.Select(message => Data(message, "leads").Length));
    }

    [Theory]
    [InlineData("a 1 100 4\na.dat 16 1 16 0 1 10 0 I", true)]
    [InlineData("a 1 100 4\na.dat 16 1 16 0 1 -65526 0 I", true)]
    [InlineData("a 1 100 4\na.dat 16 1 16 0 1 11 0 I", false)]
    [InlineData("a 1 100 5\na.dat 16 1", false)]
    [InlineData("a 1 100 3\na.dat 16 1 16 0 1 6 0 I", true)]
    [InlineData("a 1 100\na.dat 16", true)]
    [InlineData("a 1 100\na.dat 16+8", false)]
    public void Samples_are_held_to_number_and_checksum(string header, bool isWhole)
    {
        var issues = WfdbRecording.Verify(Ordinary(WfdbHeader.Parse(header).Require()), _ => new MemoryStream(Bytes([1, 2, 3, 4])));
        Assert.Equal(isWhole ? [] : ["IOMT-0617"], issues.Select(issue => issue.Code));
    }

    [Theory]
    [InlineData("1", "1")]
    [InlineData("0.0050000", "0.005")]
    [InlineData("0.00009505703422053231939163498099", "0.0000950570342205323")]
    [InlineData("-1234567.8901234567890", "-1234567.89012346")]
    [InlineData("0", "0")]
    public void Scales_have_fifteen_digits(string value, string rounded) =>
        Assert.Equal(rounded, WfdbRecording.Rounded(decimal.Parse(value, CultureInfo.InvariantCulture)).ToString(CultureInfo.InvariantCulture));

    [Theory]
    [InlineData("100", 650_000, "995 1011")]
    [InlineData("100_3chan", 999, "995 1011 995")]
    [InlineData("3000003_0003", 1028, null)]
    [InlineData("a103l", 82_500, "-171 9127 6042")]
    public void Published_records_have_the_checksums_and_first_samples_of_their_headers(string name, int count, string? first)
    {
        var folder = SharedData.Require("device-data/ecg-wfdb");
        var header = WfdbHeader.Parse(File.ReadAllText(Path.Combine(folder, name + ".hea"))).Require();
        Stream Open(string file) => File.OpenRead(Path.Combine(folder, file));
        Assert.Empty(WfdbRecording.Verify(Ordinary(header), Open));
        using var frames = new WfdbFrames(header, Open);
        var frame = new int[header.Signals.Count];
        var frameCount = 0;
        while (frames.Next(frame))
        {
            if (frameCount++ == 0 && first is not null)
            {
                Assert.Equal(first, string.Join(' ', frame));
            }
        }

        // A file of an odd number of samples may end with one that fills it up.
        Assert.InRange(frameCount, count, count + 1);
    }

    [Fact]
    public void One_changed_byte_is_noticed()
    {
        var folder = SharedData.Require("device-data/ecg-wfdb");
        var header = WfdbHeader.Parse(File.ReadAllText(Path.Combine(folder, "100_3chan.hea"))).Require();
        var bytes = File.ReadAllBytes(Path.Combine(folder, "100_3chan.dat"));
        bytes[1000] ^= 4;
        Assert.Equal("IOMT-0617", Assert.Single(WfdbRecording.Verify(Ordinary(header), _ => new MemoryStream(bytes))).Code);
    }

    private static WfdbRecord Ordinary(WfdbHeader header) => WfdbRecord.Open(header, _ => throw new InvalidOperationException()).Require();

    private static byte[] Bytes(short[] samples)
    {
        var bytes = new byte[samples.Length * 2];
        Buffer.BlockCopy(samples, 0, bytes, 0, bytes.Length);
        return bytes;
    }

    private static string[] Data(JsonElement message, string list) => message.GetProperty(list)[0].GetProperty("data").GetString()!.Split(' ');

    private static List<JsonElement> Messages(WfdbHeader header, byte[] samples)
    {
        using var recording = new WfdbRecording(Ordinary(header), _ => new MemoryStream(samples), Start, device: null);
        var found = new List<JsonElement>();
        var buffer = new ArrayBufferWriter<byte>();
        while (recording.Next(buffer))
        {
            found.Add(JsonDocument.Parse(buffer.WrittenMemory.ToArray()).RootElement.GetProperty("Body"));
            buffer.ResetWrittenCount();
        }

        return found;
    }
}
