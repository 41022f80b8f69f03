using System.Buffers;
using System.Text;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Json;
using FhirIomt.Ingest;
using FhirIomt.Mapping;
using FhirIomt.Server.Devices;
using FhirIomt.Server.Devices.Quarantine;
using FhirIomt.Server.Devices.Streaming;
using FhirIomt.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Server.Tests;

/// <summary>Messages of several senders that go through the pipeline together: they share a commit and nothing else.</summary>
public sealed class PassageTests(TestServer server) : IClassFixture<TestServer>
{
    private IStore Store => server.Services.GetRequiredService<IStore>();

    private MessageQuarantine Quarantine => server.Services.GetRequiredService<MessageQuarantine>();

    [Fact]
    public async Task Each_sender_has_its_own_rights_and_its_own_receipt()
    {
        var (one, oneCredential, _, oneId) = await server.AddWornDeviceAsync();
        var (two, twoCredential, _, twoId) = await server.AddWornDeviceAsync();
        var vendor = server.Name("vendor");
        var vendorCredential = await server.AddVendorAsync(vendor, "vitals");

        var receipts = await ProcessAsync((new Sender.Device(oneId, "vitals"), one), (new Sender.Device(twoId, "vitals"), one), (new Sender.Vendor(vendor, "vitals"), two), (new Sender.Device(twoId, "vitals"), two));

        Assert.Equal(["Stored ", "Refused IOMT-0520", "Quarantined IOMT-0521", "Stored "], receipts.Select(receipt => $"{receipt.Status} {string.Join(' ', receipt.Issues.Select(issue => issue.Code))}"));
        Assert.Equal([0, 1, 2, 3], receipts.Select(receipt => receipt.Index));
        Assert.Single(receipts.Select(receipt => receipt.Id.Split('-')[0]).Distinct(StringComparer.Ordinal));
        foreach (var (credential, own) in new (string, int[])[] { (oneCredential, [0]), (twoCredential, [1, 3]), (vendorCredential, [2]) })
        {
            for (var index = 0; index < receipts.Count; index++)
            {
                var told = await server.GetAsync($"devices/messages/{receipts[index].Id}", credential);
                Assert.Equal(own.Contains(index) ? 200 : 404, told.Status);
                Assert.True(told.Status == 404 || (string)told.Json["id"]! == receipts[index].Id);
                Assert.DoesNotContain("\"sender\"", told.Text, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task Each_sender_has_its_own_line_in_the_audit_and_all_of_them_one_record_of_receipts()
    {
        var devices = new List<(Sender Sender, string Identifier)>();
        for (var number = 0; number < 5; number++)
        {
            var (identifier, _, _, id) = await server.AddWornDeviceAsync();
            devices.Add((new Sender.Device(id, "vitals"), identifier));
        }

        var receipts = await ProcessAsync([.. devices]);

        var batch = receipts[0].Id.Split('-')[0];
        Assert.NotNull(await Store.FindRecordAsync(RecordKind.Receipt, $"{batch}-0", CancellationToken.None));
        var lines = (await Store.ReadAuditAsync(new AuditQuery(0, long.MaxValue, null, Descending: true, 100), CancellationToken.None)).Select(line => JsonTree.Parse(line.Body).Require().Root).Where(line => line["w"u8].AsString() == $"messages {batch}-0").ToList();
        Assert.Equal(devices.Select(device => device.Sender.Id).Order(StringComparer.Ordinal), lines.Select(line => line["s"u8].AsString()!).Order(StringComparer.Ordinal));
        Assert.All(lines, line => Assert.Equal(1, Count(line["p"u8])));
        Assert.All(lines, line => Assert.Equal(1, Count(line["v"u8])));
        Assert.Equal(5, lines.Select(line => line["x"u8].AsString()).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task A_message_that_waited_is_released_and_its_neighbours_receipts_stay()
    {
        var (one, oneCredential, _, oneId) = await server.AddWornDeviceAsync();
        var vendor = server.Name("vendor");
        var vendorCredential = await server.AddVendorAsync(vendor, "vitals");
        var late = server.Name("late");
        var receipts = await ProcessAsync((new Sender.Device(oneId, "vitals"), one), (new Sender.Vendor(vendor, "vitals"), late));
        await server.AddDeviceAsync(late, vendor, await server.AddPatientAsync());

        Assert.Equal(MessageStatus.Stored, (await Quarantine.ReplayAsync(receipts[1].Id, null, CancellationToken.None)).Require().Status);

        Assert.Equal("stored", (string)(await server.GetAsync($"devices/messages/{receipts[1].Id}", vendorCredential)).Json["status"]!);
        Assert.Equal(receipts[0].Observations[0], (string)(await server.GetAsync($"devices/messages/{receipts[0].Id}", oneCredential)).Json["observations"]![0]!);
        Assert.Equal(404, (await server.GetAsync($"devices/messages/{receipts[1].Id}", oneCredential)).Status);
    }

    [Fact]
    public async Task Receipts_of_a_passage_of_several_commits_are_found()
    {
        var (one, oneCredential, _, oneId) = await server.AddWornDeviceAsync();
        var (two, twoCredential, _, twoId) = await server.AddWornDeviceAsync();
        var requests = new List<IngestRequest>();
        foreach (var (sender, identifier, count) in new[] { ((Sender)new Sender.Device(oneId, "vitals"), one, 498), (new Sender.Device(twoId, "vitals"), two, 4) })
        {
            requests.Add(await RequestAsync(sender, string.Join(',', Enumerable.Range(0, count).Select(second => Reading(identifier, second)))));
        }

        var receipts = await server.Services.GetRequiredService<IngestPipeline>().ProcessAsync(requests, CancellationToken.None);

        Assert.Equal(502, receipts.Count(receipt => receipt.Status == MessageStatus.Stored));
        foreach (var index in (int[])[0, 497, 498, 499, 500, 501])
        {
            Assert.Equal(index < 498 ? 200 : 404, (await server.GetAsync($"devices/messages/{receipts[index].Id}", oneCredential)).Status);
            Assert.Equal(index < 498 ? 404 : 200, (await server.GetAsync($"devices/messages/{receipts[index].Id}", twoCredential)).Status);
        }
    }

    [Fact]
    public async Task A_message_at_which_the_server_fails_is_kept_and_those_it_came_with_are_stored()
    {
        var intake = server.Services.GetRequiredService<MessageIntake>();
        var mapping = await MappingAsync();
        var broken = mapping with { Set = new FaultyMapper(mapping.Set) };
        var (bad, _, _, badId) = await server.AddWornDeviceAsync();
        var (good, _, _, goodId) = await server.AddWornDeviceAsync();

        // What is stored already is gone on with, and that is where the mapper fails: in the transaction that all share.
        Assert.Equal(MessageStatus.Stored, (await ProcessAsync((new Sender.Device(badId, "vitals"), bad)))[0].Status);
        var tasks = new List<Task<IReadOnlyList<MessageReceipt>>>();
        for (var number = 0; number < 9; number++)
        {
            var isBad = number == 5;
            var request = await RequestAsync(new Sender.Device(isBad ? badId : goodId, "vitals"), Reading(isBad ? bad : good, isBad ? 0 : number));
            tasks.Add(await intake.SubmitAsync(new StreamMessage(request.Sender, null, isBad ? broken : mapping, request.Entries, 100), lane: 0, CancellationToken.None));
        }

        var receipts = await Task.WhenAll(tasks);
        Assert.Equal("Quarantined IOMT-0940", $"{receipts[5][0].Status} {receipts[5][0].Issues[0].Code}");
        Assert.All(receipts.Where((_, number) => number != 5), receipt => Assert.Contains(receipt[0].Status, (MessageStatus[])[MessageStatus.Stored, MessageStatus.Duplicate]));
        Assert.All(receipts.Where((_, number) => number != 5), receipt => Assert.Single(receipt[0].Observations));
    }

    [Theory]
    [InlineData(0, 5, 0, true)]
    [InlineData(5, 6, 19, true)]
    [InlineData(5, 5, 2, false)]
    [InlineData(5, 6, 20, false)]
    [InlineData(0, 1000, 0, false)]
    [InlineData(999, 1200, 2, false)]
    public void A_passage_waits_while_messages_come_and_it_has_room(int before, int count, int milliseconds, bool waits) =>
        Assert.Equal(waits, MessageIntake.AwaitsMore(before, count, TimeSpan.FromMilliseconds(milliseconds)));

    [Fact]
    public async Task Messages_that_come_while_a_lane_gathers_are_all_stored_in_their_order()
    {
        var intake = server.Services.GetRequiredService<MessageIntake>();
        var (device, _, patient, id) = await server.AddWornDeviceAsync();
        var mapping = await MappingAsync();
        var tasks = new List<Task<IReadOnlyList<MessageReceipt>>>();
        for (var number = 0; number < 300; number++)
        {
            // The last value of a moment is what stands; every third message corrects the one before it.
            var second = number - (number % 3 == 2 ? 1 : 0);
            var request = await RequestAsync(new Sender.Device(id, "vitals"), ReceiptTests.HeartRate(device, $"{60 + (number % 3)}", FormattableString.Invariant($"2026-02-01T00:{second / 60:00}:{second % 60:00}Z")));
            tasks.Add(await intake.SubmitAsync(new StreamMessage(request.Sender, null, mapping, request.Entries, 100), lane: 1, CancellationToken.None));
            if (number % 10 == 9)
            {
                await Task.Delay(1);
            }
        }

        var receipts = await Task.WhenAll(tasks);
        Assert.All(receipts, receipt => Assert.Contains(receipt[0].Status, (MessageStatus[])[MessageStatus.Stored, MessageStatus.Updated]));
        var token = await server.TokenAsync();
        Assert.Equal(200, (await server.GetAsync($"fhir/Observation?patient={patient}&_summary=count", token)).Json["total"]!.GetValue<int>());
        Assert.Equal(100, (await server.GetAsync($"fhir/Observation?patient={patient}&value-quantity=62&_summary=count", token)).Json["total"]!.GetValue<int>());
        Assert.Equal(0, (await server.GetAsync($"fhir/Observation?patient={patient}&value-quantity=61&_summary=count", token)).Json["total"]!.GetValue<int>());
    }

    [Theory]
    [InlineData(Fault.InMapping)]
    [InlineData(Fault.InWriting)]
    public async Task A_fault_on_one_message_keeps_that_message_and_its_neighbours_go_on(Fault fault)
    {
        var mapping = await MappingAsync();
        var (device, credential, patient, id) = await server.AddWornDeviceAsync();
        var (other, _, _, otherId) = await server.AddWornDeviceAsync();
        var request = await RequestAsync(new Sender.Device(id, "vitals"), string.Join(',', Enumerable.Range(0, 3).Select(second => Reading(device, second))));
        var faulty = request with { Mapping = mapping with { Set = new FaultyMapper(mapping.Set, fault, "02-01T00:00:01Z") } };

        var receipts = await server.Services.GetRequiredService<IngestPipeline>().ProcessAsync([faulty, await RequestAsync(new Sender.Device(otherId, "vitals"), Reading(other, 1))], CancellationToken.None);

        Assert.Equal(["Stored ", "Quarantined IOMT-0542", "Stored ", "Stored "], receipts.Select(receipt => $"{receipt.Status} {string.Join(' ', receipt.Issues.Select(issue => issue.Code))}"));
        var kept = QuarantinedMessage.Read((await Store.FindRecordAsync(RecordKind.Quarantine, receipts[1].Id, CancellationToken.None))!);
        Assert.Contains("2026-02-01T00:00:01Z", Encoding.UTF8.GetString(kept.Envelope.Span), StringComparison.Ordinal);
        Assert.Contains("met a fault", server.LogText, StringComparison.Ordinal);
        Assert.Equal("quarantined IOMT-0542", new Receipt((await server.GetAsync($"devices/messages/{receipts[1].Id}", credential)).Json).Summary);

        // With the fault mended the message is what it would have been.
        Assert.Equal(MessageStatus.Stored, (await Quarantine.ReplayAsync(receipts[1].Id, null, CancellationToken.None)).Require().Status);
        Assert.Equal(3, (await server.GetAsync($"fhir/Observation?patient={patient}&_summary=count", await server.TokenAsync())).Json["total"]!.GetValue<int>());
    }

    private static int Count(ResourceNode array)
    {
        var count = 0;
        foreach (var _ in array.Items)
        {
            count++;
        }

        return count;
    }

    private static string Reading(string device, int second) => ReceiptTests.HeartRate(device, "72", FormattableString.Invariant($"2026-02-01T{second / 3600:00}:{second / 60 % 60:00}:{second % 60:00}Z"));

    private async Task<IReadOnlyList<MessageReceipt>> ProcessAsync(params (Sender Sender, string Named)[] messages)
    {
        var requests = new List<IngestRequest>();
        foreach (var (sender, named) in messages)
        {
            requests.Add(await RequestAsync(sender, Reading(named, 0)));
        }

        return await server.Services.GetRequiredService<IngestPipeline>().ProcessAsync(requests, CancellationToken.None);
    }

    private async Task<IngestRequest> RequestAsync(Sender sender, string messages) =>
        new(sender, new FhirIomt.Access.RequestOrigin(null, server.Name("request")), await MappingAsync(), new MessageSplitter(new SplitLimits(1_000_000)).Split(Encoding.UTF8.GetBytes($"[{messages}]"), "application/json").Require());

    private async ValueTask<ActiveMapping> MappingAsync() => (await server.Services.GetRequiredService<MappingCatalog>().FindAsync("vitals", CancellationToken.None))!;

    public enum Fault
    {
        /// <summary>In the transaction, where what is stored is gone on with.</summary>
        InStoring,
        InMapping,
        InWriting,
    }

    /// <param name="of">The messages that it fails at hold this text.</param>
    private sealed class FaultyMapper(IMessageMapper inner, Fault fault = Fault.InStoring, string of = "") : IMessageMapper
    {
        public string Version => inner.Version;

        public MapResult Map(JsonTree envelope, MappingContext context)
        {
            var mapped = inner.Map(envelope, context);
            return !envelope.Root.ToString().Contains(of, StringComparison.Ordinal) ? mapped
                : fault == Fault.InMapping ? throw new InvalidOperationException("A fault of the mapper.")
                : new MapResult([.. mapped.Readings.Select(reading => new FaultyReading(reading, fault))], []);
        }
    }

    // One of an episode that cannot be gone on with, or one that cannot be written.
    private sealed class FaultyReading(MappedReading inner, Fault fault) : MappedReading
    {
        public override string Type => inner.Type;

        public override string DeviceIdentifier => inner.DeviceIdentifier;

        public override string? PatientIdentifier => inner.PatientIdentifier;

        public override string? EncounterIdentifier => inner.EncounterIdentifier;

        public override string DeviceTime => inner.DeviceTime;

        public override DateTimeOffset Start => inner.Start;

        public override DateTimeOffset End => inner.End;

        public override string ResourceType => inner.ResourceType;

        public override bool IsEpisode => fault == Fault.InStoring;

        public override SourceKey SourceKey(string patientId, string deviceId, bool withFraction) => inner.SourceKey(patientId, deviceId, withFraction);

        public override void Write(IBufferWriter<byte> output, in ResolvedReading resolved)
        {
            if (fault == Fault.InWriting)
            {
                throw new InvalidOperationException("A fault in writing.");
            }

            inner.Write(output, resolved);
        }
    }
}
