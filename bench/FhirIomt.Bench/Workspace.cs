using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace FhirIomt.Bench;

/// <summary>The source tree, and a folder for what the run makes.</summary>
internal sealed class Workspace : IDisposable
{
    private readonly string _temporary = Directory.CreateTempSubdirectory("fhiriomt-bench-").FullName;

    public string Root { get; } = FindRoot();

    public string Temporary => _temporary;

    public string Folder(string name) => Directory.CreateDirectory(Path.Combine(_temporary, name)).FullName;

    /// <summary>A file of the conformance data that lies beside the project on some machines; null where it is missing.</summary>
    public string? Shared(string relativePath)
    {
        var root = Environment.GetEnvironmentVariable("FHIRIOMT_SHARED") is { Length: > 0 } named ? named : Path.Combine(Root, "..", "shared");
        var path = Path.GetFullPath(Path.Combine(root, relativePath));
        return File.Exists(path) ? path : null;
    }

    public string Publish()
    {
        var output = Path.Combine(_temporary, "server");
        Run("dotnet", "publish", "-c", "Release", Path.Combine(Root, "src", "FhirIomt.Server"), "-r", RuntimeInformation.RuntimeIdentifier.Replace("debian.12", "linux"), "--self-contained", "false", "-p:PublishReadyToRun=true", "-p:RunAnalyzers=false", "-o", output, "-v", "q", "--nologo");
        return Path.Combine(output, "fhiriomt");
    }

    /// <summary>Runs a program to its end and answers the last line it printed.</summary>
    public static string Run(string program, params string[] arguments) => RunWithInput("", program, arguments);

    public static string RunWithInput(string input, string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardInput = true };
        using var process = Process.Start(start)!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? text.TrimEnd().Split('\n')[^1] : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {text}");
    }

    public static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    public void Dispose() => Directory.Delete(_temporary, recursive: true);

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory!.FullName, "FhirIomt.sln")))
        {
            directory = directory.Parent;
        }

        return directory.FullName;
    }
}

/// <summary>A server process that ends with this object.</summary>
internal sealed class RunningServer : IDisposable
{
    private RunningServer(Process process, int port, TimeSpan untilAnswer)
    {
        Process = process;
        Port = port;
        UntilAnswer = untilAnswer;
    }

    public Process Process { get; }

    public int Port { get; }

    /// <summary>From the start of the process to the first answer.</summary>
    public TimeSpan UntilAnswer { get; }

    public long ResidentBytes
    {
        get
        {
            Process.Refresh();
            return Process.WorkingSet64;
        }
    }

    public static async Task<RunningServer> StartAsync(string path, string program, params string[] arguments)
    {
        var port = Workspace.FreePort();
        var clock = Stopwatch.StartNew();
        var start = new ProcessStartInfo(program, arguments.Select(argument => argument.Replace("PORT", $"{port}"))) { RedirectStandardOutput = true };

        // All load comes from one address and one client, which is what limits are against.
        start.Environment["FHIRIOMT_Limits__Enabled"] = "false";
        var process = Process.Start(start)!;
        process.OutputDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        using var http = new HttpClient();
        while (true)
        {
            try
            {
                using var answer = await http.GetAsync($"http://127.0.0.1:{port}{path}");
                return new RunningServer(process, port, clock.Elapsed);
            }
            catch (HttpRequestException) when (clock.Elapsed < TimeSpan.FromSeconds(30) && !process.HasExited)
            {
                await Task.Delay(5);
            }
        }
    }

    public void Dispose()
    {
        Process.Kill();
        Process.WaitForExit();
        Process.Dispose();
    }
}
