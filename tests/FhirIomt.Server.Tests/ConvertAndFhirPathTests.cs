namespace FhirIomt.Server.Tests;

/// <summary>convert and fhirpath as scripts use them: files, output, exit codes.</summary>
public sealed class ConvertAndFhirPathTests : IDisposable
{
    private const string Json = """{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.50}}""";
    private readonly string _folder = Directory.CreateTempSubdirectory("fhiriomt-convert-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_resource_goes_to_xml_and_back()
    {
        var xml = await ChildProcess.RunAsync("convert", Write("o.json", Json), "--to", "xml");
        Assert.Equal(0, xml.ExitCode);
        Assert.Contains("<value value=\"1.50\"/>", xml.Output, StringComparison.Ordinal);
        var json = await ChildProcess.RunAsync("convert", Write("o.xml", xml.Output), "--to", "json");
        Assert.Equal(Json, json.Output.Trim());
        var pretty = await ChildProcess.RunAsync("convert", Write("o.json", Json), "--to", "json", "--pretty");
        Assert.Contains("\n  \"status\": \"final\"", pretty.Output.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<Patient xmlns=\"http://hl7.org/fhir\">\n <x/>\n <y/>\n</Patient>", "json", 1, ":3:3: error IOMT-0115")]
    [InlineData("{\"resourceType\":\"Patient\",\n\"x\":1}", "xml", 1, ":2:5: error IOMT-0132")]
    [InlineData("{", "json", 1, ":1:2: fatal IOMT-0100")]
    [InlineData("{}", "yaml", 2, "--to")]
    public async Task What_cannot_be_converted_says_where(string text, string format, int code, string expected)
    {
        var result = await ChildProcess.RunAsync("convert", Write("bad.txt", text), "--to", format);
        Assert.Equal(code, result.ExitCode);
        Assert.Contains(expected, result.Errors, StringComparison.Ordinal);
        Assert.Equal("", result.Output);
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_another_exit_code() =>
        Assert.Equal(2, (await ChildProcess.RunAsync("convert", Path.Combine(_folder, "none"), "--to", "xml")).ExitCode);

    [Theory]
    [InlineData("value.value", """[{"type":"decimal","value":1.50}]""", 0)]
    [InlineData("status | code.text", """[{"type":"code","value":"final"},{"type":"string","value":"x"}]""", 0)]
    [InlineData("code", """[{"type":"CodeableConcept","value":{"text":"x"}}]""", 0)]
    [InlineData("code..x", "", 1)]
    public async Task An_expression_is_answered_as_json(string expression, string expected, int code)
    {
        var result = await ChildProcess.RunAsync("fhirpath", expression, Write("o.json", Json));
        Assert.Equal(expected, result.Output.Trim());
        Assert.Equal(code, result.ExitCode);
    }

    [Fact]
    public async Task Xml_with_faults_is_looked_at_and_the_faults_are_named()
    {
        var file = Write("o.xml", "<Observation xmlns=\"http://hl7.org/fhir\"><status value=\"final\"/><id value=\"a\"/></Observation>");
        var result = await ChildProcess.RunAsync("fhirpath", "id", file);
        Assert.Equal("""[{"type":"id","value":"a"}]""", result.Output.Trim());
        Assert.Contains("IOMT-0117", result.Errors, StringComparison.Ordinal);
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(1, (await ChildProcess.RunAsync("convert", file, "--to", "json")).ExitCode);
    }

    [Fact]
    public async Task A_batch_answers_line_by_line_with_files_beside_it()
    {
        Write("o.json", Json);
        var batch = Write("batch.ndjson", """
            {"id":1,"expression":"status","file":"o.json"}
            {"id":"b","expression":"1 + 1","resource":{"resourceType":"Patient"}}

            {"id":3,"expression":"nothing(","file":"o.json"}
            {"id":4,"expression":"id","file":"none.json"}
            not json
            {"id":5,"expression":"status.given1","file":"o.json"}
            """);
        var result = await ChildProcess.RunAsync("fhirpath", "--batch", batch);
        Assert.Equal(0, result.ExitCode);
        var lines = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Assert.Equal("""{"id":1,"result":[{"type":"code","value":"final"}]}""", lines[0]);
        Assert.Equal("""{"id":"b","result":[{"type":"integer","value":2}]}""", lines[1]);
        Assert.StartsWith("""{"id":3,"error":"IOMT-0300""", lines[2], StringComparison.Ordinal);
        Assert.StartsWith("""{"id":4,"error":"IOMT-0310""", lines[3], StringComparison.Ordinal);
        Assert.StartsWith("""{"id":null,"error":"IOMT-0100""", lines[4], StringComparison.Ordinal);
        Assert.Equal("""{"id":5,"result":[]}""", lines[5]);
        var strict = await ChildProcess.RunAsync("fhirpath", "--batch", batch, "--strict");
        Assert.Contains("""{"id":5,"error":"IOMT-0309""", strict.Output, StringComparison.Ordinal);
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
