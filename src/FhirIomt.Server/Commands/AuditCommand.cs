using System.CommandLine;
using FhirIomt.Repository.Auditing;
using FhirIomt.Storage;
using FhirIomt.Storage.Sql;

namespace FhirIomt.Server.Commands;

/// <summary><c>fhiriomt audit verify [--expect HASH]</c>: walks the audit's chain, beside a running server too. 0: it is whole; 1: it is not, and where.</summary>
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
        return new Command("audit", "Who did what") { verify };
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
