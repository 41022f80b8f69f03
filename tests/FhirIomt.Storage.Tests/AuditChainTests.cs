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
    [InlineData("UPDATE audit SET key=0-key WHERE key={4}; UPDATE audit SET key={4} WHERE key={8}; UPDATE audit SET key={8} WHERE key<0")]
    [InlineData("DELETE FROM audit WHERE key>={9}; DELETE FROM audit_patient WHERE key>={9}; DELETE FROM audit_batch WHERE last>={9}")]
    [InlineData("DELETE FROM audit WHERE key<={2}; DELETE FROM audit_patient WHERE key<={2}; DELETE FROM audit_batch WHERE last<={2}")]
    [InlineData("DELETE FROM audit_patient WHERE key={5}")]
    [InlineData("INSERT INTO audit_patient(patient, key) VALUES ('somebody', {5})")]
    [InlineData("UPDATE audit_batch SET hash=(SELECT hash FROM audit_batch ORDER BY last LIMIT 1)")]
    public async Task A163_what_was_changed_taken_away_put_in_or_swapped_is_found(string sql)
    {
        await using var store = NewStore();
        await WriteAsync(store);
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

    private static async Task WriteAsync(TestStore store)
    {
        for (var commit = 0; commit < 4; commit++)
        {
            await store.RunAsync(transaction =>
            {
                for (var line = 0; line < 3; line++)
                {
                    transaction.Audit(new AuditRow(Encoding.UTF8.GetBytes($$"""{"k":"read","n":"{{commit}}-{{line}}","p":["patient-{{line}}"]}"""), [$"patient-{line}"]));
                }
            });
        }
    }
}

public sealed class PostgresAuditChainTests : AuditChainTests
{
    protected override Engine Engine => Engine.PostgreSql;
}
