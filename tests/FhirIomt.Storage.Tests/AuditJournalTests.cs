using System.Text;
using FhirIomt.Storage.Sqlite;

namespace FhirIomt.Storage.Tests;

/// <summary>Lines that are no part of a write: durable at once, in the store a moment later, and never twice, whenever the process dies.</summary>
public sealed class AuditJournalTests
{
    [Fact]
    public async Task What_was_appended_is_read_in_its_order_and_belongs_to_the_chain()
    {
        await using var store = TestStore.New();
        await store.Store.AppendAuditAsync([Line("a", "pa"), Line("b", "pb")], CancellationToken.None);
        await store.RunAsync(transaction => transaction.Audit(Line("c", "pa")));
        await store.Store.AppendAuditAsync([Line("d", "pa")], CancellationToken.None);

        // One of a write may stand before those of reads: these come into the store when they are asked for, or within a second.
        Assert.Equal(["a", "b", "c", "d"], (await NamesAsync(store)).Order(StringComparer.Ordinal));
        Assert.Equal(["a", "d"], (await NamesAsync(store, "pa")).Where(name => name != "c"));
        var report = store.Store.CheckAudit(null, null);
        Assert.Null(report.Problem);
        Assert.Equal(4, report.Rows);
    }

    [Fact]
    public async Task What_was_appended_before_the_process_died_is_there_when_the_next_one_opens_the_store()
    {
        using var folder = new TemporaryFolder();
        var (data, copy) = (Path.Combine(folder.Path, "data"), Path.Combine(folder.Path, "copy"));
        await using var store = TestStore.On(data, serve: true);
        for (var commit = 0; commit < 5; commit++)
        {
            await store.Store.AppendAuditAsync([Line($"{commit}", "pa"), Line($"{commit}x", "pb")], CancellationToken.None);
            CopyFiles(data, copy, "fhiriomt-audit.db");
            CopyFiles(data, copy, "fhiriomt.db");
            await using var next = TestStore.On(copy, serve: commit % 2 == 0);
            Assert.Equal((commit + 1) * 2, (await NamesAsync(next)).Distinct(StringComparer.Ordinal).Count());
            Assert.Equal((commit + 1) * 2, (await NamesAsync(next)).Count);
            Assert.Null(next.Store.CheckAudit(null, null).Problem);
        }
    }

    [Fact]
    public async Task Dying_between_taking_lines_and_forgetting_them_enters_none_twice()
    {
        using var folder = new TemporaryFolder();
        var (data, copy) = (Path.Combine(folder.Path, "data"), Path.Combine(folder.Path, "copy"));
        await using var store = TestStore.On(data, serve: true);
        await store.Store.AppendAuditAsync([Line("a", "pa"), Line("b", "pb")], CancellationToken.None);
        CopyFiles(data, copy, "fhiriomt-audit.db");
        Assert.Equal(["a", "b"], await NamesAsync(store));
        CopyFiles(data, copy, "fhiriomt.db");

        await using (var next = TestStore.On(copy, serve: true))
        {
            Assert.Equal(["a", "b"], await NamesAsync(next));
            await next.Store.AppendAuditAsync([Line("c", "pa")], CancellationToken.None);
        }

        // Closed in order, nothing is left beside the store; a journal that somebody took away is made anew, and its numbers do not count as taken.
        foreach (var file in Directory.GetFiles(copy, "fhiriomt-audit.db*"))
        {
            File.Delete(file);
        }

        await using var last = TestStore.On(copy, serve: true);
        await last.Store.AppendAuditAsync([Line("d", "pa")], CancellationToken.None);
        Assert.Equal(["a", "b", "c", "d"], await NamesAsync(last));
    }

    [Fact]
    public async Task A_backup_beside_a_server_has_what_its_journal_still_holds()
    {
        using var folder = new TemporaryFolder();
        var data = Path.Combine(folder.Path, "data");
        await using var store = TestStore.On(data, serve: true);
        for (var commit = 0; commit < 5; commit++)
        {
            await store.RunAsync(transaction => transaction.Audit(Line($"{commit}w", "pb")));
            await store.Store.AppendAuditAsync([Line($"{commit}", "pa"), Line($"{commit}x", "pb")], CancellationToken.None);
            var (file, restored) = (Path.Combine(folder.Path, $"backup{commit}"), Path.Combine(folder.Path, $"restored{commit}"));
            SqliteBackup.Write(data, file, TestStore.Indexer, TestStore.Policy, store.Time);
            SqliteBackup.Restore(file, restored, replace: false);
            await using var copy = TestStore.On(restored, serve: true);
            var expected = Enumerable.Range(0, commit + 1).SelectMany(number => new[] { $"{number}", $"{number}w", $"{number}x" });
            Assert.Equal(expected, (await NamesAsync(copy)).Order(StringComparer.Ordinal));
            Assert.Equal(commit + 1, (await NamesAsync(copy, "pa")).Count);
            Assert.Null(copy.Store.CheckAudit(null, null).Problem);
        }
    }

    [Fact]
    public async Task What_the_store_took_while_a_backup_was_made_is_in_it_once()
    {
        using var folder = new TemporaryFolder();
        var (data, copy) = (Path.Combine(folder.Path, "data"), Path.Combine(folder.Path, "copy"));
        await using var store = TestStore.On(data, serve: true);
        await store.Store.AppendAuditAsync([Line("a", "pa"), Line("b", "pb")], CancellationToken.None);
        var waiting = AuditJournal.WaitingIn(AuditJournal.PathIn(data));
        Assert.Equal(["a", "b"], await NamesAsync(store));
        await store.Store.AppendAuditAsync([Line("c", "pa")], CancellationToken.None);
        CopyFiles(data, copy, "fhiriomt.db");
        using (var connection = new SqliteConnection(SqliteStore.PathIn(copy), readOnly: false))
        {
            AuditJournal.Enter(waiting, connection, new Sql.SqlEngine(connection, TestStore.Indexer, TestStore.Policy, store.Time));
        }

        await using var entered = TestStore.On(copy, serve: true);
        Assert.Equal(["a", "b"], await NamesAsync(entered));
    }

    [Fact]
    public void A_journal_that_is_none_is_refused_and_named()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(AuditJournal.PathIn(folder.Path), new string('x', 10_000));
        var refused = Assert.Throws<StoreUnusableException>(() => { TestStore.On(folder.Path, serve: true); });
        Assert.Contains("fhiriomt-audit.db", refused.Message, StringComparison.Ordinal);
    }

    private static AuditRow Line(string name, string patient) => new(Encoding.UTF8.GetBytes($$"""{"k":"read","n":"{{name}}","p":["{{patient}}"]}"""), [patient]);

    private static async Task<List<string>> NamesAsync(TestStore store, string? patient = null) =>
        [.. (await store.Store.ReadAuditAsync(new AuditQuery(0, long.MaxValue, patient, Descending: false, 100), CancellationToken.None))
            .Select(line => System.Text.Json.JsonDocument.Parse(line.Body).RootElement.GetProperty("n").GetString()!)];

    // As they lie on the disk at that moment. The journal first: what it gives to the store it still has then.
    private static void CopyFiles(string from, string to, string name)
    {
        Directory.CreateDirectory(to);
        foreach (var ending in (string[])["", "-wal"])
        {
            if (File.Exists(Path.Combine(from, name + ending)))
            {
                File.Copy(Path.Combine(from, name + ending), Path.Combine(to, name + ending), overwrite: true);
            }
            else
            {
                File.Delete(Path.Combine(to, name + ending));
            }
        }

        File.Delete(Path.Combine(to, name + "-shm"));
    }
}
