using System.Text;
using FhirIomt.Server.Devices;
using FhirIomt.Server.Devices.Quarantine;
using FhirIomt.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Server.Tests;

/// <summary>Messages that wait: nothing is lost, nothing is stored twice, and who sent them hears what became of them.</summary>
public sealed class QuarantineTests(TestServer server) : IClassFixture<TestServer>
{
    private static readonly QuarantineFilter All = new(null, null, null);

    private MessageQuarantine Quarantine => server.Services.GetRequiredService<MessageQuarantine>();

    [Fact]
    public async Task A_message_of_a_device_that_was_registered_later_is_replayed_and_its_receipt_says_so()
    {
        var vendor = server.Name("vendor");
        var credential = await server.AddVendorAsync(vendor, "vitals");
        var identifier = server.Name("late");
        var sent = (await server.PostAsync(credential, ReceiptTests.HeartRate(identifier, "72"))).Only;
        Assert.Equal("quarantined IOMT-0521", sent.Summary);

        var patient = await server.AddPatientAsync();
        await server.AddDeviceAsync(identifier, vendor, patient);
        var receipt = (await Quarantine.ReplayAsync(sent.Id, null, CancellationToken.None)).Require();

        Assert.Equal((MessageStatus.Stored, sent.Id), (receipt.Status, receipt.Id));
        Assert.Null(await Quarantine.FindAsync(sent.Id, CancellationToken.None));
        var told = (await server.GetAsync($"devices/messages/{sent.Id}", credential)).Json;
        Assert.Equal("stored", (string)told["status"]!);
        Assert.Equal(receipt.Observations[0], (string)told["observations"]![0]!);
        Assert.False((await Quarantine.ReplayAsync(sent.Id, null, CancellationToken.None)).Succeeded);
        Assert.Equal("duplicate", (await server.PostAsync(credential, ReceiptTests.HeartRate(identifier, "72"))).Only.Summary);
    }

    [Fact]
    public async Task A_replay_that_fails_again_waits_for_what_stands_in_its_way_now()
    {
        var vendor = server.Name("vendor");
        var credential = await server.AddVendorAsync(vendor, "vitals");
        var identifier = server.Name("nobodys");
        var sent = (await server.PostAsync(credential, ReceiptTests.HeartRate(identifier, "72"))).Only;
        await server.AddDeviceAsync(identifier, vendor);

        Assert.Equal(MessageStatus.Quarantined, (await Quarantine.ReplayAsync(sent.Id, null, CancellationToken.None)).Require().Status);
        Assert.Equal(["IOMT-0523"], (await Quarantine.FindAsync(sent.Id, CancellationToken.None))!.Codes);
    }

    [Fact]
    public async Task A_message_is_mended_and_the_one_that_came_stays_beside_it()
    {
        var (identifier, credential, _, _) = await server.AddWornDeviceAsync();
        var sent = (await server.PostAsync(credential, $$"""{"deviceId":"{{identifier}}","time":"yesterday","heartRate":72}""")).Only;
        Assert.Equal("quarantined", sent.Summary.Split(' ')[0]);

        (await Quarantine.MendAsync(sent.Id, Encoding.UTF8.GetBytes(ReceiptTests.HeartRate(identifier, "72")), "test", CancellationToken.None)).Require();
        var message = (await Quarantine.FindAsync(sent.Id, CancellationToken.None))!;
        Assert.Contains("yesterday", Encoding.UTF8.GetString(message.Original.Span), StringComparison.Ordinal);
        Assert.Equal(MessageStatus.Stored, (await Quarantine.ReplayAsync(sent.Id, null, CancellationToken.None)).Require().Status);
        Assert.False((await Quarantine.MendAsync(sent.Id, "{"u8.ToArray(), "test", CancellationToken.None)).Succeeded);
    }

