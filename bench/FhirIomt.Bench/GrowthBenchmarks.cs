using System.Diagnostics;
using System.Text;
using System.Threading.Channels;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Bench;

/// <summary>How reads and searches slow down as a store grows: filled by a generator, measured at 10⁵, 10⁶ and, when asked, 10⁷ Observations, or from a larger number on.</summary>
internal static class GrowthBenchmarks
{
    private const int Patients = 1000;
    private const int BatchSize = 2000;

    public static async Task RunAsync(Report report, string binary, Workspace workspace, string engine, long from, long to, bool quick)
    {
        var store = BenchStore.Make(engine, workspace, "growth");
        var world = World.Create(binary, store, workspace);
        long stored = 0;
        for (var size = from; size <= to; size *= 10)
        {
            var clock = Stopwatch.StartNew();
            await FillAsync(store, stored, size);
            report.Add($"{store.Name}: generator to {size:N0}", "Observations/s", [(size - stored) / clock.Elapsed.TotalSeconds]);
            stored = size;
            await QuietMachineAsync();
            await MeasureAsync(report, binary, store, world, size, quick);
        }
    }

    private static async Task MeasureAsync(Report report, string binary, BenchStore store, World world, long size, bool quick)
    {
        using var server = await RunningServer.StartAsync("/fhir/metadata", binary, ["serve", "--urls", "http://127.0.0.1:PORT", .. store.Options]);
        world.Authorize(server.Port);
        await world.FindPatientsAsync(server.Port);
        var duration = TimeSpan.FromSeconds(quick ? 2 : 5);
        var (reads, searches) = (new List<Load>(), new List<Load>());
        var random = new Random(1);

        // Not counted: the compiler comes to rest, and what is asked for again and again comes into memory.
        await RawClient.RunAsync(server.Port, 16, duration, (_, _) => world.Read(Id(Next(random, size))), 200);
        await RawClient.RunAsync(server.Port, 16, duration, (client, number) => world.Search((client * 31) + number), 200);
        for (var run = 0; run < (quick ? 1 : 3); run++)
        {
            reads.Add(await RawClient.RunAsync(server.Port, 16, duration, (_, _) => world.Read(Id(Next(random, size))), 200));
            searches.Add(await RawClient.RunAsync(server.Port, 16, duration, (client, number) => world.Search((client * 31) + number), 200));
        }

        report.Add($"{store.Name}: {size:N0} stored, read", "requests/s", [.. reads.Select(load => load.PerSecond)]);
        report.Add($"{store.Name}: {size:N0} stored, read, p99", "ms", [.. reads.Select(load => load.P99)]);
        report.Add($"{store.Name}: {size:N0} stored, search patient+code+date", "requests/s", [.. searches.Select(load => load.PerSecond)]);
        report.Add($"{store.Name}: {size:N0} stored, search, p99", "ms", [.. searches.Select(load => load.P99)]);
        report.Add($"{store.Name}: {size:N0} stored, disk for an Observation", "bytes", [store.Bytes / (double)size]);
    }

    // Beside other work a figure says nothing: waits until the load of the last minute was below one core's.
    private static async Task QuietMachineAsync()
    {
        while (File.Exists("/proc/loadavg") && double.Parse((await File.ReadAllTextAsync("/proc/loadavg")).Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture) >= 0.8)
        {
            await Task.Delay(TimeSpan.FromSeconds(5));
        }
    }

    private static long Next(Random random, long below)
    {
        lock (random)
        {
            return random.NextInt64(below);
        }
    }

    // Beside the store, as a bulk load would: prepared by as many threads as there are cores, written by one.
    private static async Task FillAsync(BenchStore bench, long from, long to)
    {
        var policy = new IndexPolicy(FhirDefinitions.R4);
        var indexer = new SearchIndexer(FhirDefinitions.R4);
        await using var store = bench.Open();
        if (from == 0)
        {
            await store.WriteAsync([new PutMany([.. Enumerable.Range(0, Patients).Select(number => (Prepare("Patient", $$"""{"resourceType":"Patient","name":[{"family":"P{{number}}"}]}""", indexer, policy), $"growth-patient-{number}"))])], CancellationToken.None);
        }

        var prepared = Channel.CreateBounded<PutMany>(4);
        var next = from;
        var makers = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => Task.Run(async () =>
        {
            for (var start = Interlocked.Add(ref next, BatchSize) - BatchSize; start < to; start = Interlocked.Add(ref next, BatchSize) - BatchSize)
            {
                var rows = new List<(PreparedResource, string)>(BatchSize);
                for (var number = start; number < Math.Min(start + BatchSize, to); number++)
                {
                    rows.Add((Prepare("Observation", Observation(number), indexer, policy), Id(number)));
                }

                await prepared.Writer.WriteAsync(new PutMany(rows));
            }
        })).ToList();
        var written = Task.WhenAll(makers).ContinueWith(_ => prepared.Writer.Complete(), TaskScheduler.Default);
        await foreach (var batch in prepared.Reader.ReadAllAsync())
        {
            await store.WriteAsync([batch], CancellationToken.None);
        }

        await written;
    }

    private static PreparedResource Prepare(string type, string json, SearchIndexer indexer, IndexPolicy policy) =>
        PreparedResource.Create(type, JsonTree.Parse(Encoding.UTF8.GetBytes(json)).Require(), indexer, policy);

    private static string Id(long number) => $"growth-{number}";

    // Five codes, as a bedside monitor sends them; patients take turns.
    private static string Observation(long number)
    {
        var (code, unit) = ((number / Patients) % 5) switch { 0 => ("8867-4", "/min"), 1 => ("9279-1", "/min"), 2 => ("59408-5", "%"), 3 => ("8310-5", "Cel"), _ => ("2339-0", "mg/dL") };
        return $$$"""{"resourceType":"Observation","meta":{"profile":["http://hl7.org/fhir/StructureDefinition/vitalsigns"]},"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"{{{code}}}"}]},"subject":{"reference":"Patient/growth-patient-{{{number % Patients}}}"},"effectiveDateTime":"{{{DateTimeOffset.UnixEpoch.AddYears(50).AddSeconds(number):yyyy-MM-ddTHH:mm:ssZ}}}","device":{"reference":"Device/device-{{{number % Patients}}}"},"valueQuantity":{"value":{{{60 + (number % 40)}}},"unit":"{{{unit}}}","system":"http://unitsofmeasure.org","code":"{{{unit}}}"}}""";
    }

    private sealed class PutMany(IReadOnlyList<(PreparedResource Resource, string Id)> rows) : WriteOperation
    {
        public override void Run(IWriteTransaction transaction)
        {
            foreach (var (resource, id) in rows)
            {
                transaction.Put(resource, id, previous: null);
            }
        }
    }
}
