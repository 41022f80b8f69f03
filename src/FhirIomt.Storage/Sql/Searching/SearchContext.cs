using FhirIomt.Access;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Storage.Sql.Searching;

/// <summary>What the conditions on one resource row need to know: whose row it is, and what it is called in the statement. Each sub-select has its own.</summary>
internal sealed class SearchContext
{
    private readonly int _depth;

    public SearchContext(SqlEngine engine, SqlConnection connection, CatalogView catalog, SearchAccess access, string resourceType)
        : this(engine, connection, catalog, access, resourceType, depth: 0)
    {
    }

    private SearchContext(SqlEngine engine, SqlConnection connection, CatalogView catalog, SearchAccess access, string resourceType, int depth)
    {
        (Engine, Connection, Catalog, Access, Type, _depth) = (engine, connection, catalog, access, resourceType, depth);
        TypeNumber = engine.TypeNumber(resourceType);
        Row = depth == 0 ? "r" : $"r{depth}";
    }

    public SqlEngine Engine { get; }

    public SqlConnection Connection { get; }

    public CatalogView Catalog { get; }

    public SearchAccess Access { get; }

    public string Type { get; }

    public long TypeNumber { get; }

    /// <summary>The name of the resource row.</summary>
    public string Row { get; }

    public bool IsObservation => Type == "Observation";

    /// <summary>For a row of that type in a sub-select of this one.</summary>
    public SearchContext Inner(string type) => new(Engine, Connection, Catalog, Access, type, _depth + 1);

    /// <summary>For a row of that type in a statement of its own.</summary>
    public SearchContext Apart(string type) => new(Engine, Connection, Catalog, Access, type);

    public SearchParameter Definition(string code) => Engine.Policy.Find(Type, code)!;

    public long? Parameter(SearchParameter parameter) => Parameter(parameter.IndexName);

    /// <summary>The number of a parameter; null when no resource ever had a value for it.</summary>
    public long? Parameter(string code)
    {
        var key = DictionaryKey.Parameter(TypeNumber, code);
        return Engine.Dictionaries.Known(key) ?? Catalog.Fact(new CatalogKey(CatalogKind.Parameter, TypeNumber, code), () => Engine.Dictionaries.Find(Connection, key));
    }

    public long? System(string? uri) => Find(DictionaryKey.System(uri));

    public long? Entity(string type, string id) => Find(DictionaryKey.Entity(type, id));

    public long? Concept(long system, string code) => Find(DictionaryKey.Concept(system, code));

    /// <summary>Every concept with that code, whatever its system.</summary>
    public List<long> ConceptsOfCode(string code) =>
        Catalog.Fact(new CatalogKey(CatalogKind.Concepts, 0, code), () => Engine.Dictionaries.ConceptsOfCode(Connection, code));

    /// <summary>Every entity of that id, whatever its type.</summary>
    public List<long> EntitiesOfId(string id)
    {
        Catalog.Lacks();
        return Dictionaries.EntitiesOfId(Connection, id);
    }

    /// <summary>The row is about one of those. Never null, so that it can be negated.</summary>
    public Condition IsSubject(IReadOnlyCollection<long> entities) => new Condition($"({Row}.subject IS NOT NULL AND ").Append(Condition.In($"{Row}.subject", entities)).Append(")");

    /// <summary>The row is about one of those patients. Never null, so that it can be negated.</summary>
    public Condition SubjectsOf(PatientSet patients)
    {
        // Few are bound one by one, which indexes answer; many go as one text, which the engine makes a table of.
        const int MaxBound = 200;
        var entities = Engine.EntitiesOf(Connection, patients);
        if (entities.Count < patients.Count)
        {
            Catalog.Lacks();
        }

        return entities.Count <= MaxBound
            ? IsSubject(entities.Numbers)
            : new Condition($"({Row}.subject IS NOT NULL AND ").Append(Connection.Dialect.InNumbers($"{Row}.subject", entities.Text)).Append(")");
    }

    /// <summary>Asking whether a table has rows of a parameter keeps conditions to the tables that have some.</summary>
    public bool HasRows(string table, long parameter) => Catalog.Fact(new CatalogKey(CatalogKind.HasRows, parameter, table), () =>
    {
        using var rows = Connection.Prepare($"SELECT 1 FROM {table} WHERE parameter=? LIMIT 1").Add(parameter).Run();
        return rows.Step();
    });

    public bool IsFacet(SearchParameter parameter) => Facets.Has(Type, parameter.Code);

    /// <summary>All values of the parameter are in the set of codes; otherwise some that did not fit have ordinary rows.</summary>
    public bool IsInSetsOnly(SearchParameter parameter) => IsFacet(parameter) && !(Parameter(parameter) is { } number && HasRows("token_index", number));

    /// <summary>The code of a parameter that the resource row and the timeline answer, or null.</summary>
    public string? Whole(SearchParameter? parameter) => IsObservation && parameter?.Code is "subject" or "patient" or "date" ? parameter.Code : null;

    private long? Find(DictionaryKey key)
    {
        var number = Engine.Dictionaries.Find(Connection, key);
        if (number is null)
        {
            Catalog.Lacks();
        }

        return number;
    }

    /// <summary>The rows of the type, without deletions.</summary>
    public Condition IsOfType() => new($"{Row}.key>=? AND {Row}.key<=? AND {Row}.deleted=0", ResourceKey.FirstOf(TypeNumber), ResourceKey.LastOf(TypeNumber));
}
