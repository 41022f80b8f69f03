using System.Diagnostics;
using System.Text;

namespace FhirIomt.Clients.Tests;

/// <summary>A program of node that tells its checks as lines beginning with "ok" or "not ok".</summary>
internal static class NodeProgram
{
    public static async Task<IReadOnlyList<string>> RunAsync(string folder, string program, IReadOnlyList<string> arguments, string? world)
    {
        var start = new ProcessStartInfo(program) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        if (world is not null)
        {
            start.Environment["FHIRIOMT_WORLD"] = world;
        }

        using var process = Process.Start(start)!;
        var output = new StringBuilder();
        process.OutputDataReceived += (_, line) => Append(output, line.Data);
        process.ErrorDataReceived += (_, line) => Append(output, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, output.ToString());
        return [.. output.ToString().Split('\n').Where(line => line.StartsWith("ok ", StringComparison.Ordinal))];
    }

    /// <summary>The root of the source, from wherever the tests run.</summary>
    public static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "FhirIomt.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run outside the source.");
        }

        return folder.FullName;
    }

    private static void Append(StringBuilder output, string? line)
    {
        lock (output)
        {
            output.Append(line).Append('\n');
        }
    }
}
