using FhirIomt.Core;
using FhirIomt.Repository.Auditing;
using FhirIomt.Repository.Definitions;
using FhirIomt.Server.Hosting;
using FhirIomt.Storage;

namespace FhirIomt.Server.Commands;

/// <summary>Runs one command on the store, whether or not a server runs on it. Problems go to standard error and the exit code is 1.</summary>
internal static class StoreSession
{
    public static Task<int> RunAsync(ServerOptions options, Func<IServiceProvider, CancellationToken, Task<int>> command, CancellationToken cancellationToken) => RunAsync(
        options,
        services => services.AddSingleton<IStore>(parts => options.OpenStore(parts, serve: false)),
        async (parts, token) =>
        {
            // What a command writes is indexed by the stored search parameters too.
            await parts.GetRequiredService<ServerDefinitions>().RefreshAsync(token).ConfigureAwait(false);
            var code = await command(parts, token).ConfigureAwait(false);
            await RecordAsync(parts.GetRequiredService<AuditLog>(), options, code, token).ConfigureAwait(false);
            return code;
        },
        cancellationToken);

    // Whoever may read the files may do anything; who it was is what the operating system says.
    private static async ValueTask RecordAsync(AuditLog audit, ServerOptions options, int code, CancellationToken cancellationToken)
    {
        await audit.RecordAsync(
            new AuditEntry("command") { Sender = $"os/{Environment.UserName}", Target = options.Command, Outcome = code == 0 ? AuditOutcome.Success : AuditOutcome.Refused }, cancellationToken).ConfigureAwait(false);
        await audit.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>For commands that open the store in their own way, or not at all.</summary>
    public static Task<int> RunWithPartsAsync(ServerOptions options, Func<IServiceProvider, CancellationToken, Task<int>> command, CancellationToken cancellationToken) =>
        RunAsync(options, static _ => { }, command, cancellationToken);

    private static async Task<int> RunAsync(ServerOptions options, Action<IServiceCollection> addStore, Func<IServiceProvider, CancellationToken, Task<int>> command, CancellationToken cancellationToken)
    {
        options.PublicUrl = ServedAddress.Of(options) ?? options.PublicUrl;
        var services = new ServiceCollection();
        ServerHost.AddParts(services, options, TimeProvider.System);
        addStore(services);
        var provider = services.BuildServiceProvider();
        await using (provider.ConfigureAwait(false))
        {
            try
            {
                return await command(provider, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is StoreUnusableException or StoreBusyException or UnauthorizedAccessException or IOException)
            {
                await Console.Error.WriteLineAsync(exception.Message).ConfigureAwait(false);
                return 1;
            }
        }
    }

    /// <summary>Prints every issue with its fix.</summary>
    public static int Refuse(IReadOnlyList<Issue> issues)
    {
        foreach (var issue in issues)
        {
            var place = issue.Position is { } position ? $" ({position})" : issue.Expression is { } expression ? $" ({expression})" : "";
            Console.Error.WriteLine($"{issue.Severity.ToString().ToLowerInvariant()} {issue.Code}{place}: {issue.Message}{(issue.Fix is null ? "" : $" {issue.Fix}")}");
        }

        return issues.Any(issue => issue.Refuses) ? 1 : 0;
    }
}
