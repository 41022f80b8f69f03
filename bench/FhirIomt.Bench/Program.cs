using FhirIomt.Bench;

// dotnet run -c Release --project bench/FhirIomt.Bench [-- --quick] [--code-only] [--only TEXT] [--json FILE]
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

var quick = args.Contains("--quick");
var report = new Report();
using var workspace = new Workspace();
var meter = new CodeMeter(report, quick, args.SkipWhile(argument => argument != "--only").Skip(1).FirstOrDefault());
CodeBenchmarks.Run(meter, workspace);
DefinitionBenchmarks.Run(meter, workspace);
SyntheaBenchmarks.Run(meter, workspace);
if (args.Contains("--code-only"))
{
    return;
}

Console.WriteLine("publishing the server (ReadyToRun) …");
var binary = workspace.Publish();
await StartBenchmarks.RunAsync(report, binary, workspace, quick);
await HttpBenchmarks.RunAsync(report, binary, workspace, quick);
Console.WriteLine();
report.Print();
var json = args.SkipWhile(argument => argument != "--json").Skip(1).FirstOrDefault() ?? Path.Combine(workspace.Root, "artifacts", "bench.json");
report.Save(json);
Console.WriteLine($"JSON: {json}");
