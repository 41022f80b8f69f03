using FhirIomt.Storage.Sql;
using Npgsql;
using NpgsqlTypes;
using static FhirIomt.Storage.PostgreSql.BufferColumn;

namespace FhirIomt.Storage.PostgreSql;

/// <summary>
/// Keeps the rows of a write transaction and sends each table's together: a round trip costs 50 µs and more, an Observation has ten rows. Added rows go before removed
/// ones: a key that is removed was either there before or added in the same breath, and none comes back.
/// </summary>
internal sealed class PostgresRowWriter(PostgresConnection connection) : RowWriter
{
    // Bounds the memory of a group: about as many rows as 2,000 resources have.
    private const int MaxBuffered = 20_000;

    private readonly CurrentRows _current = new();
    private readonly RowTables _tables = new();
    private readonly Dictionary<(string Kind, string Id), StoredRecord?> _records = [];
    private readonly List<long> _retired = [];
    private long _transaction;

    public override Clock Begin(IReadOnlyCollection<(long Type, string Id)> reads)
    {
        Discard();
        try
        {
            return BeginOnce(reads);
        }
        catch (StoreLostException)
        {
            // It may have died while nobody used it; nothing was done on it yet.
            connection.Reopen();
            return BeginOnce(reads);
        }
        catch
        {
            RollBack();
            throw;
        }
    }

    public override ResourceRow? Find(long type, string id)
    {
        if (!_current.TryGet(type, id, out var row))
        {
            Flush();
            row = SqlEngine.ReadRow(connection, type, id);
            _current.Set(type, id, row);
        }

        return row;
    }

    public override StoredRecord? FindRecord(string kind, string id) =>
        _records.TryGetValue((kind, id), out var pending) ? pending : SqlEngine.ReadRecord(connection, kind, id);

    public override void Commit(Clock clock)
    {
        var batch = Filled();
        batch.BatchCommands.Add(Updated(clock));
        batch.BatchCommands.Add(new NpgsqlBatchCommand("COMMIT"));
        try
        {
            // One round trip; after an error the server skips the rest, COMMIT included.
            Send(batch);
        }
        catch (StoreLostException lost)
        {
            if (!CommitOutcome.WasCommitted(connection, _transaction))
            {
                throw new StoreLostException(lost.Message);
            }
        }
    }

    public override void RollBack()
    {
        Discard();
        if (!connection.IsLost)
        {
            connection.Execute("ROLLBACK");
        }
    }

    public override void BeginAttempt()
    {
        var batch = Filled();
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SAVEPOINT attempt"));
        Send(batch);
    }

    public override void EndAttempt(bool keep)
    {
        NpgsqlBatch batch;
        if (keep)
        {
            batch = Filled();
        }
        else
        {
            Discard();
            batch = new NpgsqlBatch(connection.Inner);
            batch.BatchCommands.Add(new NpgsqlBatchCommand("ROLLBACK TO SAVEPOINT attempt"));
        }

        batch.BatchCommands.Add(new NpgsqlBatchCommand("RELEASE SAVEPOINT attempt"));
        Send(batch);
    }

    public override void Flush()
    {
        var batch = Filled();
        if (batch.BatchCommands.Count > 0)
        {
            Send(batch);
        }
    }

    public override void Resource(in ResourceRow row)
    {
        _current.Add(row);
        if (_tables.Count + (_current.AddedCount * 4) > MaxBuffered)
        {
            Flush();
        }
    }

    public override void History(in ResourceRow row) =>
        _tables.History.Row().Add(row.Type).Add(row.Id).Add(row.Version).Add(row.Key).Add(row.Deleted ? 1L : 0L).Add(row.Body);

    public override void Retire(in ResourceRow row)
    {
        // Not yet sent: it goes to the history straight away.
        if (_current.TakeBack(row))
        {
            History(row);
        }
        else
        {
            _retired.Add(row.Key);
        }
    }

    public override void Columns(long key, in ResourceColumns columns)
    {
        _tables.Columns.Row().Add(key).Add(columns.Subject).Add(columns.Codes).Add(columns.Start).Add(columns.Stop);
        _current.Forget(key);
    }

    public override void Record(StoredRecord record) => _records[(record.Kind, record.Id)] = record;

    public override void DeleteRecord(string kind, string id) => _records[(kind, id)] = null;

    public override void Timeline(bool adding, long subject, long codes, long start, long key) =>
        _tables.Timeline(adding).Row().Add(subject).Add(codes).Add(start).Add(key);

    public override void Token(bool adding, long parameter, long concept, long key) => _tables.Token(adding).Row().Add(parameter).Add(concept).Add(key);

    public override void Identifier(bool adding, long parameter, string value, long key, long system) =>
        _tables.Identifier(adding).Row().Add(parameter).Add(value).Add(key).Add(system);

    public override void Text(bool adding, long parameter, string folded, long key, string value) =>
        _tables.Text(adding).Row().Add(parameter).Add(folded).Add(key).Add(value);

    public override void Date(bool adding, long parameter, long start, long stop, long key) => _tables.Date(adding).Row().Add(parameter).Add(start).Add(stop).Add(key);

