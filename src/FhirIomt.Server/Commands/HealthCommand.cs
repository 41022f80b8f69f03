using System.CommandLine;

namespace FhirIomt.Server.Commands;

/// <summary><c>fhiriomt health [--server URL]</c>: exit code 0 when the server is ready. For container health checks, where there is no curl.</summary>
internal static class HealthCommand
{
    public static Command Build()
    {
        var server = new Option<string>("--server") { Description = "Address of the server", DefaultValueFactory = _ => "http://127.0.0.1:8080" };
        var command = new Command("health", "Ask a running server whether it is ready") { server };
        command.SetAction((parsed, cancellationToken) => AskAsync(parsed.GetValue(server)!.TrimEnd('/'), cancellationToken));
        return command;
    }

    private static async Task<int> AskAsync(string server, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        try
        {
            using var answer = await http.GetAsync(new Uri($"{server}/health/ready"), cancellationToken).ConfigureAwait(false);
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            return 1;
        }
    }
}
