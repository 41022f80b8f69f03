using System.Threading.Channels;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage.Sql;
using Npgsql;
using NpgsqlTypes;

namespace FhirIomt.Storage.PostgreSql;

/// <summary>
/// Reads by id that wait at the same time go to the server in one statement, as concurrent writes share a commit. While one round trip runs the next group gathers,
/// so a lone read waits for nobody. A group is read after all of it was asked for, so whoever was answered a write finds it.
/// </summary>
internal sealed class GroupReader : IAsyncDisposable
{
    // One lane waits for the server while the other works on its answer.
    private const int Lanes = 2;

    // More callers than connections are let in; beyond it they wait to be heard.
    private const int MaxWaiting = 4096;

    // Of resources of a few kilobytes that is an answer of some hundred.
    private const int MaxInGroup = 64;

    private const string Statement =
        "SELECT r.key, r.version, r.deleted, r.body, w.place, r.id FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS w(type, id, place) "
        + "CROSS JOIN LATERAL (SELECT key, version, deleted, body, id FROM resource WHERE type=w.type AND id>=w.id ORDER BY id LIMIT 1) r";

    private readonly Channel<Wanted> _queue = Channel.CreateBounded<Wanted>(MaxWaiting);
    private readonly NpgsqlDataSource _source;
    private readonly SqlEngine _engine;
    private readonly Task[] _lanes;

    public GroupReader(NpgsqlDataSource source, SqlEngine engine)
    {
        _source = source;
        _engine = engine;
        _lanes = [.. Enumerable.Range(0, Lanes).Select(_ => Task.Factory.StartNew(RunAsync, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap())];
    }

    public async ValueTask<StoredResource?> ReadNearestAsync(string type, string id, CancellationToken cancellationToken)
    {
        var wanted = new Wanted(type, id);
        try
        {
            await _queue.Writer.WriteAsync(wanted, cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            throw new StoreBusyException("The store is closed.");
        }

        return await wanted.Answer.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await Task.WhenAll(_lanes).ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        PostgresConnection? connection = null;
        var group = new List<Wanted>(MaxInGroup);
        while (await _queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            group.Clear();
            while (group.Count < MaxInGroup && _queue.Reader.TryRead(out var wanted))
            {
                group.Add(wanted);
            }

            if (group.Count > 0)
            {
                Answer(group, ref connection);
            }
        }

        connection?.Dispose();
    }

    private void Answer(List<Wanted> group, ref PostgresConnection? connection)
    {
        try
        {
            var found = Read(group, ref connection);
            for (var index = 0; index < group.Count; index++)
            {
                group[index].Answer.SetResult(found[index]);
            }
        }
        catch (Exception exception)
        {
            // Whatever it was, each of them hears it; nobody may wait for ever.
            group.ForEach(wanted => wanted.Answer.TrySetException(exception));
        }
    }

    // A connection that lay idle may have died there; what it was asked is only read, so another can be asked.
    private StoredResource?[] Read(List<Wanted> group, ref PostgresConnection? connection)
    {
        var isFresh = connection is null;
        connection ??= new PostgresConnection(_source, readOnly: true);
        try
        {
            return Read(connection, group);
        }
        catch (StoreLostException) when (!isFresh)
        {
            connection.Reopen();
            return Read(connection, group);
        }
        finally
        {
            if (connection.IsLost)
            {
                connection.Dispose();
                connection = null;
            }
        }
    }

    private StoredResource?[] Read(PostgresConnection connection, List<Wanted> group) => group.Count == 1
        ? [_engine.ReadNearest(connection, group[0].Type, group[0].Id)]
        : PostgresConnection.Run(() => ReadTogether(connection, group));

    private StoredResource?[] ReadTogether(PostgresConnection connection, List<Wanted> group)
    {
        using var command = new NpgsqlCommand(Statement, connection.Inner)
        {
            Parameters =
            {
                new NpgsqlParameter<long[]> { TypedValue = [.. group.Select(wanted => _engine.TypeNumber(wanted.Type))], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint },
                new NpgsqlParameter<string[]> { TypedValue = [.. group.Select(wanted => PostgresText.Clean(wanted.Id))], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
            },
        };
        var found = new StoredResource?[group.Count];
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            var place = (int)reader.GetInt64(4) - 1;
            found[place] = new StoredResource(group[place].Type, reader.GetString(5), reader.GetInt64(1), ResourceKey.TimeOf(reader.GetInt64(0)), reader.GetFieldValue<byte[]>(3)) { IsDeleted = reader.GetInt64(2) != 0 };
        }

        return found;
    }

    private sealed record Wanted(string Type, string Id)
    {
        public TaskCompletionSource<StoredResource?> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
