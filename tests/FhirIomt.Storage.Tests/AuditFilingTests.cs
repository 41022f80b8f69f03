using System.Text;
using FhirIomt.Storage.Sql;

namespace FhirIomt.Storage.Tests;

/// <summary>Rows of the audit are found by patient before, while and after they are filed, whoever files them.</summary>
public class AuditFilingTests : StoreTests
{
    // A commit without lines files sixteen entries; most patients have two, one for lines with readings and one for the others.
    private const int Patients = 50;
    private const int CommitsOfRound = 7;

    private readonly Random _random = new(4711);
    private readonly List<(string Patient, bool Readings)> _written = [];

    [Fact]
    public async Task Lines_are_found_at_every_moment_of_a_round()
    {
        await using var store = NewStore();
        await WriteAsync(store, 40);
        await AssertFoundAsync(store);
        for (var round = 0; round < 3; round++)
        {
            store.Time.Advance(TimeSpan.FromHours(2));
            for (var commit = 0; commit < CommitsOfRound; commit++)
            {
                await store.RunAsync(_ => { });
                await AssertFoundAsync(store);
            }

            Assert.Equal(0, Waiting(store));
            await WriteAsync(store, 15);
            await AssertFoundAsync(store);
        }
    }

    [Fact]
    public async Task A_round_goes_on_while_others_write()
    {
        await using var store = NewStore();
        await WriteAsync(store, 30);
        store.Time.Advance(TimeSpan.FromHours(2));
        for (var commit = 0; commit < 10; commit++)
        {
            await WriteAsync(store, 1);
            await AssertFoundAsync(store);
        }

        Assert.InRange(Waiting(store), 1, 10 * 8);
    }

    [Fact]
    public async Task Who_opens_the_store_in_the_middle_of_a_round_finds_all_and_ends_it()
    {
        await using var store = NewStore();
        await WriteAsync(store, 40);
        store.Time.Advance(TimeSpan.FromHours(2));
        await store.RunAsync(_ => { });
        await using (var other = store.Again())
        {
            await AssertFoundAsync(other);
            for (var commit = 1; commit < CommitsOfRound; commit++)
            {
                await other.RunAsync(_ => { });
                await AssertFoundAsync(other);
                await AssertFoundAsync(store);
            }

            Assert.Equal(0, Waiting(other));
        }

        Assert.Equal(0, Waiting(store));
    }

    [Fact]
    public async Task What_two_processes_write_by_turns_is_found_by_both_and_filed_once()
    {
        await using var one = NewStore();
        await using var two = one.Again();
        for (var turn = 0; turn < 12; turn++)
        {
            await WriteAsync(turn % 2 == 0 ? one : two, 3);
            if (turn % 3 == 0)
            {
                await AssertFoundAsync(turn % 2 == 0 ? two : one);
            }
        }

        one.Time.Advance(TimeSpan.FromHours(2));
        two.Time.Advance(TimeSpan.FromHours(2));
        for (var commit = 0; commit < CommitsOfRound; commit++)
        {
            await (commit % 2 == 0 ? two : one).RunAsync(_ => { });
            await AssertFoundAsync(one);
            await AssertFoundAsync(two);
        }

        Assert.Equal(0, Waiting(one));
    }

    [Fact]
    public async Task A_round_that_was_undone_files_nothing()
    {
        await using var store = NewStore();
        await WriteAsync(store, 10);
        store.Time.Advance(TimeSpan.FromHours(2));
        await Assert.ThrowsAsync<InvalidOperationException>(() => store.RunAsync(transaction =>
        {
            transaction.Audit(Line("never", ["patient-1"], readings: true));
            throw new InvalidOperationException("undone");
        }));
        await AssertFoundAsync(store);
        Assert.NotEqual(0, Waiting(store));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(CommitsOfRound)]
    public async Task What_is_taken_away_when_its_time_is_over_leaves_the_rest(int commits)
    {
        await using var store = NewStore();
        await WriteAsync(store, 20);
        store.Time.Advance(TimeSpan.FromMinutes(5));
        var kept = _written.Count;
        var border = store.Time.GetUtcNow();
        await WriteAsync(store, 20);
        store.Time.Advance(TimeSpan.FromHours(2));
        for (var commit = 0; commit < commits; commit++)
        {
            await store.RunAsync(_ => { });
        }

        var gone = 0L;
        await store.RunAsync(transaction => gone = transaction.PruneAudit(border, 1000));
        Assert.InRange(gone, 1, kept);
        _written.RemoveRange(0, (int)gone);
        await AssertFoundAsync(store);
        for (var commit = 0; commit < CommitsOfRound; commit++)
        {
            await store.RunAsync(_ => { });
        }

        await AssertFoundAsync(store);
        Assert.Equal(0, Waiting(store));
    }

