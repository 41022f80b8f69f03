namespace FhirIomt.Bench;

/// <summary>From process start to the first answer of /fhir/metadata on a new store, and what it holds in memory when idle.</summary>
internal static class StartBenchmarks
{
    public static async Task RunAsync(Report report, string binary, Workspace workspace, bool quick)
    {
        var plain = Path.Combine(workspace.Root, "src", "FhirIomt.Server", "bin", "Release", "net10.0", "fhiriomt.dll");
        await RunAsync(report, workspace, quick, "start to first /fhir/metadata, published", "< 1,000 ms", binary);
        if (File.Exists(plain))
        {
            await RunAsync(report, workspace, quick, "start to first /fhir/metadata, plain build", null, "dotnet", plain);
        }
    }

    private static async Task RunAsync(Report report, Workspace workspace, bool quick, string name, string? budget, string program, params string[] first)
    {
        var (times, memory) = (new List<double>(), new List<double>());
        for (var run = 0; run < (quick ? 3 : 7); run++)
        {
            var data = workspace.Folder($"start-{Guid.NewGuid():N}");
            using var server = await RunningServer.StartAsync("/fhir/metadata", program, [.. first, "serve", "--urls", "http://127.0.0.1:PORT", "--data", data]);
            times.Add(server.UntilAnswer.TotalMilliseconds);
            await Task.Delay(2000);
            memory.Add(server.ResidentBytes / 1024.0 / 1024.0);
        }

        // The first start after a build reads its files from the disk.
        times.RemoveAt(0);
        report.Add(name, "ms", times, budget: budget);
        report.Add("idle memory" + (budget is null ? ", plain build" : ""), "MB", memory, budget: budget is null ? null : "< 150 MB");
    }
}
