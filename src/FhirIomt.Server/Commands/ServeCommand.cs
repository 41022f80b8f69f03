using System.CommandLine;
using FhirIomt.Server.Hosting;
using FhirIomt.Smart;
using FhirIomt.Storage;
using FhirIomt.Storage.Sqlite;

namespace FhirIomt.Server.Commands;

/// <summary><c>fhiriomt serve [--urls …] [--data DIR] [--demo]</c>.</summary>
internal static class ServeCommand
{
    public static Command Build(StoreOptions store)
    {
        var urls = new Option<string?>("--urls") { Description = "Where to listen (default http://127.0.0.1:8080)", HelpName = "URL" };
        var demo = new Option<bool>("--demo") { Description = "Register a demo EHR client and three patients with devices, and let the devices send" };
        var command = new Command("serve", "Run the server (the default)") { urls, demo };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(urls), options => store.Apply(parsed, options), parsed.GetValue(demo), cancellationToken));
        return command;
    }

    /// <summary>What is not said on the command line: the same for <c>serve</c> and for the commands that work beside it.</summary>
    public static IConfiguration Configuration() => new ConfigurationBuilder()
        .AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json"), optional: true)
        .AddEnvironmentVariables("FHIRIOMT_")
        .Build();

    private static async Task<int> RunAsync(string? urls, Action<ServerOptions> chooseStore, bool demo, CancellationToken cancellationToken)
    {
        var options = new ServerOptions();
        try
        {
            Configuration().Bind(options);
        }
        catch (InvalidOperationException exception)
        {
            // "Failed to convert configuration value 'many' at 'Ingest:MaxBodyBytes' to type 'System.Int32'."
            await Console.Error.WriteLineAsync(exception.Message).ConfigureAwait(false);
            return 1;
        }

        options.Urls = urls ?? options.Urls;
        chooseStore(options);
        options.Demo |= demo;
        return await RunAsync(options, cancellationToken).ConfigureAwait(false);
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
                await StartAsync(app, cancellationToken).ConfigureAwait(false);
                Console.WriteLine(Home.Text(app.Services.GetRequiredService<ServerAddress>()));
                Console.WriteLine("  store             " + options.StoreName);
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

    private static async Task StartAsync(WebApplication app, CancellationToken cancellationToken)
    {
        // Opened before the host starts: a store that cannot be used is told in one line.
        var store = app.Services.GetRequiredService<IStore>();
        await ServedAddress.RememberAsync(store, app.Services.GetRequiredService<ServerAddress>(), cancellationToken).ConfigureAwait(false);
        try
        {
            await app.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The address is in use. What had started already ends in order, without a word of its own.
            await app.StopAsync(CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }
}
