using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using FhirIomt.Server.Devices.Mllp;
using FhirIomt.Server.Devices.Quarantine;
using FhirIomt.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Server.Tests;

/// <summary>HL7 v2 over TCP, as a gateway speaks it.</summary>
public sealed class MllpTests(MllpTests.Fixture server) : IClassFixture<MllpTests.Fixture>
{
    [Theory]
    [InlineData("NE|AL", "MSA|AA|")]
    [InlineData("|", "MSA|AA|")]
    [InlineData("AL|NE", "MSA|CA|")]
    [InlineData("AL|AL", "MSA|CA| MSA|AA|")]
    [InlineData("SU|ER", "MSA|CA|")]
    public async Task A_message_is_acknowledged_as_it_asks(string conditions, string expected)
    {
        var device = await server.AddMonitorAsync();
        using var line = server.Connect();
        await line.SendAsync(Message(device, conditions: conditions));
        foreach (var begin in expected.Split(' '))
        {
            var answer = await line.ReadAsync();
            Assert.Contains($"\r{begin}M1\r", answer, StringComparison.Ordinal);
            Assert.DoesNotContain("ERR|", answer, StringComparison.Ordinal);
        }

        Assert.Equal(1, await server.CountAsync(device));
    }

    [Fact]
    public async Task Nothing_is_answered_to_who_wants_nothing_and_the_message_is_stored_all_the_same()
    {
        var device = await server.AddMonitorAsync();
        using var line = server.Connect();
        await line.SendAsync(Message(device, conditions: "NE|NE", control: "silent"));
        await line.SendAsync(Message(device, conditions: "NE|AL", control: "loud", at: "20260314101600+0100"));
        Assert.Contains("MSA|AA|loud", await line.ReadAsync(), StringComparison.Ordinal);
        Assert.Equal(2, await server.CountAsync(device));
    }

