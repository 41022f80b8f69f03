using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace FhirIomt.Server.Tests;

/// <summary>fhiriomt as a process of its own, as a person starts it.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _errors = new();

    private ChildProcess(IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = Path.GetTempPath() };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "fhiriomt.dll"));
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment ?? new Dictionary<string, string>(StringComparer.Ordinal))
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Keep(_output, line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(_errors, line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Base { get; private init; } = "";

    public string Output => TextOf(_output);

    public string Errors => TextOf(_errors);

    /// <summary>Runs a command to its end.</summary>
    public static Task<CommandResult> RunAsync(params string[] arguments) => RunAsync(null, arguments);

    public static Task<CommandResult> RunAsync(IReadOnlyDictionary<string, string>? environment, params string[] arguments) => RunWithInputAsync("", environment, arguments);

    /// <summary>Runs a command to its end that reads that from standard input.</summary>
    public static async Task<CommandResult> RunWithInputAsync(string input, IReadOnlyDictionary<string, string>? environment, params string[] arguments)
    {
        await using var child = new ChildProcess(arguments, environment);
        await child.WriteInputAsync(input);
        using var limit = new CancellationTokenSource(Patience);
        await child._process.WaitForExitAsync(limit.Token);
        return new CommandResult(child._process.ExitCode, child.Output, child.Errors);
    }

    /// <summary>Starts a server and waits until it answers.</summary>
    public static Task<ChildProcess> ServeAsync(string data, params string[] more) => ServeAsync(data, null, more);

    public static async Task<ChildProcess> ServeAsync(string data, IReadOnlyDictionary<string, string>? environment, params string[] more)
    {
        var address = $"http://127.0.0.1:{FreePort()}";
        var child = new ChildProcess(["serve", "--urls", address, "--data", data, .. more], environment) { Base = address };
        using var http = new HttpClient();
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            try
            {
                if ((await http.GetAsync(address + "/health/ready", limit.Token)).IsSuccessStatusCode)
                {
                    return child;
                }
            }
            catch (HttpRequestException)
            {
                Assert.False(child._process.HasExited, child.Errors);
                await Task.Delay(20, limit.Token);
            }
        }
    }

    /// <summary>Waits until the output holds that text.</summary>
    public async Task<string> WaitForOutputAsync(string text)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!Output.Contains(text, StringComparison.Ordinal))
        {
            Assert.False(_process.HasExited, Errors);
            await Task.Delay(50, limit.Token);
        }

        return Output;
    }

    /// <summary>Ends it as a power cut would.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task WriteInputAsync(string input)
    {
        try
        {
            await _process.StandardInput.WriteAsync(input);
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading.
        }
    }

    private static void Keep(StringBuilder text, string? line)
    {
        lock (text)
        {
            _ = line is null ? text : text.AppendLine(line);
        }
    }

    private static string TextOf(StringBuilder text)
    {
        lock (text)
        {
            return text.ToString();
        }
    }
}

/// <summary>What a command left behind.</summary>
internal sealed record CommandResult(int ExitCode, string Output, string Errors)
{
    /// <summary>The JSON of the last line, which scripts rely on.</summary>
    public JsonNode LastLine() => ExitCode == 0 ? JsonNode.Parse(Output.TrimEnd().Split('\n')[^1])! : throw new InvalidOperationException(Errors);
}
