using System.Text;

namespace FhirIomt.Server.Tests;

/// <summary>Everything that can grow has a limit, and the limit is told.</summary>
public sealed class LimitTests
{
    [Fact]
    public async Task A_body_beyond_the_limit_is_a_413_and_a_body_at_the_limit_is_not()
    {
        await using var server = new TestServer { Configure = options => options.Ingest.MaxBodyBytes = 4096 };
        await server.InitializeAsync();
        var (device, credential, _, _) = await server.AddWornDeviceAsync();
        var reading = ReceiptTests.HeartRate(device, "72");

        Assert.Equal("stored", (await server.PostAsync(credential, reading.PadRight(4096))).Only.Status);
        Assert.Equal(413, (await server.PostAsync(credential, reading.PadRight(4097))).Status);
        Assert.Equal("duplicate", (await ChunkedAsync(server, credential, reading.PadRight(4096))).Only.Status);
    }

    [Fact]
    public async Task A_body_of_untold_length_beyond_the_limit_is_a_413()
    {
        await using var server = new TestServer { Configure = options => options.Ingest.MaxBodyBytes = 4096 };
        await server.InitializeAsync();
        var (device, credential, _, _) = await server.AddWornDeviceAsync();

        Assert.Equal(413, (await ChunkedAsync(server, credential, ReceiptTests.HeartRate(device, "72").PadRight(4097))).Status);
    }

    [Fact]
    public async Task A_body_of_a_hundred_megabytes_is_a_413_and_the_server_works_on()
    {
        await using var server = new TestServer();
        await server.InitializeAsync();
        var (device, credential, _, _) = await server.AddWornDeviceAsync();
        var body = new byte[100 * 1024 * 1024];
        Array.Fill(body, (byte)' ');

        try
        {
            Assert.Equal(413, (await server.PostAsync(credential, body)).Status);
        }
        catch (HttpRequestException)
        {
            // The server may close the connection while the body is still on its way.
        }

        Assert.Equal("stored", (await server.PostAsync(credential, ReceiptTests.HeartRate(device, "72"))).Only.Status);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/x-ndjson")]
    [InlineData("text/csv")]
    public async Task Too_many_messages_are_refused_whole_and_as_many_as_allowed_are_taken(string contentType)
    {
        await using var server = new TestServer { Configure = options => options.Ingest.MaxMessages = 20 };
        await server.InitializeAsync();
        var (device, credential, _, _) = await server.AddWornDeviceAsync(mapping: "cgm-csv");
        string Body(int count)
        {
            var times = Enumerable.Range(0, count).Select(i => $"2026-02-01 10:{i:00}:00");
            var objects = times.Select(time => $$"""{"id":"{{device}}","time":"{{time}}","gl":"100"}""");
            return contentType switch
            {
                "application/json" => "[" + string.Join(',', objects) + "]",
                "text/csv" => "id,time,gl\n" + string.Join('\n', times.Select(time => $"{device},{time},100")),
                _ => string.Join('\n', objects),
            };
        }

        var refused = await server.PostAsync(credential, Body(21), contentType: contentType);
        var taken = await server.PostAsync(credential, Body(20), contentType: contentType);

        Assert.Equal(400, refused.Status);
        Assert.Contains("20", (string)refused.Json["issues"]![0]!["message"]! + (string?)refused.Json["issues"]![0]!["fix"], StringComparison.Ordinal);
        Assert.All(taken.Receipts, receipt => Assert.Equal("stored", receipt.Status));
    }

    private static async Task<Answer> ChunkedAsync(TestServer server, string credential, string body)
    {
        var content = new StreamContent(new Endless(Encoding.UTF8.GetBytes(body)));
        content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        return await server.SendAsync(HttpMethod.Post, "devices/messages", credential, content);
    }

    // A stream that does not tell its length: sent in chunks.
    private sealed class Endless(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