    public override void Number(bool adding, long parameter, double low, double high, long key) => _tables.Number(adding).Row().Add(parameter).Add(low).Add(high).Add(key);

    public override void Quantity(bool adding, long parameter, long unit, double low, double high, long codes, long key) =>
        _tables.Quantity(adding).Row().Add(parameter).Add(unit).Add(low).Add(high).Add(codes).Add(key);

    public override void Reference(bool adding, long parameter, long target, long key) => _tables.Reference(adding).Row().Add(parameter).Add(target).Add(key);

    public override void Uri(bool adding, long parameter, string value, long key) => _tables.Uri(adding).Row().Add(parameter).Add(value).Add(key);

    public override void Component(in ComponentRow row) => _tables.Component.Row()
        .Add(row.Key).Add(row.Parameter).Add((long)row.Repetition).Add((long)row.Component).Add((long)row.Item)
        .Add(row.Concept).Add(row.Value).Add(row.System).Add(row.Low).Add(row.High).Add(row.Unit).Add(row.Target);

    public override void RemoveComponents(long key) => _tables.ComponentsRemoved.Row().Add(key);

    public override void FullText(long key, string narrative, string content) => _tables.FullText.Row().Add(key).Add(narrative).Add(content);

    public override void RemoveFullText(long key) => _tables.FullTextRemoved.Row().Add(key);

    public override void Audit(long key, ReadOnlyMemory<byte> body) => _tables.Audit.Row().Add(key).Add(body);

    public override void AuditPatient(AuditHeading heading, long last, byte[] earlier) =>
        _tables.AuditPatient.Row().Add(heading.Patient).Add(heading.Readings ? 1L : 0L).Add(last).Add((ReadOnlyMemory<byte>)earlier);

    public override void AuditBatch(long first, long last, long size, byte[] hash) => _tables.AuditBatch.Row().Add(last).Add(first).Add(size).Add((ReadOnlyMemory<byte>)hash);

    public override void CodeSetMember(long parameter, long concept, long codeSet) => _tables.CodeSetMember.Row().Add(parameter).Add(concept).Add(codeSet);

    private Clock BeginOnce(IReadOnlyCollection<(long Type, string Id)> reads) => PostgresConnection.Run(() =>
    {
        using var batch = new NpgsqlBatch(connection.Inner);
        batch.BatchCommands.Add(new NpgsqlBatchCommand("BEGIN ISOLATION LEVEL READ COMMITTED"));

        // The row lock is what makes writers of all nodes one after the other (docs/adr/0010).
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT last, generation, catalog, chain, txid_current(), audit_filed, audit_target, audit_after FROM clock FOR UPDATE"));
        if (reads.Count > 0)
        {
            batch.BatchCommands.Add(CurrentRows.Query(reads));
        }

        using var reader = batch.ExecuteReader();
        reader.Read();
        var audit = new AuditFiled(reader.GetInt64(5), reader.GetInt64(6), reader.GetString(7));
        var clock = new Clock(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetFieldValue<byte[]>(3), audit);
        _transaction = reader.GetInt64(4);
        if (reads.Count > 0 && reader.NextResult())
        {
            _current.Take(reads, reader);
        }

        return clock;
    });

    private static NpgsqlBatchCommand Updated(Clock clock)
    {
        var audit = clock.Audit;
        return Command("UPDATE clock SET last=$1, generation=$2, catalog=$3, chain=$4, audit_filed=$5, audit_target=$6, audit_after=$7", clock.Last, clock.Generation, clock.Catalog, clock.Chain, audit.Filed, audit.Target, audit.After);
    }

    private NpgsqlBatch Filled()
    {
        var batch = new NpgsqlBatch(connection.Inner);
        if (_retired.Count > 0)
        {
            long[] keys = [.. _retired];
            batch.BatchCommands.Add(Command("INSERT INTO resource_history(type, id, version, key, deleted, body) SELECT type, id, version, key, deleted, body FROM resource WHERE key=ANY($1)", keys));
            batch.BatchCommands.Add(Command("DELETE FROM resource WHERE key=ANY($1)", keys));
            _retired.Clear();
        }

        _current.MoveAddedTo(_tables.Resource);
        _tables.MoveTo(batch);
        MoveRecordsTo(batch);
        return batch;
    }

    private void MoveRecordsTo(NpgsqlBatch batch)
    {
        foreach (var ((kind, id), record) in _records)
        {
            if (record is null)
            {
                _tables.RecordRemoved.Row().Add(kind).Add(id);
            }
            else
            {
                _tables.Record.Row().Add(kind).Add(id).Add(record.Body).Add(record.ExpiresAt?.ToUnixTimeMilliseconds());
            }
        }

        _records.Clear();
        _tables.Record.MoveTo(batch);
        _tables.RecordRemoved.MoveTo(batch);
    }

    private static void Send(NpgsqlBatch batch) => PostgresConnection.Run(() =>
    {
        using (batch)
        {
            return batch.ExecuteNonQuery();
        }
    });

    private void Discard()
    {
        _current.Clear();
        _tables.Clear();
        _records.Clear();
        _retired.Clear();
    }

    private static NpgsqlBatchCommand Command(string sql, params ReadOnlySpan<object> values)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        return command;
    }
}
