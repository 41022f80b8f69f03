using System.Text.Json;

namespace FhirIomt.Server.Tests;

/// <summary>validate as people and scripts use it: files, packages, output, exit codes.</summary>
public sealed class ValidateTests : IDisposable
{
    private const string Good = """{"resourceType":"Patient","gender":"female"}""";
    private const string Bad = "{\"resourceType\":\"Patient\",\n \"gender\":\"f\"}";
    private const string Profile = """
        {"resourceType":"StructureDefinition","url":"http://example.org/p","name":"P","status":"active","kind":"resource","abstract":false,"type":"Patient",
        "baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","derivation":"constraint","differential":{"element":[{"id":"Patient.birthDate","path":"Patient.birthDate","min":1}]}}
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("fhiriomt-validate-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_person_sees_the_line_and_how_to_mend_it()
    {
        var result = await ChildProcess.RunAsync("validate", Write("good.json", Good), Write("bad.json", Bad));
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("2:11 error IOMT-0223 Patient.gender", result.Output, StringComparison.Ordinal);
        Assert.Contains("|  \"gender\":\"f\"}", result.Output, StringComparison.Ordinal);
        Assert.Contains("Use a code of the value set.", result.Output, StringComparison.Ordinal);
        Assert.Contains("1 valid, 1 invalid", result.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await ChildProcess.RunAsync("validate", Path.Combine(_folder, "good.json"))).ExitCode);
    }

    [Fact]
    public async Task A_program_gets_one_line_of_json_for_each_resource()
    {
        Write("a.ndjson", Good + "\n\n" + Good.Replace("female", "f", StringComparison.Ordinal) + "\n{\n");
        Write("b.xml", "<Patient xmlns=\"http://hl7.org/fhir\">\n  <gender value=\"f\"/>\n</Patient>");
        var result = await ChildProcess.RunAsync("validate", _folder, "--format", "json");
        Assert.Equal(1, result.ExitCode);
        var lines = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.Equal(["a.ndjson:1", "a.ndjson:3", "a.ndjson:4", "b.xml"], lines.Select(line => Path.GetFileName(line.GetProperty("file").GetString())));
        Assert.Equal([true, false, false, false], lines.Select(line => line.GetProperty("valid").GetBoolean()));
        var issue = lines[3].GetProperty("issues")[0];
        Assert.Equal(("error", "IOMT-0223", "Patient.gender", 2), (issue.GetProperty("severity").GetString(), issue.GetProperty("code").GetString(), issue.GetProperty("expression").GetString(), issue.GetProperty("line").GetInt32()));
        Assert.All((string[])["column", "message", "fix"], name => Assert.True(issue.TryGetProperty(name, out _)));
    }

    [Fact]
    public async Task A_profile_is_given_by_its_url_and_found_in_the_files_named()
    {
        var (patient, profile) = (Write("good.json", Good), Write("profile.json", Profile));
        var result = await ChildProcess.RunAsync("validate", patient, "--profile", "http://example.org/p", "--package", profile);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("IOMT-0240", result.Output, StringComparison.Ordinal);
        Assert.Contains("Patient.birthDate", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("none.json")]
    [InlineData("good.json", "--profile", "http://example.org/unknown")]
    [InlineData("good.json", "--package", "good.tgz")]
    [InlineData("good.json", "--format", "yaml")]
    public async Task What_cannot_be_used_is_another_exit_code(params string[] arguments)
    {
        Write("good.json", Good);
        Write("good.tgz", "no package");
        var result = await ChildProcess.RunAsync(["validate", .. arguments.Select((argument, index) => index == 0 || argument.EndsWith(".tgz", StringComparison.Ordinal) ? Path.Combine(_folder, argument) : argument)]);
        Assert.Equal(2, result.ExitCode);
        Assert.NotEqual("", result.Errors);
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
