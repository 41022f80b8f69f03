using System.Text;
using FhirIomt.Mapping;

namespace FhirIomt.Server.Tests;

/// <summary>What comes with the server, through the server: every sample of every built-in mapping is stored, and stored once.</summary>
public sealed class BuiltInMappingTests(TestServer server) : IClassFixture<TestServer>
{
    public static TheoryData<string> Mappings => [.. BuiltInMappings.All.Where(mapping => mapping.Set.Samples.Count > 0).Select(mapping => mapping.Name)];

    [Theory]
    [MemberData(nameof(Mappings))]
    public async Task Every_sample_is_stored_and_sent_again_it_changes_nothing(string name)
    {
        var samples = BuiltInMappings.All.Single(mapping => mapping.Name == name).Set.Samples.Select(sample => Encoding.UTF8.GetString(sample.Span)).ToList();
        var (_, credential, _, _) = await server.AddWornDeviceAsync(mapping: name);
        foreach (var status in (string[])["stored", "duplicate"])
        {
            foreach (var sample in samples)
            {
                var receipt = (await server.PostAsync(credential, sample)).Only;
                Assert.True(receipt.Status == status, $"{receipt.Json.ToJsonString()} of {sample}");
            }
        }
    }

    [Fact]
    public async Task A_cancelled_fall_closes_the_flag_that_it_raised()
    {
        var (_, credential, patient, _) = await server.AddWornDeviceAsync(mapping: "fall-detector");
        const string Fall = """{"event":"fall","eventId":"f-1","time":"2026-03-14T07:41:12+01:00"}""";
        Assert.Equal("stored", (await server.PostAsync(credential, Fall)).Only.Summary);
        Assert.Equal("updated", (await server.PostAsync(credential, Fall.Replace("}", ",\"cancelledAt\":\"2026-03-14T07:41:40+01:00\"}", StringComparison.Ordinal))).Only.Summary);
        var token = await server.TokenAsync();
        var flag = (await server.GetAsync($"fhir/Flag?patient={patient}", token)).Json["entry"]!.AsArray();
        Assert.Equal("inactive", (string)Assert.Single(flag)!["resource"]!["status"]!);
        var fall = (await server.GetAsync($"fhir/Observation?patient={patient}&code=8519681", token)).Json["entry"]!.AsArray();
        Assert.Equal(("amended", false), ((string)Assert.Single(fall)!["resource"]!["status"]!, (bool)fall[0]!["resource"]!["valueBoolean"]!));
        Assert.Equal("not-done", (string)(await server.GetAsync($"fhir/Communication?patient={patient}", token)).Json["entry"]![0]!["resource"]!["status"]!);
    }
}
