using System.Collections.Concurrent;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql;

/// <summary>
/// The numbers that stand for systems, codes, parameters and referenced resources. Memory holds committed numbers only: a number given inside a
/// transaction goes into <see cref="Pending"/> and moves here after the commit.
/// </summary>
internal sealed class Dictionaries(long textSystem, long codeSets)
{
    /// <summary>The uri of the reserved system whose codes are the folded texts of concepts, for <c>:text</c>: no uri begins with that character.</summary>
    public const string TextSystemUri = "\u0001text";

    // 16 bytes of key and a number each; a million is about 100 MB at worst, and starting over costs one look-up each.
    private const int MaxRemembered = 500_000;

    private readonly ConcurrentDictionary<DictionaryKey, long> _committed = new();

    // The writer's alone: the parameters that it wrote rows of, identifiers (true) apart from the others, which go to another table.
    private readonly HashSet<(long Parameter, bool Identifiers)> _used = [];
    private long _codeSets = codeSets;

    /// <summary>The number of that system.</summary>
    public long TextSystem => textSystem;

    /// <summary>The number when memory has it.</summary>
    public long? Known(DictionaryKey key) => _committed.TryGetValue(key, out var known) ? known : null;

    /// <summary>The number, or null when nothing with that name was ever stored.</summary>
    public long? Find(SqlConnection connection, DictionaryKey key)
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

    /// <summary>Every concept with that code, whatever its system; a text is no code.</summary>
    public List<long> ConceptsOfCode(SqlConnection connection, string code) =>
        Numbers(connection.Prepare("SELECT id FROM concept WHERE code=? AND system<>?").Add(ExactText.Of(code)).Add(textSystem));

    /// <summary>Every entity of that name, whatever its type.</summary>
    public static List<long> EntitiesOfId(SqlConnection connection, string id) =>
        Numbers(connection.Prepare("SELECT id FROM entity WHERE name=?").Add(ExactText.Of(id)));

    private static List<long> Numbers(SqlStatement statement)
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
    /// <param name="mayAdd">False to look only: what has no number gets one that nothing has.</param>
    internal sealed class Pending(Dictionaries dictionaries, SqlConnection connection, bool mayAdd = true)
    {
        private readonly Dictionary<DictionaryKey, long> _added = [];
        private readonly HashSet<(long Parameter, bool Identifiers)> _used = [];
        private long _unknown;

        /// <summary>The transaction adds something that searches remember the absence of (<see cref="Searching.Catalog"/>).</summary>
        public bool CatalogChanged { get; set; }

        /// <summary>A row of that parameter goes into <c>identifier_index</c>, or else into the table of its kind.</summary>
        public void Uses(long parameter, bool identifiers = false)
        {
            if (!dictionaries._used.Contains((parameter, identifiers)) && _used.Add((parameter, identifiers)))
            {
                CatalogChanged = true;
            }
        }

        public long? Find(DictionaryKey key)
        {
            if (dictionaries._committed.TryGetValue(key, out var number) || _added.TryGetValue(key, out number))
            {
                return number;
            }

            using var rows = key.Select(connection).Run();
            return rows.Step() ? _added[key] = rows.Int64(0) : null;
        }

        public long GetOrAdd(DictionaryKey key) => Find(key) ?? Add(key);

        /// <summary>The concept of the reserved system that stands for a text, however it is written.</summary>
        public long TextConcept(string text)
        {
            // Remembered by the text as it came too: folding the same displays over and over costs more than the rest of their row.
            var unfolded = DictionaryKey.Text(text);
            return dictionaries._committed.TryGetValue(unfolded, out var number) || _added.TryGetValue(unfolded, out number)
                ? number
                : _added[unfolded] = GetOrAdd(DictionaryKey.Concept(dictionaries.TextSystem, TextFolding.Fold(text)));
        }

        /// <summary>The set of those members; a new set is also entered under each of them.</summary>
        /// <param name="fits">False when the store has no room for another set (<see cref="Facets.MaxSets"/>): what is answered is the empty one.</param>
        public long GetOrAddCodeSet(List<(long Parameter, long Concept)> members, RowWriter rows, out bool fits)
        {
            var key = DictionaryKey.CodeSet(Facets.NameOf(members));
            fits = true;
            if (Find(key) is { } known)
            {
                return known;
            }

            if (members.Count > 0 && Interlocked.Read(ref dictionaries._codeSets) >= Facets.MaxSets)
            {
                fits = false;
                return GetOrAddCodeSet([], rows, out _);
            }

            if (!mayAdd)
            {
                return --_unknown;
            }

            var number = Add(key);
            Interlocked.Increment(ref dictionaries._codeSets);
            foreach (var (parameter, concept) in members)
            {
                rows.CodeSetMember(parameter, concept, number);
            }

            return number;
        }

