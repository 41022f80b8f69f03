using System.Globalization;
using FhirIomt.Tests;

namespace FhirIomt.Server.Tests.Reliability;

/// <summary>
/// The server's process is killed (SIGKILL) at random moments under mixed load. After each start everything acknowledged is there, nothing is there half or twice,
/// and the store agrees with itself. <c>FHIRIOMT_KILLS</c> says how often.
/// </summary>
public class ServerKillTests(ITestOutputHelper output) : IDisposable
{
    private const int Workers = 6;

    private readonly string _data = Directory.CreateTempSubdirectory("fhiriomt-server-kill-").FullName;

    private static int Kills => int.TryParse(Environment.GetEnvironmentVariable("FHIRIOMT_KILLS"), CultureInfo.InvariantCulture, out var kills) ? kills : 3;

    protected virtual string? NewPostgres() => null;

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        Directory.Delete(_data, recursive: true);
    }

    [Fact]
    public async Task A_killed_server_loses_nothing_that_it_acknowledged_and_keeps_nothing_half()
    {
        var postgres = NewPostgres();
        string[] place = postgres is null ? [] : ["--postgres", postgres];
        var accounts = await PrepareAsync(postgres);
        var load = new MixedLoad();
        for (var kill = 0; kill < Kills; kill++)
        {
            await LoadUntilKilledAsync(place, accounts, load, kill);
            await using var again = await ChildProcess.ServeAsync(_data, place);
            var token = await accounts.TokenAsync(again.Base);
            using var client = new LoadClient(again.Base, token, accounts.Credential);
            await load.ResendAsync(client);
            await load.Ledger.CompareAsync(again.Base, token);
            var check = await ChildProcess.RunAsync(["check", "--data", _data, .. place]);
            Assert.True(check.ExitCode == 0, check.Output + check.Errors);
        }

        output.WriteLine($"{Kills} kills, {load.Acknowledged} requests acknowledged, {load.Ledger.Transactions.Count} transactions");
    }

    private async Task<Accounts> PrepareAsync(string? postgres)
    {
        await using var server = new TestServer { Configure = options => (options.Data, options.Postgres) = (_data, postgres) };
        await server.InitializeAsync();
        return await Accounts.AddAsync(server);
    }

    private async Task LoadUntilKilledAsync(string[] place, Accounts accounts, MixedLoad load, int kill)
    {
        // The seed is the round: which moment it is can be told again, as far as threads let it.
        var random = new Random(kill);
        await using var server = await ChildProcess.ServeAsync(_data, place);
        var token = await accounts.TokenAsync(server.Base);
        var clients = Enumerable.Range(0, Workers).Select(_ => new LoadClient(server.Base, token, accounts.Credential)).ToList();
        var working = clients.Select((client, worker) => load.WorkAsync(client, worker, kill, static () => false)).ToList();
        var until = load.Acknowledged + random.Next(30, 150);
        while (load.Acknowledged < until && load.Unexpected.IsEmpty)
        {
            await Task.Delay(random.Next(1, 15));
        }

        await server.KillAsync();
        await Task.WhenAll(working);
        clients.ForEach(client => client.Dispose());
        Assert.Empty(load.Unexpected);
        Assert.Equal(0, load.Refused + load.Unknown);
    }
}

public sealed class ServerKillTestsOnPostgreSql(ITestOutputHelper output) : ServerKillTests(output)
{
    protected override string? NewPostgres() => PostgresCluster.NewSchema();
}
