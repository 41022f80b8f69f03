using System.Text;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Tests.Json;

public sealed class JsonFormatTests
{
    [Theory]
    [InlineData("{\"a\":1,\"b\":{\"c\":1,\"c\":2},\n\"a\":2,\"\\u0061\":3}", "IOMT-0102 1:20", "IOMT-0102 2:2", "IOMT-0102 2:8")]
    [InlineData("{\"a\":\"\n\"}", "IOMT-0100 1:7")]
    [InlineData("{\"a\":1}\n x", "IOMT-0100 2:2")]
    [InlineData("{\"a\":\"\\ud800\"}", "IOMT-0104 1:6")]
    [InlineData("\uFEFF{}", "IOMT-0100 1:1")]
    [InlineData("", "IOMT-0100 1:1")]
    [InlineData("{", "IOMT-0100 1:2")]
    public void Every_problem_says_line_and_column(string json, params string[] expected)
    {
        var issues = JsonTree.Parse(Encoding.UTF8.GetBytes(json)).Issues.Select(issue => $"{issue.Code} {issue.Position!.Value.Line}:{issue.Position!.Value.Column}");
        Assert.Equal(expected.Order(StringComparer.Ordinal), issues.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Bad_utf8_is_refused_where_it_stands()
    {
        byte[] bytes = [.. "{\n\"é\":\""u8, 0xC3, (byte)'"', (byte)'}'];
        var issue = Assert.Single(JsonTree.Parse(bytes).Issues);
        Assert.Equal("IOMT-0104 line 2, column 7", $"{issue.Code} {issue.Position}");
    }

    [Fact]
    public void Many_members_of_one_object_are_compared_too()
    {
        var members = string.Join(',', Enumerable.Range(0, 40).Select(number => $"\"m{number}\":0"));
        Assert.Equal(2, JsonTree.Parse(Encoding.UTF8.GetBytes($"{{{members},\"m3\":1,\"m7\":1}}")).Issues.Count);
    }

    [Fact]
    public void Writing_changes_white_space_only()
    {
        const string Text = "{ \"a\" : [ 1.0, 1e3 ,-0.010, { } , [ ] ],\n\"\\u0062\":\"\\/\\u00e9\" , \"c\":null}";
        var root = JsonTree.Parse(Encoding.UTF8.GetBytes(Text)).Require().Root;
        Assert.Equal("{\"a\":[1.0,1e3,-0.010,{},[]],\"\\u0062\":\"\\/\\u00e9\",\"c\":null}", Encoding.UTF8.GetString(JsonTextWriter.Minified(root)));
        Assert.Equal("{\n  \"a\": [\n    1.0,\n    1e3,\n    -0.010,\n    {},\n    []\n  ],\n  \"\\u0062\": \"\\/\\u00e9\",\n  \"c\": null\n}", Encoding.UTF8.GetString(JsonTextWriter.Indented(root)));
    }

    [Fact]
    public void Every_official_example_keeps_all_but_its_white_space()
    {
        foreach (var (name, bytes) in OfficialExamples.Read())
        {
            var tree = JsonTree.Parse(bytes).Require();
            var (minified, indented) = (JsonTextWriter.Minified(tree.Root), JsonTextWriter.Indented(tree.Root));
            Assert.True(WithoutWhiteSpace(bytes).SequenceEqual(minified), name);
            Assert.True(WithoutWhiteSpace(indented).SequenceEqual(minified), name);
        }
    }

    [Fact]
    public async Task Lines_are_read_one_by_one_and_a_bad_one_stands_alone()
    {
        var text = "{\"a\":1}\r\n\n  \t\n{\"b\"\n" + new string(' ', 100) + "{\"long\":\"" + new string('x', 100) + "\"}\n{\"c\":3}";
        var found = new List<string>();
        await foreach (var line in NdjsonReader.ReadAsync(new SlowStream(Encoding.UTF8.GetBytes(text)), new JsonLimits(50, 8), TestContext.Current.CancellationToken))
        {
            found.Add(line.Value.TryGetValue(out var tree, out var issues) ? $"{line.Number} {tree.Root}" : $"{line.Number} {issues[0].Code} {issues[0].Position}");
        }

        Assert.Equal(["1 {\"a\":1}", "4 IOMT-0100 line 4, column 5", "5 IOMT-0103 line 5, column 1", "6 {\"c\":3}"], found);
    }

    [Fact]
    public async Task Every_line_of_the_definitions_is_read()
    {
        var path = FhirIomt.Tests.SharedData.Require("conformance/r4-definitions/search-parameters.ndjson.gz");
        await using var plain = new System.IO.Compression.GZipStream(File.OpenRead(path), System.IO.Compression.CompressionMode.Decompress);
        var count = 0;
        await foreach (var line in NdjsonReader.ReadAsync(plain, JsonLimits.Default, TestContext.Current.CancellationToken))
        {
            Assert.Equal("SearchParameter", line.Value.Require().Root["resourceType"u8].AsString());
            count++;
        }

        Assert.Equal(1400, count);
    }

    private static byte[] WithoutWhiteSpace(byte[] json)
    {
        var result = new List<byte>(json.Length);
        var inString = false;
        for (var index = 0; index < json.Length; index++)
        {
            var letter = json[index];
            if (inString && letter == (byte)'\\')
            {
                result.Add(letter);
                result.Add(json[++index]);
                continue;
            }

            inString ^= letter == (byte)'"';
            if (inString || letter is not ((byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n'))
            {
                result.Add(letter);
            }
        }

        return [.. result];
    }

    /// <summary>Gives seven bytes at a time, so that lines arrive in pieces.</summary>
    private sealed class SlowStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(7, buffer.Length)]);

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => await base.ReadAsync(buffer[..Math.Min(7, buffer.Length)], cancellationToken);
    }
}