    [Fact]
    public async Task Who_asks_while_others_write_and_file_finds_all_that_was_acknowledged()
    {
        await using var store = NewStore();
        var acknowledged = new int[Patients];
        using var written = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 3).Select(seed => Task.Run(async () =>
        {
            var random = new Random(seed);
            for (var asked = 0; !written.IsCancellationRequested || asked == 0; asked++)
            {
                var patient = random.Next(Patients);
                var expected = Volatile.Read(ref acknowledged[patient]);
                var found = await store.Store.ReadAuditAsync(new AuditQuery(0, long.MaxValue, $"patient-{patient}", asked % 2 == 0, 10_000), CancellationToken.None);
                Assert.InRange(found.Count, expected, int.MaxValue);
                Assert.Equal(found.Count, found.Select(line => line.Key).Distinct().Count());
            }
        })).ToList();
        for (var commit = 0; commit < 400; commit++)
        {
            if (commit % 40 == 0)
            {
                store.Time.Advance(TimeSpan.FromHours(2));
            }

            var (patient, other) = (_random.Next(Patients), _random.Next(Patients));
            await store.RunAsync(transaction =>
            {
                transaction.Audit(Line($"{commit}", [$"patient-{patient}"], readings: commit % 3 == 0));
                transaction.Audit(Line($"{commit}", [$"patient-{other}"], readings: false));
            });
            Interlocked.Increment(ref acknowledged[patient]);
            Interlocked.Increment(ref acknowledged[other]);
        }

        await written.CancelAsync();
        await Task.WhenAll(readers);
        Assert.Null(store.Store.CheckAudit(null, null).Problem);
    }

    [Fact]
    public void Keys_come_out_as_they_went_in()
    {
        for (var round = 0; round < 2000; round++)
        {
            var keys = Enumerable.Range(0, _random.Next(1, 40)).Select(_ => _random.NextInt64(1, 1L << _random.Next(1, 63))).Distinct().Order().ToArray();
            var (last, earlier) = AuditKeys.Pack(keys);
            Assert.Equal(keys, AuditKeys.Unpack(last, earlier));
        }
    }

    private static AuditRow Line(string name, IReadOnlyList<string> patients, bool readings)
    {
        var (listed, told) = (string.Join(',', patients.Select(patient => $"\"{patient}\"")), readings ? ",\"v\":[1]" : "");
        return new AuditRow(Encoding.UTF8.GetBytes($$"""{"k":"read","n":"{{name}}","p":[{{listed}}]{{told}}}"""), patients);
    }

    // How many entries a process that starts now finds to be filed.
    private static int Waiting(TestStore store)
    {
        using var connection = store.OpenReader();
        var unfiled = new UnfiledAudit(connection.Scalar("SELECT audit_filed FROM clock"));
        unfiled.CatchUp(connection, long.MaxValue);
        return unfiled.Waiting.Count;
    }

    private async Task WriteAsync(TestStore store, int commits)
    {
        for (var commit = 0; commit < commits; commit++)
        {
            var lines = Enumerable.Range(0, _random.Next(1, 8)).Select(_ => ($"patient-{_random.Next(Patients)}", _random.Next(3) == 0)).ToList();
            await store.RunAsync(transaction => lines.ForEach(line => transaction.Audit(Line($"{_written.Count}", [line.Item1], line.Item2))));
            _written.AddRange(lines);
        }
    }

    private async Task AssertFoundAsync(TestStore store)
    {
        var all = await store.Store.ReadAuditAsync(new AuditQuery(0, long.MaxValue, null, Descending: false, 10_000), CancellationToken.None);
        Assert.Equal(_written.Count, all.Count);
        for (var number = 0; number <= Patients; number += 7)
        {
            var patient = $"patient-{number}";
            var own = all.Where((_, index) => _written[index].Patient == patient).ToList();
            var (from, to) = own.Count > 3 ? (own[1].Key, own[^2].Key) : (0, long.MaxValue);
            foreach (var descending in (bool[])[false, true])
            {
                await AssertFoundAsync(store, own, new AuditQuery(0, long.MaxValue, patient, descending, 1000));
                await AssertFoundAsync(store, own, new AuditQuery(from, to, patient, descending, 1000));
                await AssertFoundAsync(store, own, new AuditQuery(from, to, patient, descending, 2));
                await AssertFoundAsync(store, [.. own.Where(line => line.HasReadings)], new AuditQuery(0, long.MaxValue, patient, descending, 1000) { WithReadings = true });
            }
        }

        Assert.Null(store.Store.CheckAudit(null, null).Problem);
    }

    private static async Task AssertFoundAsync(TestStore store, IReadOnlyList<StoredAudit> own, AuditQuery query)
    {
        var expected = own.Select(line => line.Key).Where(key => key >= query.First && key <= query.Last);
        var found = (await store.Store.ReadAuditAsync(query, CancellationToken.None)).Where(line => !query.WithReadings || line.HasReadings);
        Assert.Equal((query.Descending ? expected.Reverse() : expected).Take(query.Limit), found.Select(line => line.Key));
    }
}

public sealed class PostgresAuditFilingTests : AuditFilingTests
{
    protected override Engine Engine => Engine.PostgreSql;
}
