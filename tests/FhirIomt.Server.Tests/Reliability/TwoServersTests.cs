using FhirIomt.Storage;
using FhirIomt.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Server.Tests.Reliability;

/// <summary>Two processes on one PostgreSQL behave as one server: this test's own, where it can reach in, and a child.</summary>
public sealed class TwoServersTests : IAsyncLifetime
{
    private const int Parallel = 50;

    // A change at one acts at the other within 1 s (docs/operations.md); what is loaded from it may take its time on a busy machine, so tests wait longer than that.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _data = Directory.CreateTempSubdirectory("fhiriomt-two-").FullName;
    private TestServer? _here;
    private ChildProcess? _there;
    private LoadClient? _one;
    private LoadClient? _two;
    private Accounts? _accounts;

    private TestServer Here => _here!;

    private LoadClient One => _one!;

    private LoadClient Two => _two!;

    public async ValueTask InitializeAsync()
    {
        var postgres = PostgresCluster.NewSchema();
        _here = new TestServer { Configure = options => options.Postgres = postgres };
        await _here.InitializeAsync();
        _there = await ChildProcess.ServeAsync(_data, "--postgres", postgres);
        _accounts = await Accounts.AddAsync(_here);
        var token = await _accounts.TokenAsync(_there.Base);
        (_one, _two) = (new LoadClient(Here.Http.BaseAddress!.ToString().TrimEnd('/'), token, _accounts.Credential), new LoadClient(_there.Base, token, _accounts.Credential));
    }

    public async ValueTask DisposeAsync()
    {
        _one?.Dispose();
        _two?.Dispose();
        if (_there is not null)
        {
            await _there.DisposeAsync();
        }

        if (_here is not null)
        {
            await _here.DisposeAsync();
        }

        Directory.Delete(_data, recursive: true);
    }