    [Fact]
    public async Task A_discarded_message_is_gone_and_its_receipt_says_why()
    {
        var credential = await server.AddVendorAsync(null, "vitals");
        var sent = (await server.PostAsync(credential, ReceiptTests.HeartRate(server.Name("unknown"), "72"))).Only;
        Assert.False((await Quarantine.DiscardAsync(sent.Id, " ", "test", CancellationToken.None)).Succeeded);
        (await Quarantine.DiscardAsync(sent.Id, "a test bench", "test", CancellationToken.None)).Require();

        Assert.Null(await Quarantine.FindAsync(sent.Id, CancellationToken.None));
        var told = (await server.GetAsync($"devices/messages/{sent.Id}", credential)).Text;
        Assert.Contains("\"discarded\"", told, StringComparison.Ordinal);
        Assert.Contains("a test bench", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_of_a_sender_are_replayed_oldest_first_and_no_other_s()
    {
        var (vendor, other) = (server.Name("vendor"), server.Name("vendor"));
        var (credential, others) = (await server.AddVendorAsync(vendor, "vitals"), await server.AddVendorAsync(other, "vitals"));
        var identifier = server.Name("batch");
        var body = "[" + string.Join(',', Enumerable.Range(0, 1200).Select(second => $$"""{"deviceId":"{{identifier}}","time":"2026-02-01T10:{{second / 60:00}}:{{second % 60:00}}Z","heartRate":{{60 + (second % 40)}}}""")) + "]";
        Assert.All((await server.PostAsync(credential, body)).Receipts, receipt => Assert.Equal("quarantined IOMT-0521", receipt.Summary));
        await server.PostAsync(others, ReceiptTests.HeartRate(identifier, "72"));
        await server.AddDeviceAsync(identifier, vendor, await server.AddPatientAsync());

        Assert.Equal((1200, 1200), await Quarantine.ReplayAllAsync(new QuarantineFilter($"vendor/{vendor}", null, null), null, null, CancellationToken.None));
        Assert.Empty(await Quarantine.ListAsync(new QuarantineFilter($"vendor/{vendor}", null, null), 10, CancellationToken.None));
        Assert.Single(await Quarantine.ListAsync(new QuarantineFilter($"vendor/{other}", "IOMT-0521", "vitals"), 10, CancellationToken.None));
    }

    [Fact]
    public async Task Operators_see_the_quarantine_and_nobody_else_does()
    {
        var credential = await server.AddVendorAsync(null, "vitals");
        var sent = (await server.PostAsync(credential, ReceiptTests.HeartRate(server.Name("unknown"), "72"))).Only;
        foreach (var (token, status) in new[] { ((string?)null, 401), (credential, 401), (await server.TokenAsync(), 403) })
        {
            foreach (var path in (string[])["devices/quarantine", $"devices/quarantine/{sent.Id}"])
            {
                Assert.Equal(status, (await server.GetAsync(path, token)).Status);
            }

            Assert.Equal(status, (await server.SendAsync(HttpMethod.Post, $"devices/quarantine/{sent.Id}/replay", token, null)).Status);
            Assert.Equal(status, (await server.SendAsync(HttpMethod.Delete, $"devices/quarantine/{sent.Id}?reason=x", token, null)).Status);
        }

        var operatorToken = await server.TokenAsync("__operator");
        var list = await server.GetAsync("devices/quarantine?limit=1000", operatorToken);
        Assert.Contains(sent.Id, list.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("heartRate", list.Text, StringComparison.Ordinal);
        Assert.Contains("heartRate", (await server.GetAsync($"devices/quarantine/{sent.Id}", operatorToken)).Text, StringComparison.Ordinal);
        Assert.Equal(404, (await server.GetAsync("devices/quarantine/nothing-0", operatorToken)).Status);
        Assert.Equal("quarantined IOMT-0521", (await server.SendAsync(HttpMethod.Post, $"devices/quarantine/{sent.Id}/replay", operatorToken, null)).Only.Summary);
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Delete, $"devices/quarantine/{sent.Id}?reason=test", operatorToken, null)).Status);
        Assert.NotNull(All);
    }

    [Fact]
    public async Task A_full_quarantine_refuses_so_that_the_sender_keeps_the_message()
    {
        await using var small = new TestServer { Configure = options => options.Ingest.MaxQuarantined = 100 };
        await small.InitializeAsync();
        var credential = await small.AddVendorAsync(null, "vitals");
        var body = "[" + string.Join(',', Enumerable.Range(0, 150).Select(second => ReceiptTests.HeartRate($"unknown-{second}", "72"))) + "]";
        var receipts = (await small.PostAsync(credential, body)).Receipts;

        Assert.Equal((100, 50), (receipts.Count(receipt => receipt.Summary == "quarantined IOMT-0521"), receipts.Count(receipt => receipt.Summary.StartsWith("refused", StringComparison.Ordinal))));
        Assert.Contains("IOMT-0590", receipts[149].Summary, StringComparison.Ordinal);
        Assert.Equal(100, await small.Services.GetRequiredService<IStore>().CountRecordsAsync(RecordKind.Quarantine, CancellationToken.None));
    }
}
