namespace FhirIomt.Ingest.Tests;

/// <summary>Records of WFDB whose files hold first differences (format 8).</summary>
public sealed class WfdbDifferenceTests
{
    private readonly WfdbFolder _folder = new();

    [Theory]
    [InlineData("", "0 1 3 2")]
    [InlineData(" 1 12 1000", "1000 1001 1003 1002")]
    [InlineData(" 1 12 1000 -5", "-5 -4 -2 -3")]
    public void Differences_are_added_to_the_initial_value_or_to_the_converter_s_zero(string fields, string samples)
    {
        _folder.Files["a.dat"] = [0, 1, 2, 0xFF];
        Assert.Equal(samples, _folder.Samples($"a 1 100 4\na.dat 8{fields}", "signal 1"));
    }

    [Fact]
    public void Each_signal_of_a_file_goes_on_from_its_own_last_sample()
    {
        // Two of the first and one of the second in each frame; a difference has a sign.
        _folder.Files["a.dat"] = [0, 1, 0, 1, 1, 0x80, 0xFE, 0, 0x7F];
        const string Header = "a 2 100 3\na.dat 8x2 1 12 0 100 607 0 I\na.dat 8 1 12 0 -7 -150 0 II";
        Assert.Equal(("100 101 102 103 101 101", "-7 -135 -8"), (_folder.Samples(Header, "I"), _folder.Samples(Header, "II")));

        // The checksum is that of the samples.
        Assert.Equal(["IOMT-0617"], _folder.Verify(Header));
        Assert.Empty(_folder.Verify(Header.Replace("607", "608", StringComparison.Ordinal)));
    }

    [Fact]
    public void No_sample_is_missing_but_those_that_skew_takes_away()
    {
        _folder.Files["a.dat"] = [0x80, 0x80, 0x80];
        Assert.Equal("-256 -384 E", _folder.Samples("a 1 100 3\na.dat 8:1 1 12 0 0 0 0 I", "I"));
    }

    [Fact]
    public void Segments_begin_with_initial_values_of_their_own()
    {
        _folder.Headers["b"] = "b 1 100 2\nb.dat 8 1 12 0 50 101 0 I";
        _folder.Headers["c"] = "c 1 100 2\nc.dat 8 1 12 0 -50 -99 0 I";
        _folder.Files["b.dat"] = _folder.Files["c.dat"] = [0, 1];
        Assert.Equal("50 51 -50 -49 50 51", _folder.Samples("a/3 1 100 6\nb 2\nc 2\nb 2", "I"));
        Assert.Empty(_folder.Verify("a/3 1 100 6\nb 2\nc 2\nb 2"));
    }

    [Theory]
    [InlineData(int.MaxValue, 1)]
    [InlineData(int.MinValue, 0xFF)]
    public void Differences_that_lead_beyond_all_samples_are_noticed(int initial, byte difference)
    {
        _folder.Files["a.dat"] = [difference];
        var issue = Assert.Single(_folder.Issues($"a 1 100 1\na.dat 8 1 0 0 {initial} 0 0 I"));
        Assert.Equal("IOMT-0617", issue.Code);
        Assert.Contains("'I'", issue.Message, StringComparison.Ordinal);
    }
}
