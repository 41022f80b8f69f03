using System.Text;
using System.Text.Json.Nodes;

namespace FhirIomt.Server.Tests;

/// <summary>A mapping of our own, from upload to the resources that it makes.</summary>
public sealed class OwnMappingTests(TestServer server) : IClassFixture<TestServer>
{
    [Fact]
    public async Task The_documented_mapping_stores_its_resources_once_however_often_a_message_is_sent()
    {
        var (name, vendor) = (server.Name("cuff"), server.Name("cuffs"));
        var mapping = Documented();
        Assert.Equal(200, (await PutAsync(name, mapping)).Status);
        var credential = await server.AddVendorAsync(vendor, name);
        await server.AddDeviceAsync("CUFF-1", vendor, await server.AddPatientAsync(), mapping: name);
        var message = "[" + JsonNode.Parse(mapping)!["samples"]![0]!.ToJsonString() + "]";

        var first = (await server.PostAsync(credential, message)).Only;
        var second = (await server.PostAsync(credential, message)).Only;

        Assert.Equal(("stored", "duplicate"), (first.Summary, second.Summary));
        Assert.Equal(first.Observations, second.Observations);
        Assert.Equal(["Observation", "Observation", "DeviceMetric", "Observation", "DeviceMetric", "Flag"], first.Observations.Select(reference => reference.Split('/')[0]));
        Assert.Equal(5, first.Observations.Distinct(StringComparer.Ordinal).Count());
        var token = await server.TokenAsync();
        var pressure = (await server.GetAsync($"fhir/{first.Observations[0]}", token)).Json;
        Assert.Equal(120, (int)pressure["component"]![0]!["valueQuantity"]!["value"]!);
        Assert.Equal("final", (string)pressure["status"]!);
    }

    [Fact]
    public async Task A_changed_value_of_the_same_moment_is_a_new_version()
    {
        var (name, vendor) = (server.Name("cuff"), server.Name("cuffs"));
        var mapping = Documented();
        await PutAsync(name, mapping);
        var credential = await server.AddVendorAsync(vendor, name);
        var serial = server.Name("CUFF");
        await server.AddDeviceAsync(serial, vendor, await server.AddPatientAsync(), mapping: name);
        string[] messages = ["""[{"serial":"CUFF-1","unit":"mm[Hg]","readings":[{"ts":1772348400,"sys":120,"dia":80}]}]""", """[{"serial":"CUFF-1","unit":"mm[Hg]","readings":[{"ts":1772348400,"sys":121,"dia":80}]}]"""];
        var stored = (await server.PostAsync(credential, messages[0].Replace("CUFF-1", serial, StringComparison.Ordinal))).Only;
        Assert.Equal("updated", (await server.PostAsync(credential, messages[1].Replace("CUFF-1", serial, StringComparison.Ordinal))).Only.Status);
        var now = (await server.GetAsync($"fhir/{stored.Observations[0]}", await server.TokenAsync())).Json;
        Assert.Equal(("amended", 121), ((string)now["status"]!, (int)now["component"]![0]!["valueQuantity"]!["value"]!));
    }

    [Fact]
    public async Task A_mapping_whose_own_sample_does_not_meet_its_profile_is_refused()
    {
        var broken = Documented().Replace("\"code\": \"150021\"", "\"code\": \"1\"", StringComparison.Ordinal);
        var answer = await PutAsync(server.Name("cuff"), broken);
        Assert.Equal(422, answer.Status);
        Assert.All(answer.Codes, code => Assert.Equal("IOMT-0451", code));
    }

    [Fact]
    public async Task Trying_a_mapping_shows_every_step_with_its_place()
    {
        var folder = Directory.CreateTempSubdirectory("fhiriomt-try-").FullName;
        var (mapping, sample) = (Path.Combine(folder, "cuff.json"), Path.Combine(folder, "sample.json"));
        await File.WriteAllTextAsync(mapping, Documented());
        await File.WriteAllTextAsync(sample, JsonNode.Parse(Documented())!["samples"]![0]!.ToJsonString());

        var tried = await ChildProcess.RunAsync("mapping", "try", mapping, sample, "--json");
        Assert.True(tried.ExitCode == 0, tried.Output + tried.Errors);
        var steps = JsonNode.Parse(tried.Output)!.AsArray();
        Assert.Equal(["blood-pressure", "battery-low"], steps.Select(step => (string)step!["name"]!));
        var match = steps[0]!["matches"]![0]!;
        Assert.StartsWith(sample + ":1:", (string)match["at"]!, StringComparison.Ordinal);
        Assert.Equal("\"CUFF-1\"", (string)match["steps"]![0]!["value"]!);
        Assert.Equal("Observation", (string)match["resources"]![0]!["resource"]!["resourceType"]!);
        var linted = await ChildProcess.RunAsync("mapping", "lint", mapping, "--json");
        Assert.Equal((0, "[]"), (linted.ExitCode, linted.Output.Trim()));

        await File.WriteAllTextAsync(mapping, Documented().Replace("\"unit\": \"mm[Hg]\" }", "\"unit\": \"/min\" }", StringComparison.Ordinal));
        var wrong = await ChildProcess.RunAsync("mapping", "lint", mapping);
        Assert.Equal(1, wrong.ExitCode);
        Assert.Contains("IOMT-0461", wrong.Output, StringComparison.Ordinal);
        await File.WriteAllTextAsync(mapping, "{\"templateType\":\"FhirIomt\",\n\"rules\":[{\"name\":\"r\"}]}");
        var refused = await ChildProcess.RunAsync("mapping", "try", mapping, sample);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains($"{mapping}:2:10: error IOMT-0404", refused.Errors, StringComparison.Ordinal);
        Assert.Equal(2, (await ChildProcess.RunAsync("mapping", "try", mapping, Path.Combine(folder, "none.json"))).ExitCode);
        Directory.Delete(folder, recursive: true);
    }

    private async Task<Answer> PutAsync(string name, string mapping)
    {
        using var content = new StringContent(mapping, Encoding.UTF8, "application/json");
        return await server.SendAsync(HttpMethod.Put, "devices/mappings/" + name, await server.TokenAsync("__operator"), content);
    }

    // The example of docs/mapping.md.
    private static string Documented()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "FhirIomt.sln")))
            {
                var page = File.ReadAllText(Path.Combine(directory.FullName, "docs", "mapping.md"));
                var start = page.IndexOf("```json\n", StringComparison.Ordinal) + "```json\n".Length;
                return page[start..page.IndexOf("```", start, StringComparison.Ordinal)];
            }
        }

        throw new InvalidOperationException("docs/mapping.md is not above the test.");
    }
}
