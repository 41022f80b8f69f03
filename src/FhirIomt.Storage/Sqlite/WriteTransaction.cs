using FhirIomt.Access;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sqlite;

/// <summary>The running write transaction on the writer's connection.</summary>
internal sealed class WriteTransaction(SqliteConnection connection, SqliteEngine engine) : IWriteTransaction
{
    private readonly Dictionaries.Pending _dictionaries = new(engine.Dictionaries, connection);
    private long _lastTick;
    private long _generation;
    private bool _configurationChanged;

    public void Begin()
    {
        connection.Prepare("BEGIN IMMEDIATE").Done();
        using var clock = connection.Prepare("SELECT last, generation FROM clock").Run();
        clock.Step();
        _lastTick = clock.Int64(0);
        _generation = clock.Int64(1);
        _configurationChanged = false;
    }

    public void Commit()
    {
        connection.Prepare("UPDATE clock SET last=?, generation=?").Add(_lastTick).Add(_generation + (_configurationChanged ? 1 : 0)).Done();
        connection.Prepare("COMMIT").Done();
        _dictionaries.Committed();
        if (_configurationChanged)
        {
            engine.Generation = _generation + 1;
        }
    }

    public void RollBack()
    {
        connection.Prepare("ROLLBACK").Done();
        _dictionaries.RolledBack();
    }

    public StoredResource? Find(string type, string id) => engine.Read(connection, type, id);

    public IReadOnlyList<StoredResource> Search(SearchQuery query, SearchAccess access) =>
        engine.Search(connection, query, access).Require().Matches;

    public StoredResource Put(PreparedResource resource, string id, StoredResource? previous)
    {
        var type = engine.TypeNumber(resource.Type);
        _lastTick = ResourceKey.NextTick(_lastTick, engine.Time.GetUtcNow());
        var key = ResourceKey.Of(type, _lastTick);
        var version = (previous?.Version ?? 0) + 1;
        var time = ResourceKey.TimeOf(key);
        var body = ResourceStamp.Apply(resource.Tree, id, version, time);
        var rows = new IndexRows(connection, _dictionaries);
        if (previous is not null)
        {
            Retire(type, previous, rows);
        }

        var owner = PatientCompartment.OwnerOf(resource.Type, resource.Tree.Root);
        if (resource.Type == "Patient")
        {
            owner = id;
        }

        var columns = rows.Add(type, resource.Type, key, id, resource.Index, owner);
        connection.Prepare("INSERT INTO resource(key, type, id, version, deleted, subject, codes, start, stop, body) VALUES (?,?,?,?,0,?,?,?,?,?)")
            .Add(key).Add(type).Add(id).Add(version).Add(columns.Subject).Add(columns.Codes).Add(columns.Start).Add(columns.Stop).Add(body).Done();
        _configurationChanged |= resource.Type is "Device" or "DeviceUseStatement";
        return new StoredResource(resource.Type, id, version, time, body);
    }

    public StoredResource Delete(StoredResource previous)
    {
        var type = engine.TypeNumber(previous.Type);
        _lastTick = ResourceKey.NextTick(_lastTick, engine.Time.GetUtcNow());
        var key = ResourceKey.Of(type, _lastTick);
        Retire(type, previous, new IndexRows(connection, _dictionaries));
        connection.Prepare("INSERT INTO resource(key, type, id, version, deleted, body) VALUES (?,?,?,?,1,?)")
            .Add(key).Add(type).Add(previous.Id).Add(previous.Version + 1).Add(ReadOnlySpan<byte>.Empty).Done();
        _configurationChanged |= previous.Type is "Device" or "DeviceUseStatement";
        return new StoredResource(previous.Type, previous.Id, previous.Version + 1, ResourceKey.TimeOf(key), ReadOnlyMemory<byte>.Empty) { IsDeleted = true };
    }

    public bool TryAtomically(Func<bool> work)
    {
        connection.Prepare("SAVEPOINT attempt").Done();
        if (work())
        {
            connection.Prepare("RELEASE attempt").Done();
            return true;
        }

        connection.Prepare("ROLLBACK TO attempt").Done();
        connection.Prepare("RELEASE attempt").Done();

        // Numbers given since are gone with it; those from before it are found again by a look-up.
        _dictionaries.RolledBack();
        return false;
    }

    public StoredRecord? FindRecord(string kind, string id) => engine.FindRecord(connection, kind, id);

    public void PutRecord(StoredRecord record)
    {
        connection.Prepare("INSERT INTO record(kind, id, body, expires) VALUES (?,?,?,?) ON CONFLICT(kind, id) DO UPDATE SET body=excluded.body, expires=excluded.expires")
            .Add(record.Kind).Add(record.Id).Add(record.Body.Span).Add(record.ExpiresAt?.ToUnixTimeMilliseconds()).Done();
        _configurationChanged |= RecordKind.IsConfiguration(record.Kind);
    }

    public void DeleteRecord(string kind, string id)
    {
        connection.Prepare("DELETE FROM record WHERE kind=? AND id=?").Add(kind).Add(id).Done();
        _configurationChanged |= RecordKind.IsConfiguration(kind);
    }

    public void DeleteExpiredRecords() =>
        connection.Prepare("DELETE FROM record WHERE expires<?").Add(engine.Time.GetUtcNow().ToUnixTimeMilliseconds()).Done();

    /// <summary>Moves the current version to history and takes its index rows away, found again from its own bytes.</summary>
    private void Retire(long type, StoredResource previous, IndexRows rows)
    {
        long key;
        using (var row = connection.Prepare("SELECT key FROM resource WHERE type=? AND id=?").Add(type).Add(previous.Id).Run())
        {
            row.Step();
            key = row.Int64(0);
        }

        if (!previous.IsDeleted)
        {
            var tree = JsonTree.Parse(previous.Body).Require();
            var owner = PatientCompartment.OwnerOf(previous.Type, tree.Root);
            rows.Remove(type, previous.Type, key, previous.Id, engine.Extract(previous.Type, tree), owner);
        }

        connection.Prepare("INSERT INTO resource_history(type, id, version, key, deleted, body) SELECT type, id, version, key, deleted, body FROM resource WHERE key=?").Add(key).Done();
        connection.Prepare("DELETE FROM resource WHERE key=?").Add(key).Done();
    }
}
