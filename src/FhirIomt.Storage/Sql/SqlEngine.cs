using System.Collections.Frozen;
using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage.Sql.Searching;

namespace FhirIomt.Storage.Sql;

/// <summary>What readers and the writer share: numbers of types, dictionaries, and the reads that both do.</summary>
internal sealed class SqlEngine
{
    private readonly SearchIndexer _indexer;
    private readonly IndexPolicy _policy;
    private readonly FrozenDictionary<string, long> _typeNumbers;
    private readonly FrozenDictionary<long, string> _typeNames;
    private readonly System.Runtime.CompilerServices.ConditionalWeakTable<PatientSet, PatientNumbers> _patientNumbers = [];
    private long _generation;

    public SqlEngine(SqlConnection connection, SearchIndexer indexer, IndexPolicy policy, TimeProvider time)
    {
        _indexer = indexer;
        _policy = policy;
        Time = time;
        _typeNumbers = ReadTypes(connection);
        _typeNames = _typeNumbers.ToFrozenDictionary(pair => pair.Value, pair => pair.Key);
        _generation = connection.Scalar("SELECT generation FROM clock");
        UnfiledAudit = new UnfiledAudit(connection.Scalar("SELECT audit_filed FROM clock"));
        Dictionaries = new Dictionaries(TextSystem(connection), connection.Scalar("SELECT count(*) FROM code_set"));
    }

    public TimeProvider Time { get; }

    public FhirDefinitions Definitions => _policy.Definitions;

    public Dictionaries Dictionaries { get; }

    /// <summary>Both generations in the clock's one number, so that no schema had to change: it grows when either does.</summary>
    public long Generations
    {
        get => Volatile.Read(ref _generation);
        set => Volatile.Write(ref _generation, value);
    }

    public long Generation => Generations & (AccessStep - 1);

    public long AccessGeneration => Generations / AccessStep;

    // Some 50,000 readings.
    private const long VersionBytes = 64L * 1024 * 1024;

    /// <summary>What a change of access data adds to the number; changes of configuration add 1.</summary>
    public const long AccessStep = 1L << 32;

    /// <summary>What can be searched by.</summary>
    public IndexPolicy Policy => _policy;

    public Catalog Catalog { get; } = new();

    public UnfiledAudit UnfiledAudit { get; }

    /// <summary>Versions in memory.</summary>
    public VersionCache Versions { get; private set; } = new(VersionBytes);

    /// <summary>The versions in memory may be another's than those of the engine now.</summary>
    public void ForgetVersions() => Versions = new VersionCache(VersionBytes);

    public long TypeNumber(string type) => _typeNumbers[type];

    public IEnumerable<long> TypeNumbers => _typeNames.Keys;

    public bool HasType(string type) => _typeNumbers.ContainsKey(type);

    public string TypeName(long number) => _typeNames[number];

    /// <summary>Whether every stored resource is indexed by a parameter of that name.</summary>
    public bool IsSettled(string type, string indexName) => _policy.IndexedParameters(type).Any(parameter => parameter.IndexName == indexName);

    /// <summary>What the index holds of a resource.</summary>
    public IReadOnlyList<IndexValue> Extract(string type, JsonTree tree) => _indexer.Extract(tree, _policy.ExtractedParameters(type));

    /// <summary>What those parameters find.</summary>
    public IReadOnlyList<IndexValue> Extract(JsonTree tree, IReadOnlyList<SearchParameter> only) => _indexer.Extract(tree, only);

    /// <summary>
    /// The numbers of a set of patients. Kept as long as the set is, when all are known: 10,000 look-ups take 2 ms, and a number never changes once it is stored.
    /// </summary>
    public PatientNumbers EntitiesOf(SqlConnection connection, PatientSet patients)
    {
        // Sets of one search end with it: remembering them would cost more than the look-ups.
        const int MaxLookedUp = 16;
        if (patients.Count > MaxLookedUp && _patientNumbers.TryGetValue(patients, out var known))
        {
            return known;
        }

        var numbers = patients.Ids.Select(id => Dictionaries.Find(connection, DictionaryKey.Entity("Patient", id))).OfType<long>().ToList();
        var found = new PatientNumbers(numbers, patients.Count > MaxLookedUp ? string.Join(',', numbers) : "");
        if (numbers.Count == patients.Count && patients.Count > MaxLookedUp)
        {
            _patientNumbers.AddOrUpdate(patients, found);
        }

        return found;
    }

    /// <summary>The patient that a resource belongs to, or null: the same answer as the check on what leaves gives.</summary>
    public string? OwnerOf(string type, JsonTree tree) => PatientCompartment.OwnerOf(type, tree.Root, _indexer.ServerBase);

    public ResourceGlance GlanceOf(StoredResource resource) => Glances.Of(resource, _indexer.ServerBase);

    public StoredResource? Read(SqlConnection connection, string type, string id)
    {
        using var rows = connection.Prepare("SELECT key, version, deleted, body FROM resource WHERE type=? AND id=?").Add(TypeNumber(type)).Add(id).Run();
        return rows.Step() ? Stored(type, id, rows) : null;
    }

