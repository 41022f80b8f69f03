namespace FhirIomt.Bench;

/// <summary>The server from outside, on one engine: messages, single writes, transactions, reads, searches, whole records.</summary>
internal static class HttpBenchmarks
{
    private const int Clients = 16;
    private const int MaxWarming = 8;

    public static async Task RunAsync(Report report, string binary, Workspace workspace, string engine, bool quick, string? only)
    {
        var store = BenchStore.Make(engine, workspace, "data");
        var world = World.Create(binary, store, workspace);
        using var echo = await RunningServer.StartAsync("/", Environment.ProcessPath!, "echo", "PORT");
        using var server = await RunningServer.StartAsync("/fhir/metadata", binary, ["serve", "--urls", "http://127.0.0.1:PORT", .. store.Options]);
        await world.PrepareAsync(server.Port);
        var run = new Run(report, workspace, store, world, echo.Port, server, quick, only);
        await run.WritesAsync();
        await run.ReadsAsync();
    }

    /// <summary>One engine's figures; each names it.</summary>
    private sealed class Run(Report report, Workspace workspace, BenchStore store, World world, int echoPort, RunningServer server, bool quick, string? only)
    {
        private readonly TimeSpan _duration = TimeSpan.FromSeconds(quick ? 2 : 6);
        private readonly int _runs = quick ? 1 : 3;

        private bool IsSqlite => store.Name == "SQLite";

        public async Task WritesAsync()
        {
            foreach (var (batch, clients, budget) in new[] { (1, Clients, (string?)null), (100, 8, null), (1000, 4, IsSqlite ? "≥ 10,000/s" : null) })
            {
                await MeasureAsync($"messages stored, {batch} in a request, {clients} clients", "messages/s", clients, 200, (_, _) => world.Messages(batch), batch, Floor(batch), budget);
            }

            await MeasureSearchableAsync();
            await MeasureAsync($"POST Observation, {Clients} clients", "requests/s", Clients, 201, (_, _) => world.Post(), 1, Floor(Clients), IsSqlite ? "≥ 4,000/s" : "≥ 2,500/s");
            await MeasureAsync("transactions of 100 Observations, 8 clients", "resources/s", 8, 200, (_, _) => world.Transaction(100), 100, Floor(100), "≥ 10,000/s");
            while (store.Observations < 100_000)
            {
                await RawClient.RunAsync(server.Port, 4, TimeSpan.FromSeconds(2), (_, _) => world.Messages(1000), 200);
            }

            report.Add(Name("stored Observations before reads"), "", [store.Observations]);
            report.Add(Name("index rows for an Observation"), "rows", [store.RowsPerObservation()], budget: "≤ 8");
            report.Add(Name("disk for an Observation, receipts included"), "bytes", [store.Bytes / store.Observations], budget: "< 2,048");
        }

        public async Task ReadsAsync()
        {
            world.Authorize(server.Port);
            await world.AddRecordsAsync(server.Port);
            var ids = await world.SomeIdsAsync(server.Port);
            await MeasureAsync($"read by id, {Clients} clients", "requests/s", Clients, 200, (client, number) => world.Read(ids[(int)((client * 7919 + number) % ids.Count)]), 1, await EchoAsync(1200), IsSqlite ? "≥ 15,000/s" : null);
            await MeasureAsync($"search patient+code+date, 50 newest, {Clients} clients", "requests/s", Clients, 200, (client, number) => world.Search((client * 31) + number), 1, await EchoAsync(65000), "≥ 3,000/s");
            var small = await EchoAsync(12000);
            await MeasureAsync($"_include, {Clients} clients", "requests/s", Clients, 200, (client, number) => world.Include((client * 31) + number), 1, small, "≥ 2,000/s");
            await MeasureAsync($"_revinclude of 10, {Clients} clients", "requests/s", Clients, 200, (client, number) => world.ReverseInclude((client * 31) + number), 1, small, "≥ 2,000/s");
            await MeasureAsync($"chain patient.identifier, 10 newest, {Clients} clients", "requests/s", Clients, 200, (client, number) => world.Chain((client * 31) + number), 1, small, "≥ 2,000/s");
            await MeasureAsync("$everything of 1,000 resources, 4 clients", "requests/s", 4, 200, (_, _) => world.Everything(), 1, await EchoAsync(1_000_000), "≥ 150/s");
            report.Add(Name("memory after the run"), "MB", [server.ResidentBytes / 1024.0 / 1024.0]);
        }

