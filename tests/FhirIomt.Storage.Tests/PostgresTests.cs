using FhirIomt.Access;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage.PostgreSql;
using FhirIomt.Tests;
using Npgsql;

namespace FhirIomt.Storage.Tests;

/// <summary>What only an engine behind a network has: several nodes, connections that die, and a server that holds less than JSON says.</summary>
public sealed class PostgresTests
{
    [Fact]
    public async Task Fifty_parallel_conditional_creates_on_two_nodes_give_one()
    {
        await using var one = TestStore.New(Engine.PostgreSql);
        await using var two = one.Again();
        var query = TestStore.Query("Device", ("identifier", "urn:example:serial|SN-1"));
        var resource = TestStore.Prepare(Sample.Device("SN-1"));
        var created = new bool[50];
        await Task.WhenAll(Enumerable.Range(0, created.Length).Select(number => Task.Run(() => (number % 2 == 0 ? one : two).RunAsync(transaction =>
        {
            created[number] = transaction.Search(query, SearchAccess.Everything).Count == 0;
            if (created[number])
            {
                transaction.Put(resource, $"d{number}", previous: null);
            }
        }))));
        Assert.Single(created, wasFirst => wasFirst);
        Assert.Single(await two.FindAsync("Device", ("identifier", "urn:example:serial|SN-1")));
    }

    [Fact]
    public async Task Of_two_nodes_that_write_the_same_version_one_wins_and_the_other_sees_it()
    {
        await using var one = TestStore.New(Engine.PostgreSql);
        await using var two = one.Again();
        await one.PutAsync("x", Sample.HeartRate());
        var resource = TestStore.Prepare(Sample.HeartRate(code: "9279-1"));
        var wins = 0;
        await Task.WhenAll(Enumerable.Range(0, 20).Select(number => Task.Run(() => (number % 2 == 0 ? one : two).RunAsync(transaction =>
        {
            if (transaction.Find("Observation", "x") is { Version: 1 } first)
            {
                transaction.Put(resource, "x", first);
                Interlocked.Increment(ref wins);
            }
        }))));
        Assert.Equal(1, wins);
        Assert.Equal(2, (await one.Store.ReadAsync("Observation", "x", CancellationToken.None))!.Version);
    }

    [Fact]
    public async Task Nodes_give_the_same_numbers_to_the_same_names()
    {
        await using var one = TestStore.New(Engine.PostgreSql);
        await using var two = one.Again();
        await Task.WhenAll(Enumerable.Range(0, 40).Select(number => Task.Run(() =>
            (number % 2 == 0 ? one : two).PutAsync($"x{number}", Sample.HeartRate(subject: $"Patient/p{number / 4}", code: $"c{number / 4}")))));
        for (var code = 0; code < 10; code++)
        {
            Assert.Equal(4, (await one.FindAsync("Observation", ("code", $"http://loinc.org|c{code}"))).Count);
            Assert.Equal(4, (await two.FindAsync("Observation", ("patient", $"p{code}"))).Count);
        }
    }

