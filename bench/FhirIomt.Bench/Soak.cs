using System.Diagnostics;

namespace FhirIomt.Bench;

/// <summary>Mixed load for a long time: does memory stay flat? Messages, single writes, updates, transactions, reads, searches and whole records, all at once.</summary>
internal static class Soak
{
    public static async Task RunAsync(Report report, string binary, Workspace workspace, string engine, double minutes)
    {
        var store = BenchStore.Make(engine, workspace, "soak");
        var world = World.Create(binary, store, workspace);
        using var server = await RunningServer.StartAsync("/fhir/metadata", binary, ["serve", "--urls", "http://127.0.0.1:PORT", .. store.Options]);
        await world.PrepareAsync(server.Port);
        await world.AddRecordsAsync(server.Port);
        var ids = await world.SomeIdsAsync(server.Port);
        var memory = new List<(double Minute, double Megabytes)>();
        var clock = Stopwatch.StartNew();
        double requests = 0;
        while (clock.Elapsed.TotalMinutes < minutes)
        {
            world.Authorize(server.Port);
            var load = await RawClient.RunAsync(server.Port, 16, TimeSpan.FromSeconds(30), (client, number) => (client, number % 20) switch
            {
                ( < 2, _) => world.Messages(10),
                (2, 0) => world.Everything(),
                (2, _) => world.Transaction(10),
                ( < 6, _) => world.Search((client * 31) + number),
                (6, _) => world.Include((client * 31) + number),
                (7, _) => world.Chain((client * 31) + number),
                (8, _) => world.ReverseInclude((client * 31) + number),
                _ => world.Read(ids[(int)((client * 7919 + number) % ids.Count)]),
            }, 200);
            requests += load.PerSecond * 30;
            memory.Add((clock.Elapsed.TotalMinutes, server.ResidentBytes / 1024.0 / 1024.0));
            Console.WriteLine($"  {clock.Elapsed.TotalMinutes:0.0} min: {memory[^1].Megabytes:0} MB, {load.PerSecond:0}/s, p99 {load.P99:0.0} ms");
        }

        report.Add($"{store.Name}: soak, requests", "", [requests]);
        report.Add($"{store.Name}: soak, memory in the first fifth", "MB", [.. memory.Take(Math.Max(1, memory.Count / 5)).Select(one => one.Megabytes)]);
        report.Add($"{store.Name}: soak, memory in the last fifth", "MB", [.. memory.TakeLast(Math.Max(1, memory.Count / 5)).Select(one => one.Megabytes)]);
        report.Add($"{store.Name}: soak, Observations stored at the end", "", [store.Observations]);
    }
}