    public StoredResource? ReadNearest(SqlConnection connection, string type, string id)
    {
        using var rows = connection.Prepare("SELECT key, version, deleted, body, id FROM resource WHERE type=? AND id>=? ORDER BY id LIMIT 1").Add(TypeNumber(type)).Add(id).Run();
        return rows.Step() ? Stored(type, rows.Text(4), rows) : null;
    }

    public StoredResource? ReadVersion(SqlConnection connection, string type, string id, long version)
    {
        // One statement, whichever table has it: where statements are round trips, the second one would tell that the first found nothing.
        using var rows = connection.Prepare(
            "SELECT key, version, deleted, body FROM resource WHERE type=? AND id=? AND version=? UNION ALL SELECT key, version, deleted, body FROM resource_history WHERE type=? AND id=? AND version=?")
            .Add(TypeNumber(type)).Add(id).Add(version).Add(TypeNumber(type)).Add(id).Add(version).Run();
        return rows.Step() ? Stored(type, id, rows) : null;
    }

    public const string RowColumns = "key, type, id, version, deleted, subject, codes, start, stop, body";

    /// <summary>The current row of that key, a deletion included; null when another version has taken its place.</summary>
    public static ResourceRow? ReadRow(SqlConnection connection, long key)
    {
        using var rows = connection.Prepare($"SELECT {RowColumns} FROM resource WHERE key=?").Add(key).Run();
        return rows.Step() ? RowOf(rows) : null;
    }

    public static ResourceRow? ReadRow(SqlConnection connection, long type, string id)
    {
        using var rows = connection.Prepare($"SELECT {RowColumns} FROM resource WHERE type=? AND id=?").Add(type).Add(id).Run();
        return rows.Step() ? RowOf(rows) : null;
    }

    public static ResourceRow RowOf(SqlStatement.Rows rows) =>
        new(rows.Int64(0), rows.Int64(1), rows.Text(2), rows.Int64(3), rows.Int64(4) != 0, ColumnsOf(rows, 5), rows.Blob(9));

    private static ResourceColumns ColumnsOf(SqlStatement.Rows rows, int first)
    {
        return new ResourceColumns(Number(rows, first), Number(rows, first + 1), Number(rows, first + 2), Number(rows, first + 3));

        static long? Number(SqlStatement.Rows rows, int column) => rows.IsNull(column) ? null : rows.Int64(column);
    }

    public Outcome<SearchPage> Search(SqlConnection connection, SearchQuery query, SearchAccess access) =>
        SearchRun.Search(this, connection, query, access);

    public StoredRecord? FindRecord(SqlConnection connection, string kind, string id) =>
        ReadRecord(connection, kind, id) is { } record && !(record.ExpiresAt <= Time.GetUtcNow()) ? record : null;

    /// <summary>The record, also one whose time is over.</summary>
    public static StoredRecord? ReadRecord(SqlConnection connection, string kind, string id)
    {
        using var rows = connection.Prepare("SELECT id, body, expires FROM record WHERE kind=? AND id=?").Add(kind).Add(id).Run();
        return rows.Step() ? Record(kind, rows) : null;
    }

    public IReadOnlyList<StoredRecord> ListRecords(SqlConnection connection, string kind, int limit, string? before = null)
    {
        var statement = before is null
            ? connection.Prepare("SELECT id, body, expires FROM record WHERE kind=? AND (expires IS NULL OR expires>?) ORDER BY id DESC LIMIT ?").Add(kind)
            : connection.Prepare("SELECT id, body, expires FROM record WHERE kind=? AND id<? AND (expires IS NULL OR expires>?) ORDER BY id DESC LIMIT ?").Add(kind).Add(before);
        using var rows = statement.Add(Time.GetUtcNow().ToUnixTimeMilliseconds()).Add((long)limit).Run();
        var records = new List<StoredRecord>();
        while (rows.Step())
        {
            records.Add(Record(kind, rows));
        }

        return records;
    }

    private static StoredRecord Record(string kind, SqlStatement.Rows rows) =>
        new(kind, rows.Text(0), rows.Blob(1), rows.IsNull(2) ? null : DateTimeOffset.FromUnixTimeMilliseconds(rows.Int64(2)));

    private static StoredResource Stored(string type, string id, SqlStatement.Rows rows) =>
        new(type, id, rows.Int64(1), ResourceKey.TimeOf(rows.Int64(0)), rows.Blob(3)) { IsDeleted = rows.Int64(2) != 0 };

    private static long TextSystem(SqlConnection connection)
    {
        using var rows = connection.Prepare("SELECT id FROM system WHERE uri=?").Add(Dictionaries.TextSystemUri).Run();
        return rows.Step() ? rows.Int64(0) : throw new StoreUnusableException("The store lacks the system of texts, which its schema makes. Restore it from a backup.");
    }

    private static FrozenDictionary<string, long> ReadTypes(SqlConnection connection)
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

/// <summary>The entities of a set of patients, also as one text of numbers with commas.</summary>
internal sealed record PatientNumbers(IReadOnlyCollection<long> Numbers, string Text)
{
    public int Count => Numbers.Count;
}
