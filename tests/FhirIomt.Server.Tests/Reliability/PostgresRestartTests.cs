using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace FhirIomt.Server.Tests.Reliability;

/// <summary>PostgreSQL goes away under load and comes back: clients see success or 503 with Retry-After, and the server needs no restart.</summary>
public sealed class PostgresRestartTests(ITestOutputHelper output) : IDisposable
{
    private const int Writers = 6;
    private const int Readers = 4;

    private readonly string _data = Directory.CreateTempSubdirectory("fhiriomt-restart-").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Fact]
    public async Task A_restart_of_PostgreSQL_is_success_or_a_503_and_loses_nothing()
    {
        using var cluster = await OwnCluster.StartAsync();
        string[] place = ["--postgres", cluster.ConnectionString];
        await using var server = await ChildProcess.ServeAsync(_data, place);
        var accounts = await PrepareAsync(cluster);
        var token = await accounts.TokenAsync(server.Base);
        var (load, over) = (new MixedLoad(), false);
        var seen = new ConcurrentDictionary<int, int>();
        var clients = Enumerable.Range(0, Writers + Readers).Select(_ => new LoadClient(server.Base, token, accounts.Credential)).ToList();
        var working = clients.Take(Writers).Select((client, worker) => load.WorkAsync(client, worker, 0, () => Volatile.Read(ref over)))
            .Concat(clients.Skip(Writers).Select(client => ReadAsync(client, seen, () => Volatile.Read(ref over)))).ToList();

        string[] modes = ["fast", "immediate", "immediate"];
        foreach (var mode in modes)
        {
            await WaitForMoreAsync(load, server);
            var clock = Stopwatch.StartNew();
            await cluster.StopAsync(mode);

            // Long enough that every worker has met it.
            var refused = load.Refused;
            while (load.Refused + load.Unknown < refused + (2 * Writers) && load.Unexpected.IsEmpty && clock.Elapsed < TimeSpan.FromMinutes(1))
            {
                await Task.Delay(10);
            }

            await cluster.StartAgainAsync();
            var back = clock.Elapsed;
            await WaitForMoreAsync(load, server);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{mode}: PostgreSQL away {back.TotalSeconds:0.0} s, writing again {(clock.Elapsed - back).TotalSeconds:0.0} s later"));
        }

        Volatile.Write(ref over, true);
        await Task.WhenAll(working);
        output.WriteLine($"{load.Acknowledged} acknowledged, {load.Refused} to retry, {load.Unknown} unknown; reads {string.Join(", ", seen.Select(pair => $"{pair.Key}: {pair.Value}"))}");
        Assert.Empty(load.Unexpected.Take(5));
        Assert.All(seen.Keys, status => Assert.Contains(status, new[] { 200, 503 }));
        await load.ResendAsync(clients[0]);
        Assert.Empty(load.Unexpected);
        await load.Ledger.CompareAsync(server.Base, token);
        clients.ForEach(client => client.Dispose());
        var check = await ChildProcess.RunAsync(["check", .. place]);
        Assert.True(check.ExitCode == 0, check.Output + check.Errors);
    }

    // Reads meet the outage by themselves: on connections that lay idle, in the middle of a page, and while PostgreSQL starts.
    private static async Task ReadAsync(LoadClient client, ConcurrentDictionary<int, int> seen, Func<bool> isOver)
    {
        string[] paths = ["Observation?_count=50&_sort=-date", "Patient?identifier=urn:load|r0n0&_revinclude=Observation:subject", "Observation/own0", "metadata", "Observation/_history?_count=20"];
        for (var number = 0; !isOver(); number++)
        {
            var reply = await client.FhirAsync(HttpMethod.Get, paths[number % paths.Length]);
            var status = reply.Status == 404 ? 200 : reply.Status == 503 && !reply.IsToRetry ? -503 : reply.Status;
            seen.AddOrUpdate(status, 1, static (_, count) => count + 1);
            await Task.Delay(10);
        }
    }

    private static async Task WaitForMoreAsync(MixedLoad load, ChildProcess server)
    {
        var until = load.Acknowledged + 60;
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (load.Acknowledged < until && load.Unexpected.IsEmpty)
        {
            Assert.False(limit.IsCancellationRequested, "Nothing is acknowledged for a minute. " + server.Errors);
            await Task.Delay(10);
        }

        Assert.Empty(load.Unexpected.Take(5));
    }

    private static async Task<Accounts> PrepareAsync(OwnCluster cluster)
    {
        await using var server = new TestServer { Configure = options => options.Postgres = cluster.ConnectionString };
        await server.InitializeAsync();
        return await Accounts.AddAsync(server);
    }
}
