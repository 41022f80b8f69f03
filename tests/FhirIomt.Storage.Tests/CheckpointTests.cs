using FhirIomt.Access;
using FhirIomt.Storage.Sqlite;

namespace FhirIomt.Storage.Tests;

/// <summary>The log of the embedded store is carried into its file while the server writes.</summary>
public sealed class CheckpointTests
{
    private const int Documents = 500;

    [Fact]
    public async Task A_log_is_carried_into_the_file_while_writes_go_on_and_begins_anew()
    {
        await using var store = TestStore.New();
        var (file, log) = (new FileInfo(Path.Combine(store.Folder, "fhiriomt.db")), new FileInfo(Path.Combine(store.Folder, "fhiriomt.db-wal")));
        var document = Convert.ToBase64String(new byte[750_000]);
        var longest = 0L;
        for (var number = 0; number < Documents; number++)
        {
            await store.PutAsync($"b-{number}", $$"""{"resourceType":"Binary","contentType":"application/pdf","data":"{{document}}"}""");
            Assert.NotNull(await store.Store.ReadAsync("Binary", $"b-{number / 2}", CancellationToken.None));
            log.Refresh();
            longest = Math.Max(longest, log.Length);
        }

        // Five hundred megabytes went through a log that is carried from 128 on, and never held them all; the file has them while the store is open.
        file.Refresh();
        Assert.InRange(longest, 100L << 20, 480L << 20);
        Assert.InRange(file.Length, 100L << 20, long.MaxValue);
    }

    [Fact]
    public async Task The_log_is_carried_without_the_writer()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("fhiriomt-carrier-").FullName, "store.db");
        using (var writer = new SqliteConnection(path, readOnly: false))
        {
            writer.Execute("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE page(body BLOB); INSERT INTO page VALUES (zeroblob(10000000))");
            var file = new FileInfo(path);
            Assert.InRange(file.Length, 0, 1 << 20);

            // The log is as long as it takes, so the writer has it carried, and then stands still.
            using var checkpoints = new Checkpoints(writer, () => new SqliteConnection(path, readOnly: false), () => { }, path, left: 16_000);
            checkpoints.Between();
            for (var looks = 0; file.Length < 9 << 20; looks++)
            {
                Assert.True(looks < 1200, $"The file has {file.Length} bytes after a minute.");
                await Task.Delay(50);
                file.Refresh();
            }
        }

        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    [Fact]
    public async Task What_was_carried_is_all_there_when_the_store_is_opened_again()
    {
        var folder = Directory.CreateTempSubdirectory("fhiriomt-carried-").FullName;
        try
        {
            await using (var store = TestStore.On(folder, serve: true))
            {
                var document = Convert.ToBase64String(new byte[750_000]);
                for (var number = 0; number < 200; number++)
                {
                    await store.PutAsync($"b-{number}", $$"""{"resourceType":"Binary","contentType":"application/pdf","data":"{{document}}"}""");
                }
            }

            // Whoever closes last leaves no log behind.
            Assert.False(File.Exists(Path.Combine(folder, "fhiriomt.db-wal")));
            await using var again = TestStore.On(folder, serve: true);
            var page = await again.Store.SearchAsync(TestStore.Query("Binary", ("_summary", "count")), SearchAccess.Everything, CancellationToken.None);
            Assert.Equal(200, page.Require().Total);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task The_log_of_a_killed_server_counts()
    {
        var folder = Directory.CreateTempSubdirectory("fhiriomt-killed-").FullName;
        try
        {
            var document = Convert.ToBase64String(new byte[750_000]);
            await using (var store = TestStore.New())
            {
                for (var number = 0; number < 120; number++)
                {
                    await store.PutAsync($"b-{number}", $$"""{"resourceType":"Binary","contentType":"application/pdf","data":"{{document}}"}""");
                }

                // As a kill leaves them: 120 of 128 MB are in the log, and the file has next to nothing.
                File.Copy(Path.Combine(store.Folder, "fhiriomt.db"), Path.Combine(folder, "fhiriomt.db"));
                File.Copy(Path.Combine(store.Folder, "fhiriomt.db-wal"), Path.Combine(folder, "fhiriomt.db-wal"));
            }

            var file = new FileInfo(Path.Combine(folder, "fhiriomt.db"));
            Assert.InRange(file.Length, 0, 10L << 20);
            await using var again = TestStore.On(folder, serve: true);
            for (var number = 120; number < 200 && file.Length < 100L << 20; number++)
            {
                await again.PutAsync($"b-{number}", $$"""{"resourceType":"Binary","contentType":"application/pdf","data":"{{document}}"}""");
                await Task.Delay(20);
                file.Refresh();
            }

            // Not 128 MB later.
            Assert.InRange(file.Length, 100L << 20, long.MaxValue);
            Assert.NotNull(await again.Store.ReadAsync("Binary", "b-7", CancellationToken.None));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
