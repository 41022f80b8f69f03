using System.Diagnostics;
using System.Globalization;
using System.Text;
using FhirIomt.Tests;

namespace FhirIomt.Storage.Tests;

/// <summary>
/// Acknowledged means durable: a writer of everything (creations, updates, deletions, pairs that belong together) is killed in mid-flight, several times over. After each
/// time everything it acknowledged is there, no half of a pair is, and the index agrees with the resources. <c>FHIRIOMT_KILLS</c> says how often; four times take ten seconds.
/// </summary>
public class CrashTests(ITestOutputHelper output) : StoreTests
{
    // Killed after so many acknowledgements, so that the test waits for work and not for time.
    private const int AcknowledgedBeforeKill = 60;

    private static int Rounds => int.TryParse(Environment.GetEnvironmentVariable("FHIRIOMT_KILLS"), CultureInfo.InvariantCulture, out var rounds) ? rounds : 4;

    [Fact]
    public async Task Kill_9_loses_nothing_that_was_acknowledged()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "SIGKILL is Unix");
        var place = Engine == Engine.Sqlite ? Directory.CreateTempSubdirectory("fhiriomt-crash-").FullName : PostgresCluster.NewSchema();
        var acknowledged = new Acknowledged();
        for (var round = 0; round < Rounds; round++)
        {
            await WriteUntilKilledAsync(place, round, acknowledged);
            await using var store = TestStore.On(Engine, place);
            await CompareAsync(store, acknowledged);
        }

        output.WriteLine($"{Rounds} kills, {acknowledged.Count} operations acknowledged");
        Assert.True(acknowledged.Count >= Rounds * AcknowledgedBeforeKill);
        if (Engine == Engine.Sqlite)
        {
            Directory.Delete(place, recursive: true);
        }
        else
        {
            PostgresCluster.GiveBack(place);
        }
    }

    private static async Task CompareAsync(TestStore store, Acknowledged acknowledged)
    {
        foreach (var id in acknowledged.Created)
        {
            Assert.False((await store.Store.ReadAsync("Observation", id, CancellationToken.None))?.IsDeleted ?? true, id);
        }

        foreach (var id in acknowledged.Deleted)
        {
            Assert.True((await store.Store.ReadAsync("Observation", id, CancellationToken.None))!.IsDeleted, id);
        }

        foreach (var (id, version) in acknowledged.Versions)
        {
            Assert.True((await store.Store.ReadAsync("Observation", id, CancellationToken.None))!.Version >= version, id);
        }

        // A transaction is there whole or not at all.
        var pairs = await store.WalkAsync(TestStore.Query("Observation", ("code", CrashingWriter.PairCode), ("_count", "1000")));
        Assert.All(pairs.GroupBy(id => id[..^1]), pair => Assert.Equal(2, pair.Count()));
        Assert.Empty((await store.Store.CheckAsync(repair: false, null, CancellationToken.None)).Found.Named);
    }

    private async Task WriteUntilKilledAsync(string place, int round, Acknowledged acknowledged)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        foreach (var argument in (string[])["exec", typeof(CrashTests).Assembly.Location, CrashingWriter.Argument, Engine.ToString(), place, round.ToString(CultureInfo.InvariantCulture)])
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var count = 0;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            // A last line may have been cut off by the kill.
            if (line.EndsWith('.'))
            {
                acknowledged.Add(line[..^1]);
            }

            if (++count == AcknowledgedBeforeKill + round)
            {
                process.Kill();
            }
        }

        await process.WaitForExitAsync();
        Assert.Equal(128 + 9, process.ExitCode);
    }

    private sealed class Acknowledged
    {
        public List<string> Created { get; } = [];

        public List<string> Deleted { get; } = [];

        public Dictionary<string, long> Versions { get; } = new(StringComparer.Ordinal);

        public int Count { get; private set; }

        public void Add(string line)
        {
            Count++;
            switch (line.Split(' '))
            {
                case ["created", .. var ids]:
                    Created.AddRange(ids);
                    break;
                case ["deleted", var id]:
                    Deleted.Add(id);
                    break;
                case ["version", var id, var version]:
                    Versions[id] = long.Parse(version, CultureInfo.InvariantCulture);
                    break;
            }
        }
    }
}

public sealed class CrashTestsOnPostgreSql(ITestOutputHelper output) : CrashTests(output)
{
    protected override Engine Engine => Engine.PostgreSql;
}

/// <summary>The process that is killed: eight writers, each saying what it did only after that was acknowledged.</summary>
internal static class CrashingWriter
{
    public const string Argument = "write-until-killed";
    public const string PairCode = "pair";

    public static async Task<int> RunAsync(Engine engine, string place, int round)
    {
        await using var store = TestStore.On(engine, place, serve: true);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
        {
            for (var number = 0; ; number++)
            {
                Say(await OperateAsync(store, writer, number, $"r{round}w{writer}n{number}"));
            }
        })));
        return 0;
    }

    private static async Task<string> OperateAsync(TestStore store, int writer, int number, string id)
    {
        var (subject, time) = ($"Patient/p{writer}", $"2026-02-01T10:{number % 60:00}:00Z");
        switch (number % 4)
        {
            case 0:
                var pair = TestStore.Prepare(Sample.HeartRate(subject, time, PairCode));
                await store.RunAsync(transaction => transaction.TryAtomically(() =>
                {
                    transaction.Put(pair, id + "a", transaction.Find("Observation", id + "a"));
                    transaction.Put(pair, id + "b", transaction.Find("Observation", id + "b"));
                    return true;
                }));
                return $"created {id}a {id}b";
            case 1:
                await store.PutAsync(id, Sample.HeartRate(subject, time));
                return $"created {id}";
            case 2:
                return $"version shared{writer} {(await store.PutAsync($"shared{writer}", Sample.HeartRate(subject, time, code: $"c{number}"))).Version}";
            default:
                await store.PutAsync(id, Sample.HeartRate(subject, time));
                await store.RunAsync(transaction => transaction.Delete(transaction.Find("Observation", id)!));
                return $"deleted {id}";
        }
    }

    private static void Say(string line)
    {
        lock (Argument)
        {
            Console.Out.Write(new StringBuilder(line).Append('.').Append('\n'));
            Console.Out.Flush();
        }
    }
}
