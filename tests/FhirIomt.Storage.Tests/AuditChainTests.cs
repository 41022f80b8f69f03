using System.Text;

namespace FhirIomt.Storage.Tests;

/// <summary>Whatever is done to the audit behind the store's back is found (abuse case 163).</summary>
public class AuditChainTests : StoreTests
{
    [Fact]
    public async Task A163_an_untouched_audit_is_whole_and_its_head_is_found_again()
    {
        await using var store = NewStore();
        await WriteAsync(store);
        var first = store.Store.CheckAudit(null, null);
        Assert.Null(first.Problem);
        Assert.Equal(12, first.Rows);
        await WriteAsync(store);
        var second = store.Store.CheckAudit(first.Head, null);
        Assert.True(second.HasExpected);
        Assert.NotEqual(first.Head, second.Head);
        Assert.False(store.Store.CheckAudit(new string('0', 64), null).HasExpected);
    }

    [Theory]
    [InlineData("UPDATE audit SET body=(SELECT body FROM audit ORDER BY key LIMIT 1) WHERE key={5}")]
    [InlineData("DELETE FROM audit WHERE key={5}")]
    [InlineData("DELETE FROM audit WHERE key={11}")]
    [InlineData("INSERT INTO audit(key, body) SELECT key+1, body FROM audit WHERE key={11}")]
    [InlineData("UPDATE audit SET key=0-key WHERE key={5}; UPDATE audit SET key={5} WHERE key={8}; UPDATE audit SET key={8} WHERE key<0")]
    [InlineData("DELETE FROM audit WHERE key>={9}; DELETE FROM audit_batch WHERE last>={9}")]
    [InlineData("DELETE FROM audit WHERE key<={2}; DELETE FROM audit_batch WHERE last<={2}")]
    [InlineData("DELETE FROM audit_patient WHERE patient='patient-1'")]
    [InlineData("INSERT INTO audit_patient(patient, readings, last) VALUES ('somebody', 0, {5})")]
    [InlineData("UPDATE audit_patient SET readings=0 WHERE patient='patient-2'")]
    [InlineData("UPDATE audit_patient SET last=last+1 WHERE patient='patient-1'")]
    [InlineData("UPDATE audit_patient SET earlier=substr(earlier, 1, 1) WHERE patient='patient-1'")]
    [InlineData("UPDATE audit_batch SET hash=(SELECT hash FROM audit_batch ORDER BY last LIMIT 1)")]
    public async Task A163_what_was_changed_taken_away_put_in_or_swapped_is_found(string sql)
    {
        await using var store = NewStore();
        await WriteAsync(store);
        await FileAsync(store);
        Assert.Null(store.Store.CheckAudit(null, null).Problem);
        var lines = await store.Store.ReadAuditAsync(new AuditQuery(0, long.MaxValue, null, Descending: false, 100), CancellationToken.None);
        for (var index = lines.Count - 1; index >= 0; index--)
        {
            sql = sql.Replace($"{{{index}}}", $"{lines[index].Key}", StringComparison.Ordinal);
        }

        store.Break(sql);
        Assert.NotNull(store.Store.CheckAudit(null, null).Problem);
    }

    [Fact]
    public async Task Lines_whose_time_is_over_go_and_the_rest_stays_a_chain()
    {
        await using var store = NewStore();
        await WriteAsync(store);
        store.Time.Advance(TimeSpan.FromDays(2));
        await WriteAsync(store);
        long gone = 0;
        await store.RunAsync(transaction => gone = transaction.PruneAudit(store.Time.GetUtcNow() - TimeSpan.FromDays(1), 100));
        Assert.Equal(12, gone);
        var report = store.Store.CheckAudit(null, null);
        Assert.Null(report.Problem);
        Assert.Equal(12, report.Rows);
    }

    [Fact]
    public async Task Lines_are_found_by_patient_and_in_both_orders()
    {
        await using var store = NewStore();
        await WriteAsync(store);
        var all = await store.Store.ReadAuditAsync(new AuditQuery(0, long.MaxValue, "patient-1", Descending: true, 100), CancellationToken.None);
        Assert.Equal(4, all.Count);
        Assert.Equal(all.Select(line => line.Key).OrderDescending(), all.Select(line => line.Key));
        Assert.Empty(await store.Store.ReadAuditAsync(new AuditQuery(0, long.MaxValue, "patient-9", Descending: true, 100), CancellationToken.None));
    }

