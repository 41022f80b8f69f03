using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace FhirIomt.Server.Tests;

/// <summary>Power cuts: what was acknowledged is there, exactly once.</summary>
public sealed class KillTests(ITestOutputHelper output) : IDisposable
{
    private const int Cuts = 4;
    private const int Workers = 4;
    private const int BatchSize = 100;

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly string _data = Directory.CreateTempSubdirectory("fhiriomt-kill-").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Fact]
    public async Task Every_acknowledged_reading_survives_kill_9_exactly_once()
    {
        var (credential, token) = await PrepareAsync();
        var acknowledged = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        var next = 0;
        for (var cut = 0; cut < Cuts; cut++)
        {
            await using (var server = await ChildProcess.ServeAsync(_data))
            {
                var before = acknowledged.Count;
                var pushing = Enumerable.Range(0, Workers).Select(_ => PushAsync(server, credential, () => Interlocked.Increment(ref next), acknowledged)).ToArray();

                // In the middle: some are acknowledged, and every worker has one under way.
                while (acknowledged.Count < before + ((cut + 1) * 7 * BatchSize))
                {
                    Assert.All(pushing, worker => Assert.False(worker.IsCompleted, worker.Exception?.ToString() ?? server.Errors));
                    await Task.Delay(1);
                }

                await server.KillAsync();
                await Task.WhenAll(pushing);
            }

            await using var again = await ChildProcess.ServeAsync(_data);
            await CompareAsync(again, token, acknowledged);
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Cuts} cuts, {acknowledged.Count} readings acknowledged, {next * BatchSize} sent"));
    }

    private async Task<(string Credential, string Token)> PrepareAsync()
    {
        await using var server = new TestServer { Configure = options => options.Data = _data };
        await server.InitializeAsync();
        var patient = await server.AddPatientAsync();
        var (_, credential) = await server.AddDeviceAsync("d", patient: patient);
        return (credential, await server.TokenAsync("system/Observation.rs"));
    }

    // The same batch twice in a row now and then: what is a duplicate must have been durable too.
    private static async Task PushAsync(ChildProcess server, string credential, Func<int> next, ConcurrentDictionary<string, string> acknowledged)
    {
        using var http = new HttpClient();
        while (true)
        {
            var batch = next() - 1;
            var times = Enumerable.Range(batch * BatchSize, BatchSize).Select(i => Start.AddSeconds(i / 2).AddMilliseconds(i % 2 * 500)).ToList();
            var body = string.Join('\n', times.Select(time => ReceiptTests.HeartRate("d", "72", Iso(time))));
            for (var repeat = 0; repeat < 1 + (batch % 2); repeat++)
            {
                if (await SendAsync(http, server, credential, body) is not { } receipts)
                {
                    return;
                }

                foreach (var (receipt, time) in receipts.Zip(times))
                {
                    Assert.Contains(receipt.Status, new[] { "stored", "duplicate" });
                    Assert.Equal(receipt.Observations[0], acknowledged.GetOrAdd(Iso(time), receipt.Observations[0]));
                }
            }
        }
    }

    private static async Task<IReadOnlyList<Receipt>?> SendAsync(HttpClient http, ChildProcess server, string credential, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, server.Base + "/devices/messages") { Content = new StringContent(body, null, "application/x-ndjson") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", credential);
        try
        {
            using var response = await http.SendAsync(request);
            return new Answer((int)response.StatusCode, await response.Content.ReadAsStringAsync()).Receipts;
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return null;
        }
    }

    private static async Task CompareAsync(ChildProcess server, string token, ConcurrentDictionary<string, string> acknowledged)
    {
        using var http = new HttpClient();
        var stored = new Dictionary<string, string>(StringComparer.Ordinal);
        await foreach (var resource in FhirSearch.AllAsync(http, server.Base + "/", "Observation?code=8867-4&_count=1000", token))
        {
            // Throws when a time is there twice.
            stored.Add((string)resource["effectiveDateTime"]!, "Observation/" + (string)resource["id"]!);
        }

        Assert.DoesNotContain(acknowledged, pair => stored.GetValueOrDefault(pair.Key) != pair.Value);
    }

    private static string Iso(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFF'Z'", CultureInfo.InvariantCulture);
}
