using System.CommandLine;
using FhirIomt.Fhir.Search;
using FhirIomt.Repository.Auditing;
using FhirIomt.Storage;
using FhirIomt.Storage.Sql;

namespace FhirIomt.Server.Commands;

/// <summary>
/// <c>fhiriomt audit verify [--expect HASH]</c> walks the audit's chain (0: it is whole; 1: it is not, and where), <c>audit export FILE</c> writes it as AuditEvents; both beside a running
/// server too.
/// </summary>
internal static class AuditCommand
{
    public static Command Build(StoreOptions store)
    {
        var expect = new Option<string?>("--expect") { Description = "A hash that an earlier run told: it must still be in the chain", HelpName = "HASH" };
        var verify = new Command("verify", "Check that no line of the audit was changed, taken away or put in") { expect };
        verify.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(
            store.Of(parsed),
            (services, _) => Task.FromResult(Tell(((SqlStore)services.GetRequiredService<IStore>()).CheckAudit(parsed.GetValue(expect), progress: null), parsed.GetValue(expect))),
            cancellationToken));
        return new Command("audit", "Who did what") { verify, BuildExport(store) };
    }

    private static Command BuildExport(StoreOptions store)
    {
        var file = new Argument<string>("FILE") { Description = "Where to write it; must not exist. - is standard output" };
        var since = new Option<DateTimeOffset?>("--since") { Description = "From that time on, such as 2026-11-01T00:00:00Z", HelpName = "TIME" };
        var until = new Option<DateTimeOffset?>("--until") { Description = "Up to that time, not included", HelpName = "TIME" };
        var export = new Command("export", "Write the audit as AuditEvents, one JSON object a line, beside a running server too") { file, since, until };
        export.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(
            store.Of(parsed),
            (services, token) => ExportAsync(services, parsed.GetValue(file)!, parsed.GetValue(since), parsed.GetValue(until), token),
            cancellationToken));
        return export;
    }

    private static async Task<int> ExportAsync(IServiceProvider services, string file, DateTimeOffset? since, DateTimeOffset? until, CancellationToken cancellationToken)
    {
        var trail = new AuditTrail(services.GetRequiredService<IStore>(), services.GetRequiredService<AuditLog>(), services.GetRequiredService<SearchIndexer>());
        var events = 0L;
        var output = file == "-" ? Console.OpenStandardOutput() : new FileStream(file, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 1 << 16);
        await using (output.ConfigureAwait(false))
        {
            await foreach (var one in trail.ExportAsync(since, until, cancellationToken).ConfigureAwait(false))
            {
                await output.WriteAsync(one, cancellationToken).ConfigureAwait(false);
                output.WriteByte((byte)'\n');
                events++;
            }
        }

        await Console.Error.WriteLineAsync($"{events} events").ConfigureAwait(false);
        return 0;
    }

    private static int Tell(AuditCheckReport report, string? expected)
    {
        if (report.Problem is { } problem)
        {
            Console.Error.WriteLine($"error IOMT-0891: {problem} {report.Rows} lines before it are as they were written. Compare with a backup.");
            return 1;
        }

        if (expected is not null && !report.HasExpected)
        {
            Console.Error.WriteLine("error IOMT-0892: The hash is not one of the chain: the audit was replaced or cut since it was told. Compare with a backup.");
            return 1;
        }

        Console.WriteLine($"{report.Rows} lines in {report.Batches} commits are as they were written.");
        Console.WriteLine($"head {report.Head}");
        return 0;
    }
}