    [Fact]
    public async Task A_poller_never_misses_a_version_that_another_node_commits_later()
    {
        await using var one = TestStore.New(Engine.PostgreSql);
        await using var two = one.Again();
        var seen = new List<string>();
        var done = false;
        var writing = Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            for (var number = 0; number < 40; number++)
            {
                await (writer % 2 == 0 ? one : two).PutAsync($"w{writer}n{number}", Sample.Patient());
            }
        }))).ContinueWith(_ => done = true, TaskScheduler.Default);

        // Follows the order of keys: nothing may appear behind where it already is.
        var query = TestStore.Query("Patient", ("_sort", "_lastUpdated"), ("_count", "10"));
        string? cursor = null;
        while (true)
        {
            var wasDone = Volatile.Read(ref done);
            var page = await one.PageAsync(query with { Cursor = cursor });
            if (page.Next is not null)
            {
                seen.AddRange(page.Matches.Select(match => match.Id));
                cursor = page.Next;
            }
            else if (wasDone)
            {
                seen.AddRange(page.Matches.Select(match => match.Id));
                break;
            }
        }

        await writing;
        Assert.Equal(160, seen.Count);
        Assert.Equal(160, seen.Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task Connections_that_died_are_replaced_and_nothing_is_written_twice()
    {
        await using var store = TestStore.New(Engine.PostgreSql);
        await store.PutAsync("a", Sample.HeartRate());
        Assert.NotNull(await store.BodyAsync("Observation", "a"));
        CutAll(store);
        Assert.NotNull(await store.BodyAsync("Observation", "a"));
        Assert.Equal(["a"], await store.FindAsync("Observation", ("code", "8867-4")));
        CutAll(store);
        Assert.Equal(1, (await store.PutAsync("b", Sample.HeartRate())).Version);
        Assert.Equal(["a", "b"], (await store.FindAsync("Observation", ("code", "8867-4"))).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_connection_lost_inside_a_transaction_is_a_refusal_and_nothing_is_kept()
    {
        await using var store = TestStore.New(Engine.PostgreSql);
        await Assert.ThrowsAsync<StoreLostException>(() => store.RunAsync(transaction =>
        {
            transaction.Put(TestStore.Prepare(Sample.HeartRate()), "lost", previous: null);
            CutAll(store);
        }));
        Assert.Null(await store.BodyAsync("Observation", "lost"));
        await store.PutAsync("kept", Sample.HeartRate());
        Assert.Equal(["kept"], await store.FindAsync("Observation", ("code", "8867-4")));
        Assert.Equal(1, store.RowCounts()["timeline"]);
    }

    [Fact]
    public void What_became_of_a_transaction_is_found_out_afterwards()
    {
        var schema = PostgresCluster.NewSchema();
        using var source = PostgresStore.SourceOf(schema);
        using var connection = new PostgresConnection(source, readOnly: false);
        connection.Execute("CREATE TABLE IF NOT EXISTS outcome(x bigint)");
        var kept = Transaction("COMMIT");
        var undone = Transaction("ROLLBACK");
        Assert.True(CommitOutcome.WasCommitted(connection, kept));
        Assert.False(CommitOutcome.WasCommitted(connection, undone));

        // One that hangs is ended, so that it cannot commit after it was said to have failed.
        using var hanging = new PostgresConnection(source, readOnly: false);
        hanging.Execute("BEGIN");
        var number = hanging.Scalar("SELECT txid_current()");
        Assert.False(CommitOutcome.WasCommitted(connection, number));
        Assert.Throws<StoreLostException>(() => hanging.Execute("COMMIT"));
        connection.Execute("DROP TABLE outcome");

        long Transaction(string end)
        {
            connection.Execute("BEGIN");
            connection.Execute("INSERT INTO outcome VALUES (1)");
            var running = connection.Scalar("SELECT txid_current()");
            connection.Execute(end);
            return running;
        }
    }

    [Theory]
    [InlineData("\\u0000")]
    [InlineData("\\ud800")]
    [InlineData("\\udc00x")]
    public async Task Characters_that_PostgreSQL_cannot_hold_are_no_failure(string odd)
    {
        await using var store = TestStore.New(Engine.PostgreSql);
        var json = """{"resourceType":"Patient","name":[{"family":"A-ODD-B"}],"identifier":[{"system":"urn:-ODD-","value":"v-ODD-"}],"contact":[{"name":{"text":"-ODD-"}}],"text":{"status":"generated","div":"<div>-ODD- word</div>"}}"""
            .Replace("-ODD-", odd, StringComparison.Ordinal);
        try
        {
            _ = TestStore.Prepare(json);
        }
        catch (Exception exception) when (exception is not Xunit.Sdk.XunitException)
        {
            // The document is refused as JSON already; then nothing of it comes here.
            return;
        }

        await store.PutAsync("x", json);
        Assert.Contains(odd, await store.BodyAsync("Patient", "x"), StringComparison.Ordinal);
        Assert.Equal(["x"], await store.FindAsync("Patient", ("family", "a")));
        await store.PutAsync("x", Sample.Patient());
        Assert.Equal(0, store.RowCounts()["identifier_index"]);
        Assert.Empty(await store.FindAsync("Patient", ("family", "\0")));
        Assert.Null(await store.BodyAsync("Patient", "\0"));
    }

    [Fact]
    public void A_connection_waits_in_the_kernel_and_not_for_ever()
    {
        using var source = PostgresStore.SourceOf(PostgresCluster.NewSchema() + ";Command Timeout=1");
        using var connection = source.OpenConnection();
        Assert.True(BlockingSocket.TryMake(connection));
        using (var one = new NpgsqlCommand("SELECT 1 FROM pg_sleep(0.2)", connection))
        {
            Assert.Equal(1, one.ExecuteScalar());
        }

        using var endless = new NpgsqlCommand("SELECT 1 FROM pg_sleep(60)", connection);
        Assert.IsType<TimeoutException>(Assert.Throws<NpgsqlException>(() => endless.ExecuteScalar()).InnerException);
    }

    [Fact]
    public async Task A_server_that_may_lose_what_it_acknowledged_is_refused()
    {
        await using var store = TestStore.New(Engine.PostgreSql);
        var refusal = Assert.Throws<StoreUnusableException>(() => PostgresStore.Open(store.Folder + ";Options=-c synchronous_commit=off", TestStore.Indexer, TestStore.Policy, store.Time));
        Assert.Contains("synchronous_commit", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_connection_string_that_is_none_is_refused_without_its_password()
    {
        var refusal = Assert.Throws<StoreUnusableException>(() => PostgresStore.Open("Host=x;Sekrit=hunter2", TestStore.Indexer, TestStore.Policy, new ManualTime()));
        Assert.DoesNotContain("hunter2", refusal.Message, StringComparison.Ordinal);
        var name = PostgresStore.NameOf("Host=db;Database=fhir;Username=u;Password=hunter2;Search Path=one");
        Assert.Equal("PostgreSQL db:5432/fhir schema one", name);
        var unreachable = Assert.Throws<StoreUnusableException>(() => PostgresStore.Open("Host=127.0.0.1;Port=1;Username=u;Password=hunter2", TestStore.Indexer, TestStore.Policy, new ManualTime()));
        Assert.DoesNotContain("hunter2", unreachable.Message, StringComparison.Ordinal);
    }

    // As a restart of the server or a firewall would; other tests' stores have another name.
    private static void CutAll(TestStore store) => PostgresCluster.Execute(
        PostgresCluster.Require(), $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{new Npgsql.NpgsqlConnectionStringBuilder(store.Folder).ApplicationName}'");
}

/// <summary>Texts of any length: engines that index only their beginning find them all the same.</summary>
public class LongTextTests : StoreTests
{
    [Theory]
    [InlineData(600)]
    [InlineData(601)]
    [InlineData(3000)]
    [InlineData(20_000)]
    public async Task A_long_text_is_stored_found_and_taken_away(int length)
    {
        await using var store = NewStore();
        var random = new Random(length);
        var text = string.Concat(Enumerable.Range(0, length).Select(_ => (char)('a' + random.Next(26))));
        var json = Json(text);
        await store.PutAsync("x", json);
        await store.PutAsync("other", Json(text + "z"));
        Assert.Equal(["x"], await store.FindAsync("Patient", ("identifier", text)));
        Assert.Equal(["x"], await store.FindAsync("Patient", ("identifier", $"urn:{text}|{text}")));
        Assert.Equal(["x"], await store.FindAsync("Patient", ("family:exact", text)));
        Assert.Equal(["other", "x"], (await store.FindAsync("Patient", ("family", text[..500]))).Order(StringComparer.Ordinal));
        Assert.Equal(["other", "x"], (await store.FindAsync("Patient", ("family", text))).Order(StringComparer.Ordinal));
        Assert.Equal(["other"], await store.FindAsync("Patient", ("family", text + "z")));
        Assert.Equal(["other", "x"], (await store.FindAsync("Patient", ("family:contains", text[^50..]))).Order(StringComparer.Ordinal));
        Assert.Equal(["x"], await store.FindAsync("Patient", ("_tag", $"urn:{text}|{text}")));
        Assert.Equal(["x"], await store.FindAsync("Patient", ("general-practitioner", $"http://example.org/{text}")));
        await store.RunAsync(transaction =>
        {
            transaction.Delete(transaction.Find("Patient", "x")!);
            transaction.Delete(transaction.Find("Patient", "other")!);
        });
        Assert.DoesNotContain(store.RowCounts(), pair => pair.Value > 0 && pair.Key != "resource");
    }

    private static string Json(string text) =>
        """{"resourceType":"Patient","meta":{"tag":[{"system":"urn:TEXT","code":"TEXT","display":"TEXT"}]},"identifier":[{"system":"urn:TEXT","value":"TEXT"}],"name":[{"family":"TEXT"}],"generalPractitioner":[{"reference":"http://example.org/TEXT"}]}"""
            .Replace("TEXT", text, StringComparison.Ordinal);
}

public sealed class LongTextTestsOnPostgreSql : LongTextTests
{
    protected override Engine Engine => Engine.PostgreSql;
}
