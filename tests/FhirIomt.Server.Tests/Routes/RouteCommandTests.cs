using System.Text.Json.Nodes;

namespace FhirIomt.Server.Tests.Routes;

/// <summary><c>fhiriomt route</c> and <c>vendor add --route-group</c>, on a store and beside a running server.</summary>
public sealed class RouteCommandTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("fhiriomt-route-").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Fact]
    public async Task Routes_are_set_listed_and_removed()
    {
        await RunAsync("vendor", "add", "cloud", "--route-group", "scales", "--priority", "20");
        await RunAsync("vendor", "add", "relay");
        var device = (string)(await RunAsync("device", "add", "--identifier", "urn:a|SN-1")).LastLine()["device"]!;
        Assert.Equal("""{"route":"vendor/relay","group":"scales","priority":0}""", (await RunAsync("route", "set", "vendor/relay", "--group", "scales")).LastLine().ToJsonString());
        Assert.Equal(device.Replace("Device/", "device/", StringComparison.Ordinal), (string)(await RunAsync("route", "set", device, "--group", "home", "--priority", "-3")).LastLine()["route"]!);
        await RunAsync("route", "set", "mapping/apple-health", "--group", "scales", "--priority", "10");

        Assert.Equal(["home -3", "scales 20", "scales 10", "scales 0"], (await ListAsync()).Select(route => $"{route["group"]} {route["priority"]}"));
        Assert.Equal(0, (await RunAsync("route", "remove", device)).ExitCode);
        Assert.Equal(["vendor/cloud", "mapping/apple-health", "vendor/relay"], (await ListAsync()).Select(route => (string)route["route"]!));
    }

    [Theory]
    [InlineData("IOMT-0548", "route", "set", "acme", "--group", "g")]
    [InlineData("IOMT-0548", "route", "set", "mapping/vitals", "--group", "a group")]
    [InlineData("IOMT-0552", "route", "set", "vendor/nobody", "--group", "g")]
    [InlineData("IOMT-0591", "route", "set", "device/nothing", "--group", "g")]
    [InlineData("IOMT-0531", "route", "set", "mapping/nothing", "--group", "g")]
    [InlineData("IOMT-0558", "route", "remove", "vendor/nobody")]
    [InlineData("IOMT-0548", "vendor", "add", "acme", "--priority", "3")]
    public async Task Mistakes_are_told_and_change_nothing(string code, params string[] arguments)
    {
        var result = await RunAsync(arguments);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(code, result.Errors, StringComparison.Ordinal);
        Assert.Empty(await ListAsync());
    }

    private async Task<IReadOnlyList<JsonNode>> ListAsync() =>
        [.. (await RunAsync("route", "list")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];

    private Task<CommandResult> RunAsync(params string[] arguments) => ChildProcess.RunAsync([.. arguments, "--data", _data]);
}
