using FhirIomt.Bench;

const string Usage = "dotnet run -c Release --project bench/FhirIomt.Bench [-- [growth | soak | access | mqtt] [--engine sqlite|postgres|both] [--from N] [--to N] [--minutes N] [--quick] [--code-only] [--http-only] [--only TEXT] [--json FILE] [--binary FILE]]";
if (args.Contains("--help"))
{
    Console.WriteLine(Usage);
    return;
}

if (args is ["echo", var port])
{
    await EchoServer.RunAsync(int.Parse(port));
    return;
}

if (args is ["definitions"])
{
    DefinitionProbe.Run();
    return;
}

string? Option(string name) => args.SkipWhile(argument => argument != name).Skip(1).FirstOrDefault();

var quick = args.Contains("--quick");
string[] engines = Option("--engine") switch { null or "both" => ["sqlite", "postgres"], var one => [one] };
var report = new Report();
using var workspace = new Workspace();
if (args is ["mqtt", ..])
{
    var binary = Option("--binary") ?? workspace.Publish();
    foreach (var engine in engines)
    {
        await MqttBenchmarks.RunAsync(report, binary, workspace, engine, quick);
    }
}
else if (args is ["growth" or "soak" or "access", ..])
{
    var binary = Option("--binary") ?? workspace.Publish();
    foreach (var engine in engines)
    {
        await (args[0] == "access" ? AccessBenchmarks.RunAsync(report, binary, workspace, engine, quick) : args[0] == "growth"
            ? GrowthBenchmarks.RunAsync(report, binary, workspace, engine, long.Parse(Option("--from") ?? "100000"), long.Parse(Option("--to") ?? "1000000"), quick)
            : Soak.RunAsync(report, binary, workspace, engine, double.Parse(Option("--minutes") ?? "15")));
    }
}
else
{
    if (!args.Contains("--http-only"))
    {
        var meter = new CodeMeter(report, quick, Option("--only"));
        MappingBenchmarks.Run(meter, workspace);
        CodeBenchmarks.Run(meter, workspace);
        DecoderBenchmarks.Run(meter);
        DefinitionBenchmarks.Run(meter, workspace);
        SyntheaBenchmarks.Run(meter, workspace);
    }

    if (!args.Contains("--code-only"))
    {
        Console.WriteLine("publishing the server (ReadyToRun) …");
        var binary = Option("--binary") ?? workspace.Publish();
        if (Option("--only") is null)
        {
            await StartBenchmarks.RunAsync(report, binary, workspace, quick);
        }

        foreach (var engine in engines)
        {
            await HttpBenchmarks.RunAsync(report, binary, workspace, engine, quick, Option("--only"));
        }
    }
}

BenchCluster.Stop();
Console.WriteLine();
report.Print();
var json = Option("--json") ?? Path.Combine(workspace.Root, "artifacts", "bench.json");
report.Save(json);
Console.WriteLine($"JSON: {json}");
