using FhirIomt.Tests;

namespace FhirIomt.Server.Tests;

/// <summary>Secrets of commands need not stand on a command line, which other users of the machine can read.</summary>
public sealed class SecretTests(TestServer server) : IClassFixture<TestServer>, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fhiriomt-secret-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_credential_comes_from_the_environment_or_from_standard_input()
    {
        var (identifier, credential, _, _) = await server.AddWornDeviceAsync();
        string[] arguments = ["ingest", await FileAsync(identifier), "--mapping", "vitals", "--server", server.Http.BaseAddress!.ToString()];

        Assert.Equal((0, "1 stored"), Told(await ChildProcess.RunAsync(Environment(credential), arguments)));
        Assert.Equal((0, "1 duplicate"), Told(await ChildProcess.RunWithInputAsync(credential + "\n", null, [.. arguments, "--credential-stdin"])));

        // What is said on the command line counts before the environment.
        Assert.Equal((0, "1 duplicate"), Told(await ChildProcess.RunWithInputAsync(credential, Environment("another"), [.. arguments, "--credential-stdin"])));
        Assert.Equal((0, "1 duplicate"), Told(await ChildProcess.RunAsync(Environment("another"), [.. arguments, "--credential", credential])));
        Assert.Equal(2, (await ChildProcess.RunAsync(Environment("another"), arguments)).ExitCode);
    }

    [Fact]
    public async Task Without_a_secret_the_command_says_how_to_give_one()
    {
        var file = await FileAsync("watch");
        foreach (var (more, said) in new (string[] More, string Said)[]
        {
            ([], "FHIRIOMT_CREDENTIAL"),
            (["--credential-stdin"], "first line of standard input is empty"),
            (["--credential", "x", "--credential-stdin"], "exclude each other"),
        })
        {
            var result = await ChildProcess.RunAsync(Environment(""), ["ingest", file, "--mapping", "vitals", "--server", "http://127.0.0.1:9", .. more]);
            Assert.Equal(2, result.ExitCode);
            Assert.Contains("IOMT-0549", result.Errors, StringComparison.Ordinal);
            Assert.Contains(said, result.Errors, StringComparison.Ordinal);
        }

        var copy = await ChildProcess.RunAsync("copy", "--data", _folder);
        Assert.Equal(1, copy.ExitCode);
        Assert.Contains("FHIRIOMT_TO_POSTGRES", copy.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_is_copied_to_where_the_environment_says()
    {
        var target = PostgresCluster.NewSchema();
        Assert.Equal(0, (await ChildProcess.RunAsync("vendor", "add", "acme", "--data", _folder)).ExitCode);

        var copied = await ChildProcess.RunAsync(new Dictionary<string, string>(StringComparer.Ordinal) { ["FHIRIOMT_TO_POSTGRES"] = target }, "copy", "--data", _folder);

        Assert.True(copied.ExitCode == 0, copied.Errors);
        var again = await ChildProcess.RunAsync(new Dictionary<string, string>(StringComparer.Ordinal) { ["FHIRIOMT_POSTGRES"] = target }, "vendor", "add", "acme");
        Assert.Contains("IOMT-0551", again.Errors, StringComparison.Ordinal);
    }

    private static Dictionary<string, string> Environment(string credential) => new(StringComparer.Ordinal) { ["FHIRIOMT_CREDENTIAL"] = credential };

    private static (int, string) Told(CommandResult result) => (result.ExitCode, (result.Output + result.Errors).Trim());

    private async Task<string> FileAsync(string identifier)
    {
        var path = Path.Combine(_folder, "readings.ndjson");
        await File.WriteAllTextAsync(path, ReceiptTests.HeartRate(identifier, "72") + "\n");
        return path;
    }
}
