using FhirIomt.Storage.Sqlite;

namespace FhirIomt.Storage.Tests;

public sealed class OpeningTests
{
    [Fact]
    public async Task Everything_is_there_after_closing_and_opening_again()
    {
        var folder = Directory.CreateTempSubdirectory("fhiriomt-open-").FullName;
        try
        {
            await using (var store = TestStore.On(folder, serve: true))
            {
                await store.PutAsync("x", Sample.HeartRate());
                await store.PutAsync("x", Sample.HeartRate(code: "9279-1"));
                await store.PutRecordAsync(new StoredRecord(RecordKind.Client, "c", "{}"u8.ToArray()));
            }

            await using var again = TestStore.On(folder, serve: true);
            Assert.Equal(["x"], await again.FindAsync("Observation", ("code", "9279-1")));
            Assert.Empty(await again.FindAsync("Observation", ("code", "8867-4")));
            Assert.NotNull(await again.Store.ReadVersionAsync("Observation", "x", 1, CancellationToken.None));
            Assert.NotNull(await again.Store.FindRecordAsync(RecordKind.Client, "c", CancellationToken.None));

            // Numbers given before are used again, and none is given twice.
            await again.PutAsync("y", Sample.HeartRate());
            Assert.Equal(["y"], await again.FindAsync("Observation", ("code", "http://loinc.org|8867-4")));
            Assert.Equal(["x", "y"], (await again.FindAsync("Observation", ("patient", "pa"))).Order(StringComparer.Ordinal));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_second_server_is_refused_and_the_command_line_is_not()
    {
        await using var server = TestStore.New();
        var refusal = Assert.Throws<StoreUnusableException>(() => TestStore.On(server.Folder, serve: true));
        Assert.Contains("Another server", refusal.Message, StringComparison.Ordinal);

        await using var commandLine = TestStore.On(server.Folder);
        await commandLine.PutAsync("x", Sample.HeartRate());
        Assert.Equal(["x"], await server.FindAsync("Observation", ("code", "8867-4")));
        await server.PutAsync("y", Sample.HeartRate());
        Assert.Equal(["x", "y"], (await commandLine.FindAsync("Observation", ("patient", "pa"))).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_server_can_start_after_the_one_before_has_stopped()
    {
        var first = TestStore.New();
        await first.Store.DisposeAsync();
        await using (var second = TestStore.On(first.Folder, serve: true))
        {
            Assert.Empty(await second.FindAsync("Patient"));
        }

        Directory.Delete(first.Folder, recursive: true);
    }

    [Fact]
    public async Task A_store_of_a_newer_build_is_refused()
    {
        var store = TestStore.New();
        await store.Store.DisposeAsync();
        using (var connection = new SqliteConnection(Path.Combine(store.Folder, "fhiriomt.db"), readOnly: false))
        {
            connection.Execute($"PRAGMA user_version={SqliteSchema.Current + 1}");
        }

        Assert.Throws<StoreUnusableException>(() => TestStore.On(store.Folder, serve: true));

        // The refusal let go of the lock and the file.
        using (var connection = new SqliteConnection(Path.Combine(store.Folder, "fhiriomt.db"), readOnly: false))
        {
            connection.Execute($"PRAGMA user_version={SqliteSchema.Current}");
        }

        await using (TestStore.On(store.Folder, serve: true))
        {
        }

        Directory.Delete(store.Folder, recursive: true);
    }

    [Fact]
    public async Task A_store_that_was_indexed_by_an_older_build_is_indexed_anew()
    {
        using var folder = new TemporaryFolder();
        await using (var store = TestStore.On(folder.Path, serve: true))
        {
            await World.CreateAsync(store, new Random(7), documents: 40, updates: 20);
            await store.PutRecordAsync(new StoredRecord(RecordKind.SearchIndex, "own", "{}"u8.ToArray()));
        }

        using (var connection = new SqliteConnection(SqliteStore.PathIn(folder.Path), readOnly: false))
        {
            connection.Execute("DELETE FROM token_index; UPDATE timeline SET start=start+1; INSERT INTO token_index SELECT parameter, target, key FROM reference_index; PRAGMA user_version=9");
        }

        await using var again = TestStore.On(folder.Path, serve: true);
        Assert.Empty((await again.Store.CheckAsync(repair: false, null, CancellationToken.None)).Found.Named);
        Assert.Null(await again.Store.FindRecordAsync(RecordKind.SearchIndex, "own", CancellationToken.None));
    }

    [Fact]
    public async Task A_store_in_PostgreSQL_that_was_indexed_by_an_older_build_is_indexed_anew()
    {
        var schema = FhirIomt.Tests.PostgresCluster.NewSchema();
        await using (var store = TestStore.On(Engine.PostgreSql, schema))
        {
            await World.CreateAsync(store, new Random(7), documents: 40, updates: 20);
        }

        await using (var source = Npgsql.NpgsqlDataSource.Create(schema))
        {
            await using var command = source.CreateCommand(
                "DELETE FROM token_index; UPDATE timeline SET start=start+1; INSERT INTO token_index SELECT parameter, target, key FROM reference_index; UPDATE schema_version SET version=7");
            await command.ExecuteNonQueryAsync();
        }

        await using (var again = TestStore.On(Engine.PostgreSql, schema))
        {
            Assert.Empty((await again.Store.CheckAsync(repair: false, null, CancellationToken.None)).Found.Named);
        }

        FhirIomt.Tests.PostgresCluster.GiveBack(schema);
    }

    [Fact]
    public async Task The_audit_of_an_older_schema_is_found_by_patient_and_told_as_before()
    {
        var store = TestStore.New();
        await store.RunAsync(transaction => transaction.Audit(new AuditRow("{\"k\":\"messages\",\"p\":[\"a\"],\"v\":[{}]}"u8.ToArray(), ["a"])));
        await store.RunAsync(transaction => transaction.Audit(new AuditRow("{\"k\":\"read\",\"p\":[\"a\"]}"u8.ToArray(), ["a"])));
        await store.Store.DisposeAsync();
        using (var connection = new SqliteConnection(Path.Combine(store.Folder, "fhiriomt.db"), readOnly: false))
        {
            connection.Execute("DROP TABLE audit_patient; CREATE TABLE audit_patient(patient TEXT, key INTEGER, PRIMARY KEY(patient, key)) WITHOUT ROWID; INSERT INTO audit_patient SELECT 'a', key FROM audit");
            connection.Execute("ALTER TABLE clock DROP COLUMN audit_filed; ALTER TABLE clock DROP COLUMN audit_target; ALTER TABLE clock DROP COLUMN audit_after; PRAGMA user_version=7");
        }

        await using (var again = TestStore.On(store.Folder, serve: true))
        {
            Assert.Null(again.Store.CheckAudit(null, null).Problem);
            Assert.Equal(2, (await again.Store.ReadAuditAsync(new AuditQuery(0, long.MaxValue, "a", Descending: true, 10), CancellationToken.None)).Count);
            Assert.Contains(await again.Store.ReadAuditAsync(new AuditQuery(0, long.MaxValue, "a", Descending: true, 10) { WithReadings = true }, CancellationToken.None), line => line.HasReadings);
        }

        Directory.Delete(store.Folder, recursive: true);
    }

    [Fact]
    public async Task A_change_of_configuration_by_another_process_moves_the_generation()
    {
        await using var server = TestStore.New();
        await using var commandLine = TestStore.On(server.Folder);
        var before = server.Store.Generation;
        await commandLine.PutRecordAsync(new StoredRecord(RecordKind.Client, "c", "{}"u8.ToArray()));

        // It looks several times a second; the loop ends at once when it has looked, the test fails when it never does.
        for (var tries = 0; server.Store.Generation == before && tries < 500; tries++)
        {
            await Task.Delay(20);
        }

        Assert.True(server.Store.Generation > before);
    }

    [Fact]
    public async Task Only_what_caches_depend_on_moves_the_generation()
    {
        await using var store = TestStore.New();
        var generation = store.Store.Generation;
        await store.PutAsync("x", Sample.HeartRate());
        await store.PutAsync("pa", Sample.Patient());
        await store.PutRecordAsync(new StoredRecord(RecordKind.Token, "t", "{}"u8.ToArray()));
        Assert.Equal(generation, store.Store.Generation);

        await store.PutAsync("d", Sample.Device("SN"));
        Assert.True(store.Store.Generation > generation);
        generation = store.Store.Generation;
        await store.PutRecordAsync(new StoredRecord(RecordKind.Client, "c", "{}"u8.ToArray()));
        Assert.True(store.Store.Generation > generation);
        generation = store.Store.Generation;
        await store.RunAsync(transaction => transaction.DeleteRecord(RecordKind.Client, "c"));
        Assert.True(store.Store.Generation > generation);
    }
}
