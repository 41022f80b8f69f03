using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace FhirIomt.Server.Tests;

/// <summary>What --demo prints works as printed, also after a restart.</summary>
public sealed partial class DemoTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("fhiriomt-demo-").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Fact]
    public async Task The_printed_lines_work_and_the_demo_survives_a_restart()
    {
        string first;
        await using (var server = await ChildProcess.ServeAsync(_data, "--demo"))
        {
            first = await TryAsync(server);
            await server.KillAsync();
        }

        await using var again = await ChildProcess.ServeAsync(_data, "--demo");
        Assert.Equal(first, await TryAsync(again));
    }

    [Fact]
    public async Task The_demo_EHR_refuses_a_launch_that_is_no_form()
    {
        await using var server = await ChildProcess.ServeAsync(_data, "--demo");
        await server.WaitForOutputAsync("/devices/messages\"");
        using var http = new HttpClient();
        async Task<int> PostAsync(HttpContent content) => (int)(await http.PostAsync(new Uri($"{server.Base}/apps/ehr/launch"), content)).StatusCode;
        Assert.Equal(415, await PostAsync(new StringContent("{}", System.Text.Encoding.UTF8, "application/json")));
        Assert.Equal(415, await PostAsync(new StringContent("no parts", new MediaTypeHeaderValue("multipart/form-data") { Parameters = { new NameValueHeaderValue("boundary", "x") } })));
        Assert.Equal(400, await PostAsync(new FormUrlEncodedContent(Enumerable.Range(0, 2000).Select(number => KeyValuePair.Create($"field{number}", "x")))));
        Assert.Equal(404, await PostAsync(new FormUrlEncodedContent([KeyValuePair.Create("patient", "nobody")])));
    }

    /// <summary>Does what the lines say; answers the ids of the patients.</summary>
    private static async Task<string> TryAsync(ChildProcess server)
    {
        var text = await server.WaitForOutputAsync("/devices/messages\"");
        var token = Token().Match(text).Groups[1].Value;
        using var http = new HttpClient();
        var curls = Curl().Matches(text).Select(match => match.Value).ToList();
        Assert.Equal(3, curls.Count);
        var bodies = new List<Answer>();
        foreach (var curl in curls)
        {
            bodies.Add(await RunAsync(http, curl, token));
        }

        Assert.Equal(3, bodies[1].Json["entry"]!.AsArray().Count);
        Assert.Equal("Bundle", (string)bodies[0].Json["resourceType"]!);
        Assert.Contains(bodies[2].Only.Status, new[] { "stored", "updated", "duplicate" });
        Assert.Equal("duplicate", (await RunAsync(http, curls[2], token)).Only.Status);
        var command = Command().Match(text);
        var fresh = await ChildProcess.RunAsync("client", "token", "--client-id", command.Groups[1].Value, "--key", command.Groups[2].Value, "--scopes", command.Groups[3].Value, "--server", command.Groups[4].Value);
        Assert.Equal(0, fresh.ExitCode);
        await WaitForReadingsAsync(http, curls[0], fresh.Output.Trim());
        return string.Join(' ', bodies[1].Json["entry"]!.AsArray().Select(entry => (string)entry!["resource"]!["id"]!).Order(StringComparer.Ordinal));
    }

    private static async Task WaitForReadingsAsync(HttpClient http, string curl, string token)
    {
        while ((await RunAsync(http, curl, token)).Json["entry"]?.AsArray().Count is not 3)
        {
            await Task.Delay(100);
        }
    }

    private static async Task<Answer> RunAsync(HttpClient http, string curl, string token)
    {
        var data = Data().Match(curl);
        using var request = new HttpRequestMessage(data.Success ? HttpMethod.Post : HttpMethod.Get, Address().Match(curl).Groups[1].Value);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Bearer().Match(curl).Groups[1].Value.Replace("$TOKEN", token, StringComparison.Ordinal));
        request.Content = data.Success ? new StringContent(data.Groups[1].Value, null, "application/json") : null;
        using var response = await http.SendAsync(request);
        Assert.True(response.IsSuccessStatusCode, curl);
        return new Answer((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    [GeneratedRegex(@"^\s*TOKEN=([^$\s]+)", RegexOptions.Multiline, 1000)]
    private static partial Regex Token();

    [GeneratedRegex(@"^\s*curl .*$", RegexOptions.Multiline, 1000)]
    private static partial Regex Curl();

    [GeneratedRegex("""Bearer ([^"]+)""", RegexOptions.None, 1000)]
    private static partial Regex Bearer();

    [GeneratedRegex("""-d '([^']+)'""", RegexOptions.None, 1000)]
    private static partial Regex Data();

    [GeneratedRegex("""(http://127[^"]+)"\s*$""", RegexOptions.None, 1000)]
    private static partial Regex Address();

    [GeneratedRegex(@"client token --client-id (\S+) --key '([^']+)' --scopes '([^']+)' --server (\S+?)\)", RegexOptions.None, 1000)]
    private static partial Regex Command();
}
