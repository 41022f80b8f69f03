using System.Buffers;
using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Ingest.Wfdb;

namespace FhirIomt.Ingest.Tests;

/// <summary>Records of WFDB whose signals have rates of their own, and records of several segments.</summary>
public sealed class WfdbSegmentTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 14, 8, 0, 0, TimeSpan.FromHours(1));

    private readonly Dictionary<string, byte[]> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _headers = new(StringComparer.Ordinal);

    [Fact]
    public void Signals_of_different_rates_come_in_messages_of_their_own()
    {
        // A frame has four samples of the first, one of the second, two of the third.
        _files["m.dat"] = Words([.. Enumerable.Range(0, 2500).SelectMany(frame => new[] { frame * 4, (frame * 4) + 1, (frame * 4) + 2, (frame * 4) + 3, -frame, 7, 8 })]);
        var record = Open("m 3 125 2500\nm.dat 16x4 200/mV 16 0 0 0 0 II\nm.dat 16 50/NU 16 0 0 0 0 RESP\nm.dat 16x2 50/NU 16 0 0 0 0 PLETH\n").Require();
        var messages = Messages(record);
        Assert.Equal(["500 Hz", "125 Hz", "250 Hz", "500 Hz", "125 Hz", "250 Hz"], messages.Select(message => message.GetProperty("series").GetString()));
        Assert.Equal([2m, 8m, 4m], messages[..3].Select(message => message.GetProperty("periodMs").GetDecimal()));
        Assert.Equal(["2026-03-14T07:00:00Z", "2026-03-14T07:00:10Z"], messages.Select(message => message.GetProperty("start").GetString()).Distinct());
        Assert.Equal(["2026-03-14T07:00:10Z", "2026-03-14T07:00:20Z"], messages.Select(message => message.GetProperty("end").GetString()).Distinct());
        Assert.Equal(Enumerable.Range(0, 10_000), Samples(messages, "II"));
        Assert.Equal(Enumerable.Range(0, 2500).Select(frame => -frame), Samples(messages, "RESP"));
        Assert.Equal(Enumerable.Repeat(0, 2500).SelectMany(_ => new[] { 7, 8 }), Samples(messages, "PLETH"));
        Assert.True(messages[0].TryGetProperty("leads", out _) && !messages[0].TryGetProperty("signals", out _));
    }

    [Fact]
    public void Signals_that_all_have_several_samples_in_a_frame_are_one_message_without_a_series()
    {
        _files["m.dat"] = Words([1, 2, 10, 20, 3, 4, 30, 40]);
        var message = Assert.Single(Messages(Open("m 2 1 2\nm.dat 16x2 1 16 0 0 0 0 I\nm.dat 16x2 1 16 0 0 0 0 II").Require()));
        Assert.False(message.TryGetProperty("series", out _));
        Assert.Equal(("500", "1 2 3 4", "10 20 30 40"), (message.GetProperty("periodMs").GetRawText(), Data(message, "I"), Data(message, "II")));
    }

    [Fact]
    public void Samples_of_twelve_bits_are_packed_across_the_signals_of_a_frame()
    {
        // 1 2 | 3 4 | 5: two of the first and one of the second in each frame of the first two
        _files["m.dat"] = Convert.FromHexString("010002030004050006");
        var messages = Messages(Open("m 2 1 2\nm.dat 212x2 1 12 0 0 0 0 I\nm.dat 212 1 12 0 0 0 0 II").Require());
        Assert.Equal(["1 2 4 5", "3 6"], [Data(messages[0], "I"), Data(messages[1], "II")]);
    }

    [Theory]
    [InlineData(10, 3, true)]
    [InlineData(10, 4, false)]
    [InlineData(9, 3, false)]
    public void A_checksum_is_over_all_samples_of_its_signal(int first, int second, bool isWhole)
    {
        _files["m.dat"] = Words([1, 2, 1, 3, 4, 2]);
        var record = Open($"m 2 1 2\nm.dat 16x2 1 16 0 1 {first} 0 I\nm.dat 16 1 16 0 1 {second} 0 II").Require();
        Assert.Equal(isWhole ? [] : ["IOMT-0617"], WfdbRecording.Verify(record, File).Select(issue => issue.Code));
    }

    [Fact]
    public void Segments_of_one_layout_lie_one_behind_the_other_and_stretches_go_across()
    {
        Segment("a_1", 2, 1500, 0, "200/mV", "I");
        Segment("a_2", 2, 1500, 1500, "200/mV", "I");
        var record = Open("a/4 1 100 5000\na_1 1500\n~ 500\na_2 1500\na_1 1500\n").Require();
        Assert.Empty(WfdbRecording.Verify(record, File));
        var messages = Messages(record);
        Assert.Equal([1000, 1000, 1000, 1000, 1000], messages.Select(message => Data(message, "I").Split(' ').Length));
        Assert.Equal(Enumerable.Range(0, 5).Select(index => $"2026-03-14T07:00:{index * 10:00}Z"), messages.Select(message => message.GetProperty("start").GetString()));
        Assert.Equal(
            [.. Enumerable.Range(0, 1500).Select(sample => $"{sample}"), .. Enumerable.Repeat("E", 500), .. Enumerable.Range(1500, 1500).Select(sample => $"{sample}"), .. Enumerable.Range(0, 1500).Select(sample => $"{sample}")],
            messages.SelectMany(message => Data(message, "I").Split(' ')));
    }

    [Fact]
    public void A_long_gap_is_told_by_nothing_but_the_times_around_it()
    {
        Segment("a_1", 2, 100, 0, "200/mV", "I");
        var record = Open("a/3 1 100 360000200\na_1 100\n~ 360000000\na_1 100\n").Require();
        var messages = Messages(record);
        Assert.Equal(["2026-03-14T07:00:00Z", "2026-04-24T23:00:00Z"], messages.Select(message => message.GetProperty("start").GetString()));
        Assert.Equal([.. Enumerable.Range(0, 100).Select(sample => $"{sample}"), .. Enumerable.Repeat("E", 900)], Data(messages[0], "I").Split(' '));
        Assert.Equal([.. Enumerable.Repeat("E", 100), .. Enumerable.Range(0, 100).Select(sample => $"{sample}")], Data(messages[1], "I").Split(' '));
    }

    [Fact]
    public void In_a_varying_layout_a_signal_is_known_by_its_name_and_left_out_where_it_was_not_recorded()
    {
        _headers["a_layout"] = "a_layout 3 100 0\n~ 0 200/mV 11 0 0 0 0 II\n~ 0 200/mV 11 0 0 0 0 V\n~ 0 50/NU 8 0 0 0 0 PLETH\n";
        Segment("a_1", 2, 1000, 0, "200/mV", "V");
        Segment("a_2", 2, 500, 5000, "200/mV", "II", "V");
        var messages = Messages(Open("a/4 3 100 2000\na_layout 0\na_1 1000\na_2 500\n~ 500\n").Require());
        Assert.Equal(2, messages.Count);
        Assert.Equal(["V"], Names(messages[0]));
        Assert.Equal(["V", "II"], Names(messages[1]));
        Assert.Equal([.. Enumerable.Range(5500, 500).Select(sample => $"{sample}"), .. Enumerable.Repeat("E", 500)], Data(messages[1], "V").Split(' '));
        Assert.Equal([.. Enumerable.Range(5000, 500).Select(sample => $"{sample}"), .. Enumerable.Repeat("E", 500)], Data(messages[1], "II").Split(' '));
    }

    [Fact]
    public void A_stretch_ends_where_the_samples_begin_to_mean_something_else()
    {
        _headers["a_layout"] = "a_layout 1 100 0\n~ 0 200/mV 11 0 0 0 0 II\n";
        Segment("a_1", 2, 300, 0, "200/mV", "II");
        Segment("a_2", 2, 1200, 300, "400(5)/mV", "II");
        var messages = Messages(Open("a/3 1 100 1500\na_layout 0\na_1 300\na_2 1200\n").Require());
        Assert.Equal([300, 1000, 200], messages.Select(message => Data(message, "II").Split(' ').Length));
        Assert.Equal([0.005m, 0.0025m, 0.0025m], messages.Select(message => message.GetProperty("leads")[0].GetProperty("factor").GetDecimal()));
        Assert.Equal(["2026-03-14T07:00:00Z", "2026-03-14T07:00:03Z", "2026-03-14T07:00:13Z"], messages.Select(message => message.GetProperty("start").GetString()));
        Assert.Equal(Enumerable.Range(0, 1500), Samples(messages, "II"));
    }

    [Theory]
    [InlineData("a/1 1 100 10\nb 10", "b 1 200 10\nb.dat 16 1 16 0 0 0 0 I", "IOMT-0615")]
    [InlineData("a/1 1 100 10\nb 10", "b 1 100 9\nb.dat 16 1 16 0 0 0 0 I", "IOMT-0615")]
    [InlineData("a/1 1 100 10\nb 10", "b/1 1 100 10\nb 10", "IOMT-0615")]
    [InlineData("a/1 1 100 10\nb 10", "b 1 100 10\nb.dat 7 1", "IOMT-0616")]
    [InlineData("a/1 1 100 10\nb 10", "", "IOMT-0615")]
    [InlineData("a/1 1 100 10\n~ 10", "", "IOMT-0615")]
    [InlineData("a/2 1 100 20\nb 10\nc 10", "b 1 100 10\nb.dat 16 1 16 0 0 0 0 I", "IOMT-0615")]
    [InlineData("a/2 1 100 10\nd 0\nb 10", "b 1 100 10\nb.dat 16 1 16 0 0 0 0 I", "IOMT-0615")]
    [InlineData("a/2 1 100 20\nb 10\ne 10", "b 1 100 10\nb.dat 16 1 16 0 0 0 0 I", "IOMT-0615")]
    public void Segments_that_do_not_fit_together_are_refused(string master, string segment, string code)
    {
        _headers["b"] = segment;
        _headers["c"] = "c 2 100 10\nc.dat 16 1 16 0 0 0 0 I\nc.dat 16 1 16 0 0 0 0 II";
        _headers["d"] = "d 1 100 0\n~ 0 1 16 0 0 0 0 OTHER";
        _headers["e"] = "e 1 100 10\ne.dat 16x2 1 16 0 0 0 0 I";
        var issue = Assert.Single(Open(master).Issues);
        Assert.Equal(code, issue.Code);
        Assert.NotNull(issue.Fix);
    }

    [Fact]
    public void A_segment_whose_samples_are_not_its_header_s_is_noticed_once_by_its_name()
    {
        Segment("a_1", 2, 50, 0, "200/mV", "I");
        _files["a_1.dat"][10] ^= 1;
        var issue = Assert.Single(WfdbRecording.Verify(Open("a/2 1 100 100\na_1 50\na_1 50\n").Require(), File));
        Assert.Equal("IOMT-0617", issue.Code);
        Assert.Contains("a_1", issue.Message, StringComparison.Ordinal);
    }

    // Of each signal the samples from a number on, one more for each frame; another signal begins where the one before ends.
    private void Segment(string name, int bytes, int frames, int from, string gain, params string[] signals)
    {
        var samples = Enumerable.Range(0, frames).SelectMany(frame => signals.Select((_, signal) => from + frame + (signal * frames))).ToArray();
        var lines = signals.Select((signal, index) =>
            $"{name}.dat {bytes * 8} {gain} 16 0 0 {unchecked((short)Enumerable.Range(from + (index * frames), frames).Sum())} 0 {signal}");
        _headers[name] = $"{name} {signals.Length} 100 {frames}\n{string.Join('\n', lines)}\n";
        _files[name + ".dat"] = Words(samples);
    }

    private Outcome<WfdbRecord> Open(string header) => WfdbRecord.Open(WfdbHeader.Parse(header).Require(), name => _headers[name]);

    private MemoryStream File(string name) => new(_files[name]);

    private List<JsonElement> Messages(WfdbRecord record)
    {
        using var recording = new WfdbRecording(record, File, Start, device: null);
        var found = new List<JsonElement>();
        var buffer = new ArrayBufferWriter<byte>();
        while (recording.Next(buffer))
        {
            found.Add(JsonDocument.Parse(buffer.WrittenMemory.ToArray()).RootElement.GetProperty("Body"));
            buffer.ResetWrittenCount();
        }

        return found;
    }

    private static byte[] Words(int[] samples) => [.. samples.SelectMany(sample => BitConverter.GetBytes((short)sample))];

    private static IEnumerable<JsonElement> Signals(JsonElement message) => new[] { "leads", "signals" }.SelectMany(list => message.TryGetProperty(list, out var found) ? [.. found.EnumerateArray()] : Array.Empty<JsonElement>());

    private static IEnumerable<string?> Names(JsonElement message) => Signals(message).Select(signal => signal.GetProperty("name").GetString());

    private static string Data(JsonElement message, string name) => Signals(message).Single(signal => signal.GetProperty("name").GetString() == name).GetProperty("data").GetString()!;

    private static IEnumerable<int> Samples(IEnumerable<JsonElement> messages, string name) =>
        messages.Where(message => Names(message).Contains(name)).SelectMany(message => Data(message, name).Split(' ')).Select(int.Parse);
}
