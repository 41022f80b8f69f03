using System.Net.Http.Headers;
using System.Text;

namespace FhirIomt.Server.Tests;

/// <summary>Nonsense in every place a sender can write to: no 5xx, and the server works on.</summary>
public sealed class FuzzTests(TestServer server, ITestOutputHelper output) : IClassFixture<TestServer>
{
    private static readonly string[] ContentTypes = ["application/json", "application/x-ndjson", "text/csv", "application/json; charset=utf-8", "application/JSON;;", "text/csv; header=absent", ""];

    private static readonly string[] Pieces =
    [
        "{", "}", "[", "]", "\"", ",", ":", "null", "true", "-", "1e400", "1e-400", "NaN", "Infinity", "\\u0000", "\\ud800", "\\udc00", "\u0000", "\uFEFF", "\n", "\r\n", "\r", "\t", "\"\"", "\"Body\":", "{\"Body\":{\"Body\":1}}",
        "9999-12-31T23:59:59.9999999Z", "0001-01-01T00:00:00Z", "2026-02-29T25:61:61Z", "-1", "1E+308", "00", "0x1", "'", ";", "|", "$", "\\", "%00", "😀", "é", "[[[[[[[[", "]]]]]]]]", "{\"a\":{\"a\":{\"a\":", "99999999999999999999999999999999", "0.00000000000000000000000000000000001",
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(20261121)]
    [InlineData(77)]
    public async Task Mutated_bodies_are_answered_and_the_server_works_on(int seed)
    {
        var random = new Random(seed);
        var (vendor, mapping) = (server.Name("vendor"), server.Name("create"));
        await server.AddMappingAsync(mapping, CreatingMapping.Device, CreatingMapping.Fhir, Devices.IdentityMode.Create);
        var credential = await server.AddVendorAsync(vendor);
        var (device, own, _, _) = await server.AddWornDeviceAsync(vendor);
        var counts = new SortedDictionary<int, int>();
        for (var round = 0; round < 1500; round++)
        {
            var body = Mutate(random, Seed(random, device));
            var (secret, with) = random.Next(3) switch { 0 => (own, "vitals"), 1 => (credential, mapping), _ => (credential, random.Next(2) == 0 ? "cgm-csv" : "vitals") };

            var answer = await server.PostAsync(secret, body, with, ContentTypes[random.Next(ContentTypes.Length)]);

            Assert.True(answer.Status is 200 or 400 or 413 or 415, $"seed {seed} round {round}: {answer.Status} {Convert.ToBase64String(body)}");
            counts[answer.Status] = counts.GetValueOrDefault(answer.Status) + 1;
            await AssertToldAgainAsync(answer, secret, random);
        }

        Assert.Equal("stored", (await server.PostAsync(own, ReceiptTests.HeartRate(device, "72", "2025-01-01T00:00:00Z"))).Only.Status);
        Assert.DoesNotContain("Request failed", server.LogText, StringComparison.Ordinal);
        output.WriteLine(string.Join(", ", counts.Select(count => $"{count.Key}: {count.Value}")));
    }

    [Fact]
    public async Task Odd_headers_are_answered()
    {
        var (device, credential, _, _) = await server.AddWornDeviceAsync();
        var odd = new[] { "", " ", "Bearer", "Bearer ", "bearer x", "Basic eDp5", "Bearer a b", "Bearer " + new string('x', 20_000), "Bearer \u00e9", "Bearer null", credential };
        foreach (var authorization in odd)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "devices/messages") { Content = new StringContent(ReceiptTests.HeartRate(device, "72"), Encoding.UTF8, "application/json") };
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
            using var response = await SendLatin1Async(request);
            Assert.True((int)response.StatusCode is 400 or 401, $"'{authorization[..Math.Min(20, authorization.Length)]}': {response.StatusCode}");
        }

        foreach (var query in new[] { "?mapping=", "?mapping=vitals&mapping=cgm", "?mapping=%00", "?mapping=" + new string('x', 4000), "?MAPPING=nothing", "?mapping=%F0%28%8C%28" })
        {
            var answer = await server.SendAsync(HttpMethod.Post, "devices/messages" + query, credential, new StringContent(ReceiptTests.HeartRate(device, "72"), Encoding.UTF8, "application/json"));
            Assert.True(answer.Status is 200 or 400, query);
        }

        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Put, HttpMethod.Delete, HttpMethod.Patch, HttpMethod.Options })
        {
            Assert.Equal(405, (await server.SendAsync(method, "devices/messages", credential, null)).Status);
        }
    }

    private async Task<HttpResponseMessage> SendLatin1Async(HttpRequestMessage request)
    {
        using var handler = new SocketsHttpHandler { RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1 };
        using var http = new HttpClient(handler) { BaseAddress = server.Http.BaseAddress };
        return await http.SendAsync(request);
    }

    private async Task AssertToldAgainAsync(Answer answer, string credential, Random random)
    {
        if (answer.Status == 200 && answer.Receipts is { Count: > 0 } receipts && random.Next(10) == 0)
        {
            var receipt = receipts[random.Next(receipts.Count)];
            Assert.Equal(receipt.Json.ToJsonString(), (await server.GetAsync($"devices/messages/{receipt.Id}", credential)).Json.ToJsonString());
        }
    }

    private static byte[] Seed(Random random, string device) => Encoding.UTF8.GetBytes(random.Next(5) switch
    {
        0 => ReceiptTests.HeartRate(device, "72"),
        1 => $"[{ReceiptTests.HeartRate(device, "72.50")},{{\"Body\":{ReceiptTests.HeartRate(device, "\"7\"")}}}]",
        2 => string.Join('\n', Enumerable.Range(0, 5).Select(i => ReceiptTests.HeartRate(device, $"{i}"))),
        3 => $"id,time,gl\n{device},2026-02-01 10:00:00,101\n\"{device}\",\"2026-02-01 10:05:00\",\"102\"\n",
        _ => CreatingMapping.Message("d" + random.Next(50), "p", more: ",\"note\":\"text\""),
    });

    private static byte[] Mutate(Random random, byte[] body)
    {
        var bytes = body.ToList();
        for (var times = random.Next(4); times >= 0; times--)
        {
            var at = random.Next(bytes.Count + 1);
            var length = Math.Min(random.Next(8), bytes.Count - at);
            switch (random.Next(5))
            {
                case 0:
                    bytes.RemoveRange(at, length);
                    break;
                case 1:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(Pieces[random.Next(Pieces.Length)]));
                    break;
                case 2:
                    bytes.RemoveRange(at, length);
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(Pieces[random.Next(Pieces.Length)]));
                    break;
                case 3 when at < bytes.Count:
                    bytes[at] = (byte)random.Next(256);
                    break;
                default:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(60), bytes.Count - at)));
                    break;
            }
        }

        return [.. bytes];
    }
}
