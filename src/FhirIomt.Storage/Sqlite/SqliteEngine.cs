using System.Collections.Frozen;
using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sqlite;

/// <summary>What readers and the writer share: numbers of types, dictionaries, and the reads that both do.</summary>
internal sealed class SqliteEngine
{
    private readonly SearchIndexer _indexer;
    private readonly IndexPolicy _policy;
    private readonly FrozenDictionary<string, long> _typeNumbers;
    private readonly FrozenDictionary<long, string> _typeNames;
    private long _generation;

    public SqliteEngine(SqliteConnection connection, SearchIndexer indexer, IndexPolicy policy, TimeProvider time)
    {
        _indexer = indexer;
        _policy = policy;
        Time = time;
        _typeNumbers = ReadTypes(connection);
        _typeNames = _typeNumbers.ToFrozenDictionary(pair => pair.Value, pair => pair.Key);
        _generation = connection.Scalar("SELECT generation FROM clock");
    }

    public TimeProvider Time { get; }

    public Dictionaries Dictionaries { get; } = new();

    public long Generation
    {
        get => Volatile.Read(ref _generation);
        set => Volatile.Write(ref _generation, value);
    }

    public long TypeNumber(string type) => _typeNumbers[type];

    public IEnumerable<long> TypeNumbers => _typeNames.Keys;

    public bool HasType(string type) => _typeNumbers.ContainsKey(type);

    public string TypeName(long number) => _typeNames[number];

    public IReadOnlyList<IndexValue> Extract(string type, JsonTree tree) => _indexer.Extract(tree, _policy.IndexedParameters(type));

    public StoredResource? Read(SqliteConnection connection, string type, string id)
    {
        using var rows = connection.Prepare("SELECT key, version, deleted, body FROM resource WHERE type=? AND id=?").Add(TypeNumber(type)).Add(id).Run();
        return rows.Step() ? Stored(type, id, rows) : null;
    }

    public StoredResource? ReadVersion(SqliteConnection connection, string type, string id, long version)
    {
        if (Read(connection, type, id) is { } current && current.Version == version)
        {
            return current;
        }

        using var rows = connection.Prepare("SELECT key, version, deleted, body FROM resource_history WHERE type=? AND id=? AND version=?")
            .Add(TypeNumber(type)).Add(id).Add(version).Run();
        return rows.Step() ? Stored(type, id, rows) : null;
    }

    public Outcome<SearchPage> Search(SqliteConnection connection, SearchQuery query, SearchAccess access) =>
        new SearchRun(this, connection, query, access).Run();

    public StoredRecord? FindRecord(SqliteConnection connection, string kind, string id)
    {
        using var rows = connection.Prepare("SELECT id, body, expires FROM record WHERE kind=? AND id=? AND (expires IS NULL OR expires>?)")
            .Add(kind).Add(id).Add(Time.GetUtcNow().ToUnixTimeMilliseconds()).Run();
        return rows.Step() ? Record(kind, rows) : null;
    }

    public IReadOnlyList<StoredRecord> ListRecords(SqliteConnection connection, string kind, int limit)
    {
        using var rows = connection.Prepare("SELECT id, body, expires FROM record WHERE kind=? AND (expires IS NULL OR expires>?) ORDER BY id DESC LIMIT ?")
            .Add(kind).Add(Time.GetUtcNow().ToUnixTimeMilliseconds()).Add((long)limit).Run();
        var records = new List<StoredRecord>();
        while (rows.Step())
        {
            records.Add(Record(kind, rows));
        }

        return records;
    }

    private static StoredRecord Record(string kind, SqliteStatement.Rows rows) =>
        new(kind, rows.Text(0), rows.Blob(1), rows.IsNull(2) ? null : DateTimeOffset.FromUnixTimeMilliseconds(rows.Int64(2)));

    private static StoredResource Stored(string type, string id, SqliteStatement.Rows rows) =>
        new(type, id, rows.Int64(1), ResourceKey.TimeOf(rows.Int64(0)), rows.Blob(3)) { IsDeleted = rows.Int64(2) != 0 };

    private static FrozenDictionary<string, long> ReadTypes(SqliteConnection connection)
    {
        var types = new Dictionary<string, long>(StringComparer.Ordinal);
        using var rows = connection.Prepare("SELECT name, id FROM resource_type").Run();
        while (rows.Step())
        {
            types[rows.Text(0)] = rows.Int64(1);
        }

        return types.ToFrozenDictionary(StringComparer.Ordinal);
    }
}
