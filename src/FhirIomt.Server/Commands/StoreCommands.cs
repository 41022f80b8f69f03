using System.CommandLine;
using System.Globalization;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository.Definitions;
using FhirIomt.Repository.Searching;
using FhirIomt.Server.Hosting;
using FhirIomt.Storage;
using FhirIomt.Storage.PostgreSql;
using FhirIomt.Storage.Sql;
using FhirIomt.Storage.Sqlite;

namespace FhirIomt.Server.Commands;

/// <summary><c>fhiriomt migrate | backup FILE | restore FILE | check [--repair] | copy --to-postgres …</c>: what an operator does to a store.</summary>
internal static class StoreCommands
{
    public static IEnumerable<Command> Build(StoreOptions store) => [BuildMigrate(store), BuildBackup(store), BuildRestore(store), BuildCheck(store), BuildCopy(store)];

    private static Command BuildMigrate(StoreOptions store)
    {
        var command = new Command("migrate", "Make the store, or bring it to this build's schema; a server does the same when it starts");
        command.SetAction((parsed, cancellationToken) =>
        {
            var options = store.Of(parsed);
            var before = options.IsPostgres ? null : SqliteStore.SchemaOf(options.Data);
            return StoreSession.RunWithPartsAsync(options, async (parts, _) =>
            {
                var opened = options.OpenStore(parts, serve: false, Progress("resources indexed anew"));
                await using (opened.ConfigureAwait(false))
                {
                    Console.WriteLine($"{options.StoreName}: schema {opened.Schema}{(before is { } version && version != opened.Schema ? $", was {version}" : "")}");
                    return 0;
                }
            }, cancellationToken);
        });
        return command;
    }

    private static Command BuildBackup(StoreOptions store)
    {
        var file = new Argument<string>("FILE") { Description = "Where to write it; must not exist" };
        var command = new Command("backup", "Write the embedded store to one file, beside a running server; the file is looked through before it gets its name") { file };
        command.SetAction((parsed, cancellationToken) =>
        {
            var options = store.Of(parsed);
            return StoreSession.RunWithPartsAsync(options, (parts, _) =>
            {
                RequireEmbedded(options, "pg_dump, or a base backup with its log,");
                var resources = SqliteBackup.Write(
                    options.Data, parsed.GetValue(file)!, parts.GetRequiredService<SearchIndexer>(), parts.GetRequiredService<IndexPolicy>(), parts.GetRequiredService<TimeProvider>());
                Console.WriteLine($"{parsed.GetValue(file)}: {Number(resources)} resources");
                return Task.FromResult(0);
            }, cancellationToken);
        });
        return command;
    }

    private static Command BuildRestore(StoreOptions store)
    {
        var file = new Argument<string>("FILE") { Description = "What 'backup' wrote" };
        var replace = new Option<bool>("--replace") { Description = "Also when the store holds something; that is kept beside it as fhiriomt.db.replaced" };
        var command = new Command("restore", "Put a backup in the place of the embedded store; no server may have it open") { file, replace };
        command.SetAction((parsed, cancellationToken) =>
        {
            var options = store.Of(parsed);
            return StoreSession.RunWithPartsAsync(options, (_, _) =>
            {
                RequireEmbedded(options, "pg_restore");
                var resources = SqliteBackup.Restore(parsed.GetValue(file)!, options.Data, parsed.GetValue(replace));
                Console.WriteLine($"{options.StoreName}: {Number(resources)} resources");
                return Task.FromResult(0);
            }, cancellationToken);
        });
        return command;
    }

    private static Command BuildCheck(StoreOptions store)
    {
        var repair = new Option<bool>("--repair") { Description = "Index anew what is wrong, and take away what belongs to nothing" };
        var command = new Command("check", "Compare the store with itself, beside a running server; exits with 1 when something is wrong") { repair };
        command.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(
            store.Of(parsed),
            async (parts, token) =>
            {
                var opened = (SqlStore)parts.GetRequiredService<IStore>();
                var (found, left) = await opened.CheckAsync(parsed.GetValue(repair), Progress("resources compared"), token).ConfigureAwait(false);
                Print(found);
                if (left is not null)
                {
                    Console.WriteLine(left.Problems == 0 ? "All of it is repaired." : "After the repair:");
                    if (left.Problems > 0)
                    {
                        Print(left);
                    }
                }

                return found.Problems == 0 ? 0 : 1;
            },
            cancellationToken));
        return command;
    }

    private static Command BuildCopy(StoreOptions store)
    {
        var target = new SecretOption("--to-postgres", "FHIRIOMT_TO_POSTGRES", "Connection string of the store to copy into, which must be empty or hold a copy that was stopped", "CONNECTIONSTRING");
        var command = new Command("copy", "Copy the embedded store to PostgreSQL: every version, its time, records; no server may have it open. What is stopped goes on when it is run again");
        target.AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            if (!target.Read(parsed).TryGetValue(out var to, out var issues))
            {
                return Task.FromResult(StoreSession.Refuse(issues));
            }

            var options = store.Of(parsed);
            options.Postgres = null;
            return StoreSession.RunWithPartsAsync(options, async (parts, token) =>
            {
                var policy = parts.GetRequiredService<IndexPolicy>();
                var copied = await PostgresStore.CopyFromAsync(
                    options.Data,
                    to,
                    parts.GetRequiredService<SearchIndexer>(),
                    policy,
                    TimeProvider.System,
                    async source =>
                    {
                        using var definitions = new ServerDefinitions(source, policy.Definitions, new CustomParameters(source, policy));
                        await definitions.RefreshAsync(token).ConfigureAwait(false);
                    },
                    Progress("rows copied")).ConfigureAwait(false);
                Console.WriteLine($"{PostgresStore.NameOf(to)}: {Number(copied)} versions and records copied");
                return 0;
            }, cancellationToken);
        });
        return command;
    }

    private static void RequireEmbedded(ServerOptions options, string instead)
    {
        if (options.IsPostgres)
        {
            throw new StoreUnusableException($"This is for the embedded store. PostgreSQL has its own: {instead} see docs/operations.md.");
        }
    }

    private static void Print(StoreCheckReport report)
    {
        foreach (var problem in report.Named)
        {
            Console.WriteLine(problem);
        }

        if (report.Problems > report.Named.Count)
        {
            Console.WriteLine($"… and {Number(report.Problems - report.Named.Count)} more.");
        }

        Console.WriteLine(report.Problems == 0 ? $"{Number(report.Resources)} resources: nothing is wrong." : $"{Number(report.Resources)} resources, {Number(report.Problems)} problems.");
    }

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    // A line for every ten thousand: a store of ten millions prints a thousand.
    private static SteppedProgress Progress(string what) => new(what);

    private sealed class SteppedProgress(string what) : IProgress<long>
    {
        private const long Step = 10_000;
        private long _last;

        public void Report(long value)
        {
            if (value / Step > _last / Step)
            {
                Console.Error.WriteLine($"{Number(value)} {what}");
            }

            _last = value;
        }
    }
}
