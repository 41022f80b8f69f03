using System.Text;
using FhirIomt.Storage.Sqlite;

namespace FhirIomt.Storage.Tests;

public sealed class BackupTests
{
    [Fact]
    public async Task A_backup_beside_a_server_that_writes_is_whole_and_restores()
    {
        await using var store = TestStore.New();
        for (var number = 0; number < 50; number++)
        {
            await store.PutAsync($"x{number}", Sample.HeartRate());
        }

        await store.PutRecordAsync(new StoredRecord(RecordKind.Client, "c", "{}"u8.ToArray()));
        var writing = Task.Run(async () =>
        {
            for (var number = 50; number < 150; number++)
            {
                await store.PutAsync($"x{number}", Sample.HeartRate());
            }
        });
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "backup.db");
        var resources = Write(store.Folder, file);
        await writing;
        Assert.InRange(resources, 50, 150);

        var target = Path.Combine(folder.Path, "restored");
        Assert.Equal(resources, SqliteBackup.Restore(file, target, replace: false));
        await using var restored = TestStore.On(target, serve: true);
        Assert.Equal(resources, (await restored.WalkAsync(TestStore.Query("Observation", ("patient", "pa"), ("_count", "1000")))).Count);
        Assert.NotNull(await restored.Store.FindRecordAsync(RecordKind.Client, "c", CancellationToken.None));
        Assert.Equal(0, (await restored.Store.CheckAsync(repair: false, null, CancellationToken.None)).Found.Problems);
        await restored.PutAsync("after", Sample.HeartRate());
    }

    [Fact]
    public async Task A_restore_replaces_only_when_told_and_keeps_what_was_there()
    {
        using var folder = new TemporaryFolder();
        var (data, file) = (Path.Combine(folder.Path, "data"), Path.Combine(folder.Path, "backup.db"));
        await using (var store = TestStore.On(data, serve: true))
        {
            await store.PutAsync("old", Sample.Patient());
            Write(data, file);
            await store.PutAsync("new", Sample.Patient());
            var running = Assert.Throws<StoreUnusableException>(() => SqliteBackup.Restore(file, data, replace: true));
            Assert.Contains("Stop it first", running.Message, StringComparison.Ordinal);
        }

        var holds = Assert.Throws<StoreUnusableException>(() => SqliteBackup.Restore(file, data, replace: false));
        Assert.Contains("--replace", holds.Message, StringComparison.Ordinal);
        SqliteBackup.Restore(file, data, replace: true);
        await using (var restored = TestStore.On(data, serve: true))
        {
            Assert.NotNull(await restored.BodyAsync("Patient", "old"));
            Assert.Null(await restored.BodyAsync("Patient", "new"));
        }

        File.Move(Path.Combine(data, "fhiriomt.db.replaced"), Path.Combine(folder.Path, "fhiriomt.db"));
        await using var replaced = TestStore.On(folder.Path, serve: true);
        Assert.NotNull(await replaced.BodyAsync("Patient", "new"));
    }

    [Fact]
    public async Task What_is_no_backup_is_refused_and_changes_nothing()
    {
        using var folder = new TemporaryFolder();
        var (data, file) = (Path.Combine(folder.Path, "data"), Path.Combine(folder.Path, "backup.db"));
        Assert.Throws<StoreUnusableException>(() => Write(data, file));
        await using (var store = TestStore.On(data, serve: true))
        {
            await store.PutAsync("x", Sample.HeartRate(more: $"\"note\":[{{\"text\":\"{new string('n', 200_000)}\"}}]"));
            Write(data, file);
            Assert.Throws<StoreUnusableException>(() => Write(data, file));
        }

        var text = Path.Combine(folder.Path, "text");
        File.WriteAllText(text, "not a database at all, whatever its name says");
        var bytes = File.ReadAllBytes(file);
        bytes.AsSpan(bytes.Length / 2, 64).Fill(0xAA);
        Array.Fill<byte>(bytes, 0xAA, 3 * 8192, 8192);
        File.WriteAllBytes(text + "2", bytes);
        foreach (var bad in (string[])[text, text + "2", Path.Combine(folder.Path, "missing")])
        {
            Assert.Throws<StoreUnusableException>(() => SqliteBackup.Restore(bad, data, replace: true));
        }

        await using var again = TestStore.On(data, serve: true);
        Assert.NotNull(await again.BodyAsync("Observation", "x"));
    }

    [Fact]
    public async Task A_copy_to_PostgreSQL_has_every_version_time_and_record()
    {
        using var folder = new TemporaryFolder();
        var schema = FhirIomt.Tests.PostgresCluster.NewSchema();
        var versions = new Dictionary<(string Type, string Id, long Version), (DateTimeOffset Time, bool Deleted, string Body)>();
        await using (var source = TestStore.On(folder.Path, serve: true))
        {
            await World.CreateAsync(source, new Random(13), documents: 80, updates: 160);
            await source.RunAsync(transaction => transaction.Delete(transaction.Find("Patient", "p2")!));
            await source.PutRecordAsync(new StoredRecord(RecordKind.Token, "t", "{\"a\":1}"u8.ToArray(), source.Time.GetUtcNow() + TimeSpan.FromHours(1)));
            versions = await AllVersionsAsync(source.Store);
            await Assert.ThrowsAsync<StoreUnusableException>(() => CopyAsync(folder.Path, schema));
        }

        Assert.Equal(versions.Count + 1, await CopyAsync(folder.Path, schema));
        await using (var target = PostgreSql.PostgresStore.Open(schema, TestStore.Indexer, TestStore.Policy, new ManualTime()))
        {
            Assert.Equal(versions, await AllVersionsAsync(target));
            Assert.Equal("{\"a\":1}", Encoding.UTF8.GetString((await target.FindRecordAsync(RecordKind.Token, "t", CancellationToken.None))!.Body.Span));
            Assert.Empty((await target.CheckAsync(repair: false, null, CancellationToken.None)).Found.Named);
        }

        await Assert.ThrowsAsync<StoreUnusableException>(() => CopyAsync(folder.Path, schema));
        FhirIomt.Tests.PostgresCluster.GiveBack(schema);
    }

    [Fact]
    public async Task A_copy_has_the_audit_under_its_patients_and_never_goes_behind_lines_that_are_there()
    {
        using var folder = new TemporaryFolder();
        var (schema, other) = (FhirIomt.Tests.PostgresCluster.NewSchema(), FhirIomt.Tests.PostgresCluster.NewSchema());
        var line = new AuditRow("{\"k\":\"read\",\"p\":[\"a\"]}"u8.ToArray(), ["a"]);
        await using (var source = TestStore.On(folder.Path, serve: true))
        {
            for (var commit = 0; commit < 3; commit++)
            {
                await source.RunAsync(transaction => transaction.Audit(line));
            }
        }

        await CopyAsync(folder.Path, schema);
        await using (var target = PostgreSql.PostgresStore.Open(schema, TestStore.Indexer, TestStore.Policy, new ManualTime()))
        {
            Assert.Equal(3, (await target.ReadAuditAsync(new AuditQuery(0, long.MaxValue, "a", Descending: true, 10), CancellationToken.None)).Count);
            var report = target.CheckAudit(null, null);
            Assert.Equal((3L, null), (report.Rows, report.Problem));
        }

        await using (var used = PostgreSql.PostgresStore.Open(other, TestStore.Indexer, TestStore.Policy, new ManualTime()))
        {
            await used.WriteAsync([new Work(transaction => transaction.Audit(line))], CancellationToken.None);
        }

        await Assert.ThrowsAsync<StoreUnusableException>(() => CopyAsync(folder.Path, other));
        FhirIomt.Tests.PostgresCluster.GiveBack(schema);
        FhirIomt.Tests.PostgresCluster.GiveBack(other);
    }

    [Fact]
    public async Task A_copy_that_was_stopped_goes_on_and_nobody_uses_the_half()
    {
        using var folder = new TemporaryFolder();
        var schema = FhirIomt.Tests.PostgresCluster.NewSchema();
        await using (var source = TestStore.On(folder.Path, serve: true))
        {
            var resource = TestStore.Prepare(Sample.HeartRate());
            await source.RunAsync(transaction =>
            {
                for (var number = 0; number < 1200; number++)
                {
                    transaction.Put(resource, $"x{number}", previous: null);
                }
            });
        }

        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => CopyAsync(folder.Path, schema, new StopAt(1000)));
        var half = Assert.Throws<StoreUnusableException>(() => PostgreSql.PostgresStore.Open(schema, TestStore.Indexer, TestStore.Policy, new ManualTime()));
        Assert.Contains("copy", half.Message, StringComparison.Ordinal);
        Assert.Equal(200, await CopyAsync(folder.Path, schema));
        await using (var target = PostgreSql.PostgresStore.Open(schema, TestStore.Indexer, TestStore.Policy, new ManualTime()))
        {
            var report = (await target.CheckAsync(repair: false, null, CancellationToken.None)).Found;
            Assert.Equal((1200L, 0L), (report.Resources, report.Problems));
        }

        FhirIomt.Tests.PostgresCluster.GiveBack(schema);
    }

    private static long Write(string directory, string file) => SqliteBackup.Write(directory, file, TestStore.Indexer, TestStore.Policy, new ManualTime());

    private static Task<long> CopyAsync(string folder, string schema, IProgress<long>? progress = null) =>
        PostgreSql.PostgresStore.CopyFromAsync(folder, schema, TestStore.Indexer, TestStore.Policy, new ManualTime(), _ => ValueTask.CompletedTask, progress);

    private static async Task<Dictionary<(string Type, string Id, long Version), (DateTimeOffset Time, bool Deleted, string Body)>> AllVersionsAsync(IStore store)
    {
        var versions = new Dictionary<(string, string, long), (DateTimeOffset, bool, string)>();
        string? cursor = null;
        do
        {
            var page = (await store.HistoryAsync(new HistoryQuery { Count = 70, Cursor = cursor }, CancellationToken.None)).Require();
            foreach (var version in page.Versions)
            {
                versions.Add((version.Type, version.Id, version.Version), (version.LastUpdated, version.IsDeleted, Encoding.UTF8.GetString(version.Body.Span)));
            }

            cursor = page.Next;
        }
        while (cursor is not null);

        return versions;
    }

    private sealed class StopAt(long rows) : IProgress<long>
    {
        public void Report(long value)
        {
            if (value >= rows)
            {
                throw new InvalidTimeZoneException();
            }
        }
    }
}
