using FhirIomt.Access;
using System.Text;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Tests;

public class GroupCommitTests : StoreTests
{
    [Fact]
    public async Task An_operation_that_throws_does_not_touch_its_neighbours()
    {
        await using var store = NewStore();
        var writes = Enumerable.Range(0, 200).Select(number => store.RunAsync(transaction =>
        {
            transaction.Put(TestStore.Prepare(Sample.HeartRate(code: $"c{number}")), $"x{number}", previous: null);
            if (number % 10 == 0)
            {
                throw new InvalidTimeZoneException();
            }
        })).ToArray();

        for (var number = 0; number < writes.Length; number++)
        {
            if (number % 10 == 0)
            {
                await Assert.ThrowsAsync<InvalidTimeZoneException>(() => writes[number]);
                Assert.Null(await store.BodyAsync("Observation", $"x{number}"));
            }
            else
            {
                await writes[number];
                Assert.Equal([$"x{number}"], await store.FindAsync("Observation", ("code", $"c{number}")));
            }
        }

        Assert.Equal(180, store.RowCounts()["resource"]);
        Assert.Equal(180, store.RowCounts()["timeline"]);
    }

    [Fact]
    public async Task A_batch_is_written_whole_or_not_at_all()
    {
        await using var store = NewStore();
        var first = new Work(transaction => transaction.Put(TestStore.Prepare(Sample.Patient()), "pa", previous: null));
        var second = new Work(_ => throw new InvalidTimeZoneException());
        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => store.Store.WriteAsync([first, second], CancellationToken.None));
        Assert.Null(await store.BodyAsync("Patient", "pa"));
    }

    [Fact]
    public async Task Numbers_of_a_transaction_that_was_rolled_back_are_forgotten()
    {
        await using var store = NewStore();
        var query = TestStore.Query("Device", ("identifier", "urn:one|SN"));
        var one = TestStore.Prepare("""{"resourceType":"Device","identifier":[{"system":"urn:one","value":"SN"}],"type":{"coding":[{"system":"urn:types:one","code":"t"}]}}""");

        // A search inside the transaction meets numbers that are not committed yet, and then all of it is undone.
        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => store.RunAsync(transaction =>
        {
            transaction.Put(one, "lost", previous: null);
            Assert.Single(transaction.Search(query, SearchAccess.Everything));
            Assert.Single(transaction.Search(TestStore.Query("Device", ("type", "urn:types:one|t")), SearchAccess.Everything));
            throw new InvalidTimeZoneException();
        }));

        await store.PutAsync("two", """{"resourceType":"Device","identifier":[{"system":"urn:two","value":"SN"}],"type":{"coding":[{"system":"urn:types:two","code":"t"}]}}""");
        Assert.Empty(await store.FindAsync("Device", ("identifier", "urn:one|SN")));
        Assert.Empty(await store.FindAsync("Device", ("type", "urn:types:one|t")));
        Assert.Equal(["two"], await store.FindAsync("Device", ("identifier", "urn:two|SN")));
        Assert.Equal(["two"], await store.FindAsync("Device", ("type", "urn:types:two|t")));

        await store.RunAsync(transaction => transaction.Put(one, "one", previous: null));
        Assert.Equal(["one"], await store.FindAsync("Device", ("identifier", "urn:one|SN")));
        Assert.Equal(["one"], await store.FindAsync("Device", ("type", "urn:types:one|t")));
        Assert.Equal(["two"], await store.FindAsync("Device", ("type", "urn:types:two|t")));
    }

    [Fact]
    public async Task Fifty_parallel_conditional_creates_give_one()
    {
        await using var store = NewStore();
        var query = TestStore.Query("Device", ("identifier", "urn:example:serial|SN-1"));
        var resource = TestStore.Prepare(Sample.Device("SN-1"));
        var created = new bool[50];
        await Task.WhenAll(Enumerable.Range(0, created.Length).Select(number => Task.Run(() => store.RunAsync(transaction =>
        {
            created[number] = transaction.Search(query, SearchAccess.Everything).Count == 0;
            if (created[number])
            {
                transaction.Put(resource, $"d{number}", previous: null);
            }
        }))));
        Assert.Single(created, wasFirst => wasFirst);
        Assert.Single(await store.FindAsync("Device", ("identifier", "urn:example:serial|SN-1")));
    }

    [Fact]
    public async Task Operations_see_what_earlier_ones_of_their_transaction_wrote()
    {
        await using var store = NewStore();
        await store.RunAsync(transaction =>
        {
            var first = transaction.Put(TestStore.Prepare(Sample.HeartRate(code: "a")), "x", previous: null);
            Assert.Equal(1, transaction.Find("Observation", "x")!.Version);
            Assert.Equal(2, transaction.Put(TestStore.Prepare(Sample.HeartRate(code: "b")), "x", first).Version);
            Assert.Empty(transaction.Search(TestStore.Query("Observation", ("code", "a")), SearchAccess.Everything));
            Assert.Single(transaction.Search(TestStore.Query("Observation", ("code", "b")), SearchAccess.Everything));
        });
        Assert.Equal(2, (await store.Store.ReadAsync("Observation", "x", CancellationToken.None))!.Version);
        Assert.NotNull(await store.Store.ReadVersionAsync("Observation", "x", 1, CancellationToken.None));
    }

    [Fact]
    public async Task A_search_does_not_see_what_is_not_committed()
    {
        await using var store = NewStore();
        using var written = new SemaphoreSlim(0);
        using var looked = new SemaphoreSlim(0);
        var write = Task.Run(() => store.RunAsync(transaction =>
        {
            transaction.Put(TestStore.Prepare(Sample.HeartRate()), "x", previous: null);
            written.Release();
            looked.Wait();
        }));
        await written.WaitAsync();
        Assert.Null(await store.BodyAsync("Observation", "x"));
        Assert.Empty(await store.FindAsync("Observation", ("code", "8867-4")));
        looked.Release();
        await write;
        Assert.Equal(["x"], await store.FindAsync("Observation", ("code", "8867-4")));
    }

    [Fact]
    public async Task A_cancelled_caller_does_not_stop_a_write_that_is_queued()
    {
        await using var store = NewStore();
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        var work = new Work(transaction => transaction.Put(TestStore.Prepare(Sample.Patient()), "pa", previous: null));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.Store.WriteAsync([work], cancelled.Token));
        Assert.Null(await store.BodyAsync("Patient", "pa"));
        await store.PutAsync("pb", Sample.Patient());
        Assert.NotNull(await store.BodyAsync("Patient", "pb"));
    }

    [Fact]
    public async Task Expired_records_are_as_if_they_were_not_there()
    {
        await using var store = NewStore();
        await store.PutRecordAsync(new StoredRecord(RecordKind.Token, "short", "s"u8.ToArray(), store.Time.GetUtcNow() + TimeSpan.FromMinutes(5)));
        await store.PutRecordAsync(new StoredRecord(RecordKind.Token, "long", "l"u8.ToArray()));
        Assert.Equal("s", Encoding.UTF8.GetString((await store.Store.FindRecordAsync(RecordKind.Token, "short", CancellationToken.None))!.Body.Span));

        store.Time.Advance(TimeSpan.FromMinutes(5));
        Assert.Null(await store.Store.FindRecordAsync(RecordKind.Token, "short", CancellationToken.None));
        Assert.Equal(["long"], (await store.Store.ListRecordsAsync(RecordKind.Token, CancellationToken.None)).Select(record => record.Id));
        await store.RunAsync(transaction => Assert.Null(transaction.FindRecord(RecordKind.Token, "short")));

        store.Time.Advance(TimeSpan.FromSeconds(1));
        await store.RunAsync(transaction => transaction.DeleteExpiredRecords());
        store.Time.Advance(TimeSpan.FromMinutes(-5));
        Assert.Null(await store.Store.FindRecordAsync(RecordKind.Token, "short", CancellationToken.None));
        Assert.NotNull(await store.Store.FindRecordAsync(RecordKind.Token, "long", CancellationToken.None));
    }

    [Fact]
    public async Task Records_are_replaced_deleted_and_listed_newest_first()
    {
        await using var store = NewStore();
        await store.PutRecordAsync(new StoredRecord(RecordKind.Quarantine, "1", "a"u8.ToArray()));
        await store.PutRecordAsync(new StoredRecord(RecordKind.Quarantine, "2", "b"u8.ToArray()));
        await store.PutRecordAsync(new StoredRecord(RecordKind.Quarantine, "1", "c"u8.ToArray()));
        Assert.Equal(["2", "1"], (await store.Store.ListNewestRecordsAsync(RecordKind.Quarantine, 10, CancellationToken.None)).Select(record => record.Id));
        Assert.Equal(["2"], (await store.Store.ListNewestRecordsAsync(RecordKind.Quarantine, 1, CancellationToken.None)).Select(record => record.Id));
        Assert.Equal("c"u8.ToArray(), (await store.Store.FindRecordAsync(RecordKind.Quarantine, "1", CancellationToken.None))!.Body.ToArray());
        await store.RunAsync(transaction => transaction.DeleteRecord(RecordKind.Quarantine, "1"));
        Assert.Null(await store.Store.FindRecordAsync(RecordKind.Quarantine, "1", CancellationToken.None));
        Assert.Null(await store.Store.FindRecordAsync(RecordKind.Client, "2", CancellationToken.None));
    }
}

public sealed class GroupCommitTestsOnPostgreSql : GroupCommitTests
{
    protected override Engine Engine => Engine.PostgreSql;
}