    [Fact]
    public async Task What_waits_in_quarantine_is_acknowledged_with_a_warning()
    {
        using var line = server.Connect();
        await line.SendAsync(Message("nobody-knows-me"));
        var answer = await line.ReadAsync();
        Assert.Contains("MSA|AA|M1", answer, StringComparison.Ordinal);
        Assert.Contains("|W|IOMT-0521|", answer, StringComparison.Ordinal);
        await line.SendAsync(Message("nobody-knows-me", control: "old", version: "2.4"));
        var old = await line.ReadAsync();
        Assert.Contains("MSA|AA|old", old, StringComparison.Ordinal);
        Assert.DoesNotContain("ERR", old, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_message_again_is_acknowledged_again_and_the_same_number_with_other_content_is_new()
    {
        var device = await server.AddMonitorAsync();
        using var line = server.Connect();
        var message = Message(device, value: "97");
        foreach (var sent in (string[])[message, message, Message(device, value: "96", at: "20260314101600+0100")])
        {
            await line.SendAsync(sent);
            Assert.Contains("MSA|AA|M1", await line.ReadAsync(), StringComparison.Ordinal);
        }

        Assert.Equal(2, await server.CountAsync(device));
        await line.SendAsync(Message("unknown-monitor", control: "twice"));
        await line.ReadAsync();
        var waiting = await server.QuarantinedAsync();
        await line.SendAsync(Message("unknown-monitor", control: "twice"));
        Assert.Contains("MSA|AA|twice", await line.ReadAsync(), StringComparison.Ordinal);
        Assert.Equal(waiting, await server.QuarantinedAsync());
    }

    [Theory]
    [InlineData("MSH|^~\\&|A|B|||20260314||ORM^O01|X|P|2.6\rPID|1\r", "MSA|AR|X", "|200^^HL70357|E|IOMT-0582|")]
    [InlineData("MSH|^~\\&|A|B|||20260314||ORU^R01|X|P|3.0\rPID|1\r", "MSA|AR|X", "|103^^HL70357|E|IOMT-0584|")]
    [InlineData("MSH|^~\\&|A|B|||20260314||ORU^R01|X|Q|2.6\rPID|1\r", "MSA|AR|X", "|103^^HL70357|E|IOMT-0583|")]
    [InlineData("MSH|^~\\&|A|B|||20260314||ORM^O01|X|P|2.6|||AL|NE\rPID|1\r", "MSA|CR|X", "IOMT-0582")]
    [InlineData("hello", "MSA|AR|", "IOMT-0580")]
    public async Task What_is_not_taken_is_rejected(string message, string acknowledgement, string error)
    {
        using var line = server.Connect();
        await line.SendAsync(message);
        var answer = await line.ReadAsync();
        Assert.Contains(acknowledgement, answer, StringComparison.Ordinal);
        Assert.Contains(error, answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_device_that_two_people_share_the_second_is_never_taken_for_the_first()
    {
        var (first, second) = (await server.CreateAsync("Patient", """{"resourceType":"Patient"}"""), await server.CreateAsync("Patient", """{"resourceType":"Patient"}"""));
        var device = await server.AddMonitorAsync(first);
        Assert.Equal("stored", await server.WeighAsync(device, user: 1));
        Assert.Equal("quarantined IOMT-0541", await server.WeighAsync(device, user: 2));
        await server.AddMonitorAsync(second, $"{device}#2");
        Assert.Equal("stored", await server.WeighAsync(device, user: 2));
        Assert.Equal((1, 1), (await server.CountOfAsync(first), await server.CountOfAsync(second)));
    }

    [Fact]
    public async Task A_code_of_the_maker_s_own_is_stored_with_it()
    {
        var device = await server.AddMonitorAsync();
        using var line = server.Connect();
        await line.SendAsync(Message(device).Replace("150456^MDC_PULS_OXIM_SAT_O2^MDC", "352^ECG_VPB_RATE^99ACME", StringComparison.Ordinal));
        Assert.DoesNotContain("ERR|", await line.ReadAsync(), StringComparison.Ordinal);
        Assert.Equal(1, await server.CountAsync(device));
    }

    [Fact]
    public async Task A_value_that_no_body_can_have_waits()
    {
        var device = await server.AddMonitorAsync();
        using var line = server.Connect();
        await line.SendAsync(Message(device, value: "970"));
        Assert.Contains("|W|IOMT-0540|", await line.ReadAsync(), StringComparison.Ordinal);
        Assert.Equal(0, await server.CountAsync(device));
    }

    [Fact]
    public async Task Frames_may_come_in_pieces_and_several_at_once_with_noise_between()
    {
        var device = await server.AddMonitorAsync();
        using var line = server.Connect();
        var bytes = MllpFrames.Frame(Encoding.UTF8.GetBytes(Message(device, control: "a"))).Concat("\r\n  "u8.ToArray()).Concat(MllpFrames.Frame(Encoding.UTF8.GetBytes(Message(device, control: "b", at: "20260314101600+0100")))).ToArray();
        foreach (var piece in bytes.Chunk(97))
        {
            await line.WriteAsync(piece);
        }

        Assert.Contains("MSA|AA|a", await line.ReadAsync(), StringComparison.Ordinal);
        Assert.Contains("MSA|AA|b", await line.ReadAsync(), StringComparison.Ordinal);
        Assert.Equal(2, await server.CountAsync(device));
    }

    [Fact]
    public async Task A_patient_whom_the_message_names_must_be_the_one_of_the_device()
    {
        var patient = await server.CreateAsync("Patient", """{"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"MRN-1"}]}""");
        var device = await server.AddMonitorAsync(patient);
        using var line = server.Connect();
        await line.SendAsync(Message(device, control: "right", patient: "MRN-1"));
        Assert.DoesNotContain("ERR|", await line.ReadAsync(), StringComparison.Ordinal);
        await line.SendAsync(Message(device, control: "wrong", patient: "MRN-2", at: "20260314101600+0100"));
        Assert.Contains("IOMT-0525", await line.ReadAsync(), StringComparison.Ordinal);
        Assert.Equal(1, await server.CountAsync(device));
    }

    [Fact]
    public async Task A_message_that_is_too_long_ends_its_connection_and_no_other()
    {
        using var line = server.Connect();
        await line.WriteAsync([0x0B, .. new byte[100_000]]);
        Assert.Null(await line.ReadOrEndAsync());
        using var other = server.Connect();
        await other.SendAsync("hello");
        Assert.Contains("MSA|AR|", await other.ReadAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("NE|AL", "MSA|AR|")]
    [InlineData("AL|NE", "MSA|CE|")]
    public async Task What_a_full_quarantine_does_not_keep_is_to_be_sent_again_and_is_taken_then(string conditions, string refusal)
    {
        const int Room = 100;
        var full = new Fixture(maxQuarantined: Room);
        await full.InitializeAsync();
        try
        {
            using var line = full.Connect();
            for (var number = 0; number < Room; number++)
            {
                await line.SendAsync(Message($"nobody-{number}", control: "first"));
                Assert.Contains("MSA|AA|first", await line.ReadAsync(), StringComparison.Ordinal);
            }

            for (var time = 0; time < 2; time++)
            {
                await line.SendAsync(Message("one-more", conditions, control: "second"));
                var answer = await line.ReadAsync();
                Assert.Contains($"{refusal}second", answer, StringComparison.Ordinal);
                Assert.Contains("|207^^HL70357|E|", answer, StringComparison.Ordinal);
                Assert.Contains("IOMT-0590", answer, StringComparison.Ordinal);
            }

            Assert.Equal(Room, await full.QuarantinedAsync());
            await full.EmptyQuarantineAsync();
            await line.SendAsync(Message("one-more", conditions, control: "second"));
            Assert.Contains(refusal == "MSA|AR|" ? "MSA|AA|second" : "MSA|CA|second", await line.ReadAsync(), StringComparison.Ordinal);
            Assert.Equal(1, await full.QuarantinedAsync());
        }
        finally
        {
            await full.DisposeAsync();
        }
    }

    private static string Message(string device, string conditions = "NE|AL", string control = "M1", string value = "97", string at = "20260314101500+0100", string patient = "", string version = "2.6") =>
        $"MSH|^~\\&|GATE|WARD|||{at}||ORU^R01^ORU_R01|{control}|P|{version}|||{conditions}\rPID|||{patient}\rOBR|1|A|B|182777000^monitoring^SCT|||{at}\r"
        + $"OBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.1|{value}|262688^MDC_DIM_PERCENT^MDC|||||R|||{at}||||{device}\r";

    public sealed class Fixture : IAsyncLifetime
    {
        private readonly TestServer _server;
        private string _credential = "";

        public Fixture()
            : this(maxQuarantined: 100_000)
        {
        }

        internal Fixture(int maxQuarantined) => _server = new()
        {
            Configure = options => (options.Mllp.Listen, options.Mllp.Vendor, options.Mllp.MaxMessageBytes, options.Ingest.MaxQuarantined) = ("127.0.0.1:0", "ward", 64 * 1024, maxQuarantined),
        };

        public async ValueTask InitializeAsync()
        {
            await _server.InitializeAsync();
            _credential = await _server.AddVendorAsync("ward");
        }

        public ValueTask DisposeAsync() => _server.DisposeAsync();

        public Task<string> CreateAsync(string type, string json) => _server.CreateAsync(type, json);

        public async Task<string> WeighAsync(string device, int user) => (await _server.PostAsync(
            _credential, $$"""{"deviceId":"{{device}}","characteristic":"2A9D","valueHex":"04B838{{user:X2}}","receivedAt":"2026-03-14T10:0{{user}}:00+01:00"}""", "gatt")).Only.Summary;

        public async Task<int> CountOfAsync(string patient) => (await _server.GetAsync($"fhir/Observation?patient={patient}&_summary=count", await _server.TokenAsync())).Json["total"]!.GetValue<int>();

        public async Task<string> AddMonitorAsync(string? patient = null, string? named = null)
        {
            var identifier = named ?? _server.Name("monitor");
            await _server.AddDeviceAsync(identifier, "ward", patient ?? await _server.AddPatientAsync());
            return identifier;
        }

        public async Task<int> CountAsync(string device)
        {
            var token = await _server.TokenAsync();
            var answer = await _server.GetAsync($"fhir/Observation?device.identifier={device}&_summary=count", token);
            return answer.Json["total"]!.GetValue<int>();
        }

        public async Task<int> QuarantinedAsync() => (await _server.Services.GetRequiredService<IStore>().ListRecordsAsync(RecordKind.Quarantine, CancellationToken.None)).Count;

        public async Task EmptyQuarantineAsync()
        {
            foreach (var record in await _server.Services.GetRequiredService<IStore>().ListRecordsAsync(RecordKind.Quarantine, CancellationToken.None))
            {
                (await _server.Services.GetRequiredService<MessageQuarantine>().DiscardAsync(record.Id, "test", "test", CancellationToken.None)).Require();
            }
        }

        public MllpLine Connect() => new(_server.Services.GetRequiredService<MllpListener>().EndPoint!.Port);
    }

    public sealed class MllpLine : IDisposable
    {
        private readonly TcpClient _client;
        private readonly MllpFrames _frames;

        public MllpLine(int port)
        {
            _client = new TcpClient("127.0.0.1", port);
            _frames = new MllpFrames(System.IO.Pipelines.PipeReader.Create(_client.GetStream()), 1 << 20, TimeSpan.FromMinutes(2));
        }

        public Task SendAsync(string message) => WriteAsync(MllpFrames.Frame(Encoding.UTF8.GetBytes(message)));

        public async Task WriteAsync(byte[] bytes) => await _client.GetStream().WriteAsync(bytes);

        public async Task<string> ReadAsync() => await ReadOrEndAsync() ?? throw new InvalidOperationException("The connection ended.");

        public async Task<string?> ReadOrEndAsync()
        {
            try
            {
                return await _frames.ReadAsync(CancellationToken.None) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;
            }
            catch (IOException)
            {
                return null;
            }
        }

        public void Dispose() => _client.Dispose();
    }
}