    [Fact]
    public async Task Fifty_parallel_conditional_creates_on_both_give_one()
    {
        var replies = await OnBothAsync(client => client.FhirAsync(HttpMethod.Post, "Patient", Resources.Patient("urn:two", "1"), ifNoneExist: "identifier=urn:two|1"));
        Assert.Single(replies, reply => reply.Status == 201);
        Assert.Equal(Parallel - 1, replies.Count(reply => reply.Status == 200));
        Assert.Single(replies.Select(reply => reply.Id).Distinct(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Of_many_that_update_the_same_version_on_both_one_wins()
    {
        Assert.Equal(201, (await One.FhirAsync(HttpMethod.Put, "Observation/race", Resources.Observation("race", 0, "race"))).Status);
        for (var version = 1; version < 4; version++)
        {
            var value = version * 1000L;
            var replies = await OnBothAsync(client => client.FhirAsync(HttpMethod.Put, "Observation/race", Resources.Observation("race", Interlocked.Increment(ref value), "race"), ifMatch: $"W/\"{version}\""));
            Assert.Single(replies, reply => reply.Status == 200);
            Assert.Equal(Parallel - 1, replies.Count(reply => reply.Status == 412));
        }

        Assert.Equal("4", (string)(await Two.FhirAsync(HttpMethod.Get, "Observation/race")).Json["meta"]!["versionId"]!);
    }

    [Fact]
    public async Task A_message_sent_to_both_is_stored_once()
    {
        var replies = await OnBothAsync(client => client.DeviceAsync(ReceiptTests.HeartRate(Accounts.Device, "72")));
        var receipts = replies.Select(reply => new Answer(reply.Status, reply.Text).Only).ToList();
        Assert.Single(receipts, receipt => receipt.Status == "stored");
        Assert.Equal(Parallel - 1, receipts.Count(receipt => receipt.Status == "duplicate"));
        Assert.Single(receipts.Select(receipt => receipt.Observations[0]).Distinct(StringComparer.Ordinal));
        Assert.Equal(1, (int)(await Two.FhirAsync(HttpMethod.Get, "Observation?code=8867-4&_total=accurate")).Json["total"]!);
    }

    [Theory]
    [InlineData("")]
    [InlineData("&_sort=-date")]
    [InlineData("&_sort=_lastUpdated")]
    public async Task Pages_of_one_have_no_gap_and_no_duplicate_while_the_other_inserts(string sort)
    {
        for (var i = 0; i < 40; i++)
        {
            Assert.Equal(201, (await One.FhirAsync(HttpMethod.Put, $"Observation/before{i}", Resources.Observation("page", i, $"before{i}"))).Status);
        }

        var over = false;
        var inserting = Task.Run(async () =>
        {
            for (var i = 0; !Volatile.Read(ref over); i++)
            {
                Assert.Equal(201, (await Two.FhirAsync(HttpMethod.Put, $"Observation/during{i}", Resources.Observation("page", i, $"during{i}"))).Status);
            }
        });
        var seen = new List<string>();
        for (var path = $"Observation?code=page&_count=5{sort}"; path is not null && seen.Count < 2000;)
        {
            var bundle = (await One.FhirAsync(HttpMethod.Get, path)).Json;
            seen.AddRange((bundle["entry"]?.AsArray() ?? []).Select(entry => (string)entry!["resource"]!["id"]!));
            path = bundle["link"]!.AsArray().Where(link => (string)link!["relation"]! == "next").Select(link => new Uri((string)link!["url"]!).PathAndQuery["/fhir/".Length..]).FirstOrDefault();

            // In ascending order of writing the end runs away; what was there at the beginning is what matters.
            if (seen.Count(id => id.StartsWith("before", StringComparison.Ordinal)) == 40 && seen.Count > 200)
            {
                break;
            }
        }

        Volatile.Write(ref over, true);
        await inserting;
        Assert.Equal(seen.Count, seen.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(40, seen.Count(id => id.StartsWith("before", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_client_that_is_taken_away_at_one_is_nobody_at_the_other()
    {
        Assert.Equal(200, (await Two.FhirAsync(HttpMethod.Get, "Patient")).Status);
        await Here.Services.GetRequiredService<IStore>().WriteAsync([new Removal(RecordKind.Client, _accounts!.ClientId)], CancellationToken.None);
        Assert.Equal(401, (await One.FhirAsync(HttpMethod.Get, "Patient")).Status);
        await UntilAsync(async () => (await Two.FhirAsync(HttpMethod.Get, "Patient")).Status == 401);
    }

    [Fact]
    public async Task A_mapping_changed_at_one_maps_at_the_other()
    {
        await Here.AddMappingAsync("shared", CreatingMapping.Device, CreatingMapping.Fhir, Devices.IdentityMode.Create);
        var vendor = new LoadClient(_there!.Base, "", await Here.AddVendorAsync("two", "shared"));
        var number = 0;
        async Task<string> CodeAsync()
        {
            var receipt = new Answer(200, (await vendor.DeviceAsync(CreatingMapping.Message("d", "p", time: $"2026-02-01T22:{++number / 60:00}:{number % 60:00}Z"))).Text).Only;
            Assert.Equal("stored", receipt.Status);
            return (string)(await Two.FhirAsync(HttpMethod.Get, receipt.Observations[0])).Json["code"]!["coding"]![0]!["code"]!;
        }

        Assert.Equal("8867-4", await CodeAsync());
        await Here.AddMappingAsync("shared", CreatingMapping.Device, CreatingMapping.Fhir.Replace("8867-4", "8889-8", StringComparison.Ordinal), Devices.IdentityMode.Create);
        await UntilAsync(async () => await CodeAsync() == "8889-8");
        vendor.Dispose();
    }

    [Fact]
    public async Task A_profile_stored_at_one_is_checked_at_the_other()
    {
        const string profile = """
            {"resourceType":"StructureDefinition","url":"http://example.org/two","name":"Two","status":"active","fhirVersion":"4.0.1","kind":"resource","abstract":false,"type":"Patient",
            "baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","derivation":"constraint","differential":{"element":[{"id":"Patient.birthDate","path":"Patient.birthDate","min":1}]}}
            """;
        const string patient = """{"resourceType":"Patient","meta":{"profile":["http://example.org/two"]},"active":true}""";
        var stored = await One.FhirAsync(HttpMethod.Post, "StructureDefinition", profile);
        Assert.True(stored.Status == 201, stored.Text);
        await UntilAsync(async () => (await Two.FhirAsync(HttpMethod.Post, "Patient", patient)) is { Status: 422 or 400 });
    }

    [Fact]
    public async Task A_search_parameter_stored_at_one_finds_at_the_other()
    {
        const string parameter = """
            {"resourceType":"SearchParameter","url":"http://example.org/SearchParameter/nick","name":"Nick","status":"active","description":"d","code":"nick","base":["Patient"],"type":"string",
            "expression":"Patient.name.where(use = 'nickname').given"}
            """;
        Assert.Equal(201, (await Two.FhirAsync(HttpMethod.Post, "Patient", """{"resourceType":"Patient","name":[{"use":"nickname","given":["Bobo"]}]}""")).Status);
        var stored = await One.FhirAsync(HttpMethod.Post, "SearchParameter", parameter);
        Assert.True(stored.Status == 201, stored.Text);

        // At once: the other, which may not know the parameter yet, must neither do it without it nor drop what was asked for.
        Assert.Equal(202, (await One.FhirAsync(HttpMethod.Post, $"SearchParameter/{stored.Id}/$reindex", "")).Status);

        // Until everything is indexed by it, it is refused, and never answers less than there is.
        await UntilAsync(async () =>
            await Two.FhirAsync(HttpMethod.Get, "Patient?nick=bobo&_total=accurate") is { Status: 200 } reply && (int)reply.Json["total"]! == 1
            && await Two.FhirAsync(HttpMethod.Get, "Patient?nick=other&_total=accurate") is { Status: 200 } none && (int)none.Json["total"]! == 0);
        Assert.Equal(201, (await Two.FhirAsync(HttpMethod.Post, "Patient", """{"resourceType":"Patient","name":[{"use":"nickname","given":["Bobby"]}]}""")).Status);

        // The first may hear last that all is indexed: until then it refuses, too.
        await UntilAsync(async () => await One.FhirAsync(HttpMethod.Get, "Patient?nick=bobby&_total=accurate") is { Status: not 400 } reply && (int)reply.Json["total"]! == 1);
    }

    private async Task<IReadOnlyList<Reply>> OnBothAsync(Func<LoadClient, Task<Reply>> send) =>
        await Task.WhenAll(Enumerable.Range(0, Parallel).Select(number => send(number % 2 == 0 ? One : Two)));

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!await holds())
        {
            Assert.False(limit.IsCancellationRequested, "It does not act at the other.");
            await Task.Delay(50);
        }
    }

    private sealed class Removal(string kind, string id) : WriteOperation
    {
        public override void Run(IWriteTransaction transaction) => transaction.DeleteRecord(kind, id);
    }
}