        private long Add(DictionaryKey key)
        {
            if (!mayAdd)
            {
                return --_unknown;
            }

            CatalogChanged |= key.Kind is DictionaryKind.Parameter or DictionaryKind.CodeSet or DictionaryKind.Unit || (key.Kind == DictionaryKind.Concept && key.Scope != dictionaries.TextSystem);
            using var rows = key.Insert(connection).Run();
            return rows.Step() ? _added[key] = rows.Int64(0) : throw new InvalidOperationException("An insert answered no number.");
        }

        public void Committed()
        {
            foreach (var (key, number) in _added)
            {
                dictionaries.Remember(key, number);
            }

            dictionaries._used.UnionWith(_used);
            _added.Clear();
            _used.Clear();
            CatalogChanged = false;
        }

        /// <summary>What was given out is forgotten; what came before an attempt is found again by a look-up.</summary>
        public void RolledBack()
        {
            _added.Clear();
            _used.Clear();
        }
    }
}

internal enum DictionaryKind : byte
{
    System,
    Concept,
    Parameter,
    Entity,
    CodeSet,
    Unit,

    /// <summary>Only in memory: a text as it came, for its concept.</summary>
    Text,
}

/// <param name="Scope">Concept and Unit: number of the system; Parameter: number of the type; otherwise 0.</param>
/// <param name="Type">Entity: resource type, or "" for a URL. Unit: its code.</param>
internal readonly record struct DictionaryKey(DictionaryKind Kind, long Scope, string Type, string Name)
{
    public static DictionaryKey System(string? uri) => new(DictionaryKind.System, 0, "", ExactText.Of(uri ?? ""));

    public static DictionaryKey Concept(long system, string code) => new(DictionaryKind.Concept, system, "", ExactText.Of(code));

    public static DictionaryKey Parameter(long type, string code) => new(DictionaryKind.Parameter, type, "", code);

    public static DictionaryKey Entity(string type, string id) => new(DictionaryKind.Entity, 0, ExactText.Of(type), ExactText.Of(id));

    /// <param name="members">As <see cref="Facets.NameOf"/> gives it.</param>
    public static DictionaryKey CodeSet(string members) => new(DictionaryKind.CodeSet, 0, "", members);

    public static DictionaryKey Unit(long system, string code, string text) => new(DictionaryKind.Unit, system, ExactText.Of(code), ExactText.Of(text));

    public static DictionaryKey Text(string text) => new(DictionaryKind.Text, 0, "", text);

    public SqlStatement Select(SqlConnection connection) => Kind switch
    {
        DictionaryKind.System => connection.Prepare("SELECT id FROM system WHERE uri=?").Add(Name),
        DictionaryKind.Concept => connection.Prepare("SELECT id FROM concept WHERE code=? AND system=?").Add(Name).Add(Scope),
        DictionaryKind.CodeSet => connection.Prepare("SELECT id FROM code_set WHERE members=?").Add(Name),
        DictionaryKind.Unit => connection.Prepare("SELECT id FROM unit WHERE code=? AND text=? AND system=?").Add(Type).Add(Name).Add(Scope),
        DictionaryKind.Parameter => connection.Prepare("SELECT id FROM parameter WHERE type=? AND code=?").Add(Scope).Add(Name),
        _ => connection.Prepare("SELECT id FROM entity WHERE name=? AND type=?").Add(Name).Add(Type),
    };

    /// <summary>Answers the new number.</summary>
    public SqlStatement Insert(SqlConnection connection) => Kind switch
    {
        DictionaryKind.System => connection.Prepare("INSERT INTO system(uri) VALUES (?) RETURNING id").Add(Name),
        DictionaryKind.Concept => connection.Prepare("INSERT INTO concept(code, system) VALUES (?,?) RETURNING id").Add(Name).Add(Scope),
        DictionaryKind.CodeSet => connection.Prepare("INSERT INTO code_set(members) VALUES (?) RETURNING id").Add(Name),
        DictionaryKind.Unit => connection.Prepare("INSERT INTO unit(code, text, system) VALUES (?,?,?) RETURNING id").Add(Type).Add(Name).Add(Scope),
        DictionaryKind.Parameter => connection.Prepare("INSERT INTO parameter(type, code) VALUES (?,?) RETURNING id").Add(Scope).Add(Name),
        _ => connection.Prepare("INSERT INTO entity(name, type) VALUES (?,?) RETURNING id").Add(Name).Add(Type),
    };
}