        // One reading after the other, beside as many messages as the server takes.
        private async Task MeasureSearchableAsync()
        {
            const string What = "reading to searchable beside messages stored, 100 in a request, 8 clients, p99";
            if (only is not null && !What.Contains(only, StringComparison.OrdinalIgnoreCase))
            {
                return;
            }

            world.Authorize(server.Port);
            using var http = new HttpClient();
            var (runs, rates, number) = (new List<double>(), new List<double>(), 0);
            for (var run = 0; run < _runs; run++)
            {
                var load = RawClient.RunAsync(server.Port, 8, _duration, (_, _) => world.Messages(100), 200);
                var times = new List<TimeSpan>();
                while (!load.IsCompleted)
                {
                    times.Add(await world.UntilSearchableAsync(http, server.Port, number++));
                }

                rates.Add((await load).PerSecond * 100);
                runs.Add(times.Order().ElementAt((int)(times.Count * 0.99)).TotalMilliseconds);
            }

            report.Add(Name(What), "ms", runs, budget: "< 1,000");
            report.Add(Name("messages stored meanwhile"), "messages/s", rates);
        }

        private string Name(string what) => $"{store.Name}: {what}";

        private async Task MeasureAsync(string name, string unit, int clients, int expected, Func<int, long, byte[]> request, int perRequest, (string Name, double Value) floor, string? budget)
        {
            if (only is not null && !name.Contains(only, StringComparison.OrdinalIgnoreCase))
            {
                return;
            }

            world.Authorize(server.Port);

            await WarmAsync(clients, expected, request);
            var loads = new List<Load>();
            var clock = new CpuClock(server);
            for (var run = 0; run < _runs; run++)
            {
                loads.Add(await RawClient.RunAsync(server.Port, clients, _duration, request, expected));
            }

            report.Add(Name(name), unit, [.. loads.Select(load => load.PerSecond * perRequest)], floor.Name, floor.Value, budget);
            var (own, engine) = clock.Elapsed();
            var done = loads.Sum(load => load.Count) * (double)perRequest;
            report.Add(Name($"{name}: CPU of the server"), "µs each", [own / done]);
            if (!IsSqlite)
            {
                report.Add(Name($"{name}: CPU of PostgreSQL"), "µs each", [engine / done]);
            }

            report.Add(Name(name.Split(',')[0] + ", p99" + (perRequest > 1 ? $" ({perRequest})" : "")), "ms", [.. loads.Select(load => load.P99)]);
        }

        // The compiler works for some seconds on what it has not met before: that is the start of a server, not its speed. Large answers are few, so they take longer.
        private async Task WarmAsync(int clients, int expected, Func<int, long, byte[]> request)
        {
            var (best, without) = (0.0, 0);
            for (var run = 0; run < MaxWarming && without < 2; run++)
            {
                // One run without gain may be the machine's doing.
                var now = (await RawClient.RunAsync(server.Port, clients, _duration, request, expected)).PerSecond;
                without = now > best * 1.03 ? 0 : without + 1;
                best = Math.Max(best, now);
            }
        }

        private (string, double) Floor(int batch) => ($"SQLite, {batch} in a commit,", SqliteFloor.Run(workspace.Folder($"floor-{Guid.NewGuid():N}"), batch, _duration.TotalSeconds / 2));

        private async Task<(string, double)> EchoAsync(int bytes) =>
            ($"Kestrel, {bytes / 1000.0:0.#} kB,", (await RawClient.RunAsync(echoPort, bytes > 100_000 ? 4 : Clients, _duration / 2, (_, _) => RawClient.Request("GET", $"/{bytes}", null), 200)).PerSecond);
    }
}
