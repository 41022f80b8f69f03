using System.Collections.Concurrent;

namespace FhirIomt.Storage.Sqlite;

/// <summary>
/// The numbers that stand for systems, codes, parameters and referenced resources. Memory holds committed numbers only: a number given inside a
/// transaction goes into <see cref="Pending"/> and moves here after the commit.
/// </summary>
internal sealed class Dictionaries
{
    // 16 bytes of key and a number each; a million is about 100 MB at worst, and starting over costs one look-up each.
    private const int MaxRemembered = 500_000;

    private readonly ConcurrentDictionary<DictionaryKey, long> _committed = new();

    /// <summary>The number, or null when nothing with that name was ever stored.</summary>
    public long? Find(SqliteConnection connection, DictionaryKey key)
    {
        if (_committed.TryGetValue(key, out var known))
        {
            return known;
        }

        using var rows = key.Select(connection).Run();
        if (!rows.Step())
        {
            return null;
        }

        // The writer's connection sees numbers of its running transaction; were they remembered, a rollback would leave them behind, given out again for something else.
        var number = rows.Int64(0);
        return connection.IsReadOnly ? Remember(key, number) : number;
    }

    /// <summary>Every concept with that code, whatever its system.</summary>
    public static List<long> ConceptsOfCode(SqliteConnection connection, string code) =>
        Numbers(connection.Prepare("SELECT id FROM concept WHERE code=?").Add(code));

    /// <summary>Every entity of that name, whatever its type.</summary>
    public static List<long> EntitiesOfId(SqliteConnection connection, string id) =>
        Numbers(connection.Prepare("SELECT id FROM entity WHERE name=?").Add(id));

    private static List<long> Numbers(SqliteStatement statement)
    {
        var numbers = new List<long>();
        using var rows = statement.Run();
        while (rows.Step())
        {
            numbers.Add(rows.Int64(0));
        }

        return numbers;
    }

    private long Remember(DictionaryKey key, long number)
    {
        if (_committed.Count >= MaxRemembered)
        {
            _committed.Clear();
        }

        _committed[key] = number;
        return number;
    }

    /// <summary>The writer's view: committed numbers plus those of the running transaction.</summary>
    internal sealed class Pending(Dictionaries dictionaries, SqliteConnection connection)
    {
        private readonly Dictionary<DictionaryKey, long> _added = [];

        public long GetOrAdd(DictionaryKey key)
        {
            if (dictionaries._committed.TryGetValue(key, out var number) || _added.TryGetValue(key, out number))
            {
                return number;
            }

            using (var rows = key.Select(connection).Run())
            {
                if (rows.Step())
                {
                    return _added[key] = rows.Int64(0);
                }
            }

            key.Insert(connection);
            return _added[key] = connection.Scalar("SELECT last_insert_rowid()");
        }

        /// <summary>The set of those concepts; a new set is also entered under each of them.</summary>
        public long GetOrAddCodeSet(List<long> concepts)
        {
            concepts.Sort();
            var key = DictionaryKey.CodeSet(string.Join(',', concepts));
            var number = GetOrAdd(key);
            if (_added.ContainsKey(key))
            {
                foreach (var concept in concepts)
                {
                    connection.Prepare("INSERT OR IGNORE INTO code_set_concept(concept, code_set) VALUES (?,?)").Add(concept).Add(number).Done();
                }
            }

            return number;
        }

        public void Committed()
        {
            foreach (var (key, number) in _added)
            {
                dictionaries.Remember(key, number);
            }

            _added.Clear();
        }

        public void RolledBack() => _added.Clear();
    }
}

internal enum DictionaryKind : byte
{
    System,
    Concept,
    Parameter,
    Entity,
    CodeSet,
}

/// <param name="Scope">Concept: number of the system; Parameter: number of the type; otherwise 0.</param>
/// <param name="Type">Entity: resource type, or "" for a URL.</param>
internal readonly record struct DictionaryKey(DictionaryKind Kind, long Scope, string Type, string Name)
{
    public static DictionaryKey System(string? uri) => new(DictionaryKind.System, 0, "", uri ?? "");

    public static DictionaryKey Concept(long system, string code) => new(DictionaryKind.Concept, system, "", code);

    public static DictionaryKey Parameter(long type, string code) => new(DictionaryKind.Parameter, type, "", code);

    public static DictionaryKey Entity(string type, string id) => new(DictionaryKind.Entity, 0, type, id);

    /// <param name="concepts">Numbers of the concepts in ascending order, joined by commas.</param>
    public static DictionaryKey CodeSet(string concepts) => new(DictionaryKind.CodeSet, 0, "", concepts);

    public SqliteStatement Select(SqliteConnection connection) => Kind switch
    {
        DictionaryKind.System => connection.Prepare("SELECT id FROM system WHERE uri=?").Add(Name),
        DictionaryKind.Concept => connection.Prepare("SELECT id FROM concept WHERE code=? AND system=?").Add(Name).Add(Scope),
        DictionaryKind.CodeSet => connection.Prepare("SELECT id FROM code_set WHERE concepts=?").Add(Name),
        DictionaryKind.Parameter => connection.Prepare("SELECT id FROM parameter WHERE type=? AND code=?").Add(Scope).Add(Name),
        _ => connection.Prepare("SELECT id FROM entity WHERE name=? AND type=?").Add(Name).Add(Type),
    };

    public void Insert(SqliteConnection connection)
    {
        var statement = Kind switch
        {
            DictionaryKind.System => connection.Prepare("INSERT INTO system(uri) VALUES (?)").Add(Name),
            DictionaryKind.Concept => connection.Prepare("INSERT INTO concept(code, system) VALUES (?,?)").Add(Name).Add(Scope),
            DictionaryKind.CodeSet => connection.Prepare("INSERT INTO code_set(concepts) VALUES (?)").Add(Name),
            DictionaryKind.Parameter => connection.Prepare("INSERT INTO parameter(type, code) VALUES (?,?)").Add(Scope).Add(Name),
            _ => connection.Prepare("INSERT INTO entity(name, type) VALUES (?,?)").Add(Name).Add(Type),
        };
        statement.Done();
    }
}
