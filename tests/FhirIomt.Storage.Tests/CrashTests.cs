using System.Diagnostics;
using System.Globalization;
using FhirIomt.Storage.Sqlite;

namespace FhirIomt.Storage.Tests;

/// <summary>Acknowledged means durable: a writer is killed in mid-flight, several times over, and what it acknowledged is there.</summary>
public sealed class CrashTests
{
    private const int Rounds = 4;

    // Killed after so many acknowledgements, so that the test waits for work and not for time.
    private const int AcknowledgedBeforeKill = 60;

    [Fact]
    public async Task Kill_9_loses_nothing_that_was_acknowledged()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "SIGKILL is Unix");
        var folder = Directory.CreateTempSubdirectory("fhiriomt-crash-").FullName;
        try
        {
            var acknowledged = new List<string>();
            for (var round = 0; round < Rounds; round++)
            {
                acknowledged.AddRange(await WriteUntilKilledAsync(folder, round));
            }

            Assert.True(acknowledged.Count >= Rounds * AcknowledgedBeforeKill);
            await using var store = TestStore.On(folder, serve: true);
            foreach (var id in acknowledged)
            {
                Assert.NotNull(await store.Store.ReadAsync("Observation", id, CancellationToken.None));
            }

            // Resource rows and their index rows stand or fall together.
            var found = await store.WalkAsync(TestStore.Query("Observation", ("code", "8867-4"), ("_count", "1000")));
            Assert.Equal(found.Count, found.Distinct().Count());
            Assert.Empty(acknowledged.Except(found));
            var rows = store.RowCounts();
            Assert.Equal(rows["resource"], rows["timeline"]);
            Assert.Equal(rows["resource"], found.Count);
            using var connection = new SqliteConnection(Path.Combine(folder, "fhiriomt.db"), readOnly: true);
            using var check = connection.Prepare("PRAGMA integrity_check").Run();
            Assert.True(check.Step());
            Assert.Equal("ok", check.Text(0));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<List<string>> WriteUntilKilledAsync(string folder, int round)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        foreach (var argument in (string[])["exec", typeof(CrashTests).Assembly.Location, CrashingWriter.Argument, folder, round.ToString(CultureInfo.InvariantCulture)])
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var acknowledged = new List<string>();
        while (await process.StandardOutput.ReadLineAsync() is { } id)
        {
            acknowledged.Add(id);
            if (acknowledged.Count == AcknowledgedBeforeKill)
            {
                process.Kill();
            }
        }

        await process.WaitForExitAsync();
        Assert.Equal(128 + 9, process.ExitCode);

        // A last line may have been cut off by the kill.
        return [.. acknowledged.Where(id => id.EndsWith('.')).Select(id => id.TrimEnd('.'))];
    }
}

/// <summary>The process that is killed: eight writers, each saying an id only after its write was acknowledged.</summary>
internal static class CrashingWriter
{
    public const string Argument = "write-until-killed";

    public static async Task<int> RunAsync(string folder, int round)
    {
        await using var store = TestStore.On(folder, serve: true);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
        {
            for (var number = 0; ; number++)
            {
                var id = $"r{round}w{writer}n{number}";
                await store.PutAsync(id, Sample.HeartRate(subject: $"Patient/p{writer}", effective: $"2026-02-01T10:{number % 60:00}:00Z"));
                lock (store)
                {
                    Console.WriteLine(id + ".");
                    Console.Out.Flush();
                }
            }
        })));
        return 0;
    }
}
