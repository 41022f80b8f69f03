using System.CommandLine;
using FhirIomt.Server.Hosting;
using FhirIomt.Smart;
using FhirIomt.Storage.Sqlite;

namespace FhirIomt.Server.Commands;

/// <summary><c>fhiriomt serve [--urls …] [--data DIR] [--demo]</c>.</summary>
internal static class ServeCommand
{
    public static Command Build(Option<string> data)
    {
        var urls = new Option<string?>("--urls") { Description = "Where to listen (default http://127.0.0.1:8080)", HelpName = "URL" };
        var demo = new Option<bool>("--demo") { Description = "Register a demo EHR client and three patients with devices, and let the devices send" };
        var command = new Command("serve", "Run the server (the default)") { urls, demo };
        command.SetAction((parsed, cancellationToken) => RunAsync(Options(parsed.GetValue(urls), parsed.GetResult(data) is { Implicit: false } ? parsed.GetValue(data) : null, parsed.GetValue(demo)), cancellationToken));
        return command;
    }

    private static ServerOptions Options(string? urls, string? data, bool demo)
    {
        var configuration = new ConfigurationBuilder()
            .AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json"), optional: true)
            .AddEnvironmentVariables("FHIRIOMT_")
            .Build();
        var options = new ServerOptions();
        configuration.Bind(options);
        options.Urls = urls ?? options.Urls;
        options.Data = data ?? options.Data;
        options.Demo |= demo;
        return options;
    }

    private static async Task<int> RunAsync(ServerOptions options, CancellationToken cancellationToken)
    {
        var problems = options.Problems().ToList();
        if (problems.Count > 0)
        {
            problems.ForEach(Console.Error.WriteLine);
            return 1;
        }

        try
        {
            var app = ServerHost.Build(options, TimeProvider.System);
            await using (app.ConfigureAwait(false))
            {
                await app.StartAsync(cancellationToken).ConfigureAwait(false);
                Console.WriteLine(Home.Text(app.Services.GetRequiredService<ServerAddress>()));
                Console.WriteLine("  store             " + Path.GetFullPath(options.Data));
                Console.WriteLine("Press Ctrl+C to stop.");
                await app.WaitForShutdownAsync(cancellationToken).ConfigureAwait(false);
                return 0;
            }
        }
        catch (Exception exception) when (exception is StoreUnusableException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync(exception.Message).ConfigureAwait(false);
            return 1;
        }
    }
}