    [Fact]
    public async Task Lines_that_tell_of_readings_are_found_without_those_who_looked()
    {
        await using var store = NewStore();
        for (var line = 0; line < 30; line++)
        {
            await store.RunAsync(transaction => transaction.Audit(Line($"{line}", line % 3 == 0 ? "patient-1" : "patient-2", readings: line % 10 == 0)));
        }

        var all = await ReadAsync(store, 0, long.MaxValue, null, descending: false, 1000);
        foreach (var descending in (bool[])[false, true])
        {
            var ofOne = Enumerable.Range(0, 30).Where(line => line % 3 == 0).Select(line => all[line]);
            AssertSame(descending ? ofOne.Reverse() : ofOne, await ReadAsync(store, 0, long.MaxValue, "patient-1", descending, 1000));
            AssertSame([all[0]], await store.Store.ReadAuditAsync(new AuditQuery(0, long.MaxValue, "patient-1", descending, 1000) { WithReadings = true }, CancellationToken.None));
            AssertSame(descending ? [all[20], all[10]] : [all[10], all[20]], await store.Store.ReadAuditAsync(new AuditQuery(0, long.MaxValue, "patient-2", descending, 1000) { WithReadings = true }, CancellationToken.None));
        }

        Assert.Null(store.Store.CheckAudit(null, null).Problem);
    }

    [Fact]
    public async Task A_stretch_is_what_lies_in_it_whatever_rows_its_lines_are_packed_in()
    {
        await using var store = NewStore();
        foreach (var size in (int[])[1, 300, 2, 1, 1, 1, 128, 5])
        {
            await store.RunAsync(transaction => WriteLines(transaction, size));
        }

        var all = await ReadAsync(store, 0, long.MaxValue, null, descending: false, 1000);
        Assert.Equal(439, all.Count);
        Assert.Equal(all.Select(line => line.Key).Distinct().Order(), all.Select(line => line.Key));
        Assert.Null(store.Store.CheckAudit(null, null).Problem);
        for (var from = 0; from < all.Count; from += 7)
        {
            for (var to = from; to < all.Count; to += 31)
            {
                var between = all.Skip(from).Take(to - from + 1).ToList();
                AssertSame(between.Take(50), await ReadAsync(store, all[from].Key, all[to].Key, null, descending: false, 50));
                AssertSame(between.AsEnumerable().Reverse().Take(50), await ReadAsync(store, all[from].Key, all[to].Key, null, descending: true, 50));
                var ofOne = between.Where(line => Encoding.UTF8.GetString(line.Body.Span).Contains("\"patient-1\"", StringComparison.Ordinal)).ToList();
                AssertSame(ofOne, await ReadAsync(store, all[from].Key, all[to].Key, "patient-1", descending: false, 1000));
            }
        }
    }

    private static void WriteLines(IWriteTransaction transaction, int size)
    {
        for (var line = 0; line < size; line++)
        {
            transaction.Audit(Line($"{size}-{line}", $"patient-{line % 7}", readings: line % 5 == 0));
        }
    }

    private static AuditRow Line(string name, string patient, bool readings)
    {
        var told = readings ? ",\"v\":[1]" : "";
        return new AuditRow(Encoding.UTF8.GetBytes($$"""{"k":"read","n":"{{name}}","p":["{{patient}}"]{{told}}}"""), [patient]);
    }

    private static ValueTask<IReadOnlyList<StoredAudit>> ReadAsync(TestStore store, long first, long last, string? patient, bool descending, int limit) =>
        store.Store.ReadAuditAsync(new AuditQuery(first, last, patient, descending, limit), CancellationToken.None);

    private static void AssertSame(IEnumerable<StoredAudit> expected, IEnumerable<StoredAudit> actual) =>
        Assert.Equal(expected.Select(line => (line.Key, Encoding.UTF8.GetString(line.Body.Span))), actual.Select(line => (line.Key, Encoding.UTF8.GetString(line.Body.Span))));

    // What waits for an hour is filed with the next commits, some patients with each.
    private static async Task FileAsync(TestStore store, int commits = 1)
    {
        store.Time.Advance(TimeSpan.FromHours(2));
        for (var commit = 0; commit < commits; commit++)
        {
            await store.RunAsync(_ => { });
        }
    }

    private static async Task WriteAsync(TestStore store)
    {
        for (var commit = 0; commit < 4; commit++)
        {
            await store.RunAsync(transaction =>
            {
                for (var line = 0; line < 3; line++)
                {
                    transaction.Audit(Line($"{commit}-{line}", $"patient-{line}", readings: line == 2));
                }
            });
        }
    }
}

public sealed class PostgresAuditChainTests : AuditChainTests
{
    protected override Engine Engine => Engine.PostgreSql;
}
