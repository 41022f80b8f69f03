using System.Diagnostics;
using System.Text.Json;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Bench;

/// <summary>R4's compiled definitions: how large the files are, how long they take to open, and what they hold in memory. Each run is a process of its own.</summary>
internal static class DefinitionBenchmarks
{
    public static void Run(CodeMeter meter, Workspace workspace)
    {
        if (!meter.Wants("definitions"))
        {
            return;
        }

        var folder = Path.Combine(workspace.Root, "profiles", "r4");
        var bytes = new[] { "r4.definitions", "r4.resources" }.Sum(name => new FileInfo(Path.Combine(folder, name)).Length);
        meter.Report.Add("definitions, both files", "kB", [bytes / 1000.0], budget: "< 3,000 kB");
        var runs = Enumerable.Range(0, meter.IsQuick ? 3 : 7).Select(_ => Probe()).ToList();
        Add(meter, runs, "definitions in them", "", probe => probe.Count, "4,581");
        Add(meter, runs, "open both files of definitions, new process", "ms", probe => probe.OpenMilliseconds, "< 150 ms");
        Add(meter, runs, "the same, CPU", "ms", probe => probe.OpenCpuMilliseconds, null);
        Add(meter, runs, "read all definitions as resources after that", "ms", probe => probe.ReadMilliseconds, null);
        Add(meter, runs, "all tables of definitions in memory", "MB", probe => probe.TableMegabytes, "< 60 MB");
        Add(meter, runs, "with all definitions as parsed resources held", "MB", probe => probe.ResourceMegabytes, null);
        Add(meter, runs, "working set of that process, tables only", "MB", probe => probe.WorkingSetMegabytes, null);
    }

    private static void Add(CodeMeter meter, List<DefinitionProbe> runs, string name, string unit, Func<DefinitionProbe, double> figure, string? budget) =>
        meter.Report.Add(name, unit, [.. runs.Select(figure)], budget: budget);

    private static DefinitionProbe Probe() => JsonSerializer.Deserialize<DefinitionProbe>(Workspace.Run("dotnet", typeof(DefinitionProbe).Assembly.Location, "definitions"))!;
}

/// <summary>What one process measured of the definitions.</summary>
internal sealed record DefinitionProbe(int Count, double OpenMilliseconds, double OpenCpuMilliseconds, double ReadMilliseconds, double TableMegabytes, double ResourceMegabytes, double WorkingSetMegabytes)
{
    private const double Megabyte = 1024 * 1024;

    /// <summary>Measures and prints one line of JSON.</summary>
    public static void Run()
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var (clock, cpu) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime);
        var definitions = FhirDefinitions.R4;
        _ = definitions.ProfileUrls.Count + definitions.ValueSetUrls.Count + DefinitionLibrary.R4.Versions("ValueSet", "http://hl7.org/fhir/ValueSet/observation-status").Count;
        var (open, openCpu) = (clock.Elapsed, Environment.CpuUsage.TotalTime - cpu);
        LoadTables(definitions);
        var tables = (GC.GetTotalMemory(forceFullCollection: true) - before) / Megabyte;
        var workingSet = Environment.WorkingSet / Megabyte;
        clock.Restart();
        var trees = ReadAll(definitions);
        var read = clock.Elapsed;
        var resources = (GC.GetTotalMemory(forceFullCollection: true) - before) / Megabyte;
        Console.WriteLine(JsonSerializer.Serialize(new DefinitionProbe(trees.Count, open.TotalMilliseconds, openCpu.TotalMilliseconds, read.TotalMilliseconds, tables, resources, workingSet)));
        GC.KeepAlive(definitions);
    }

    private static void LoadTables(FhirDefinitions definitions)
    {
        foreach (var url in definitions.ProfileUrls)
        {
            definitions.Profile(url);
        }

        foreach (var url in definitions.ValueSetUrls)
        {
            definitions.ValueSet(url);
        }

        foreach (var type in definitions.ResourceTypes)
        {
            _ = definitions.SearchParameters(type).Count;
        }
    }

    private static List<JsonTree> ReadAll(FhirDefinitions definitions)
    {
        var trees = new List<JsonTree>();
        foreach (var type in definitions.ResourceTypes)
        {
            trees.AddRange(DefinitionLibrary.R4.All(type).Select(resource => resource.Tree));
        }

        return trees;
    }
}
