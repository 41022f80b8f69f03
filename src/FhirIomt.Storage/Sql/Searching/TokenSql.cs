using FhirIomt.Fhir;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql.Searching;

/// <summary>Tokens: codes by their numbers, identifiers by their values, and for an Observation the sets of codes (<see cref="Facets"/>).</summary>
internal sealed class TokenSql(SearchContext context)
{
    // More sets than this are better listed by the engine itself.
    private const int MaxListedSets = 200;

    /// <summary>Any value of the parameter matches any alternative.</summary>
    public Condition Any(SearchParameter parameter, IReadOnlyList<TokenMatch> values)
    {
        if (context.IsObservation && parameter.Code == "identifier")
        {
            return Condition.AnyOf([.. values.Select(value => ObservationIdentifier(parameter, value))]);
        }

        // Nothing of the type ever had a value: labels are rare, and asked for by every search of a person.
        if (context.Parameter(parameter) is null)
        {
            return Condition.Never;
        }

        var conditions = new List<Condition>();
        if (context.IsFacet(parameter))
        {
            conditions.Add(InSets(parameter, ConceptOf("concept", values)));
        }

        conditions.AddRange(Probes(parameter, values).Select(probe => probe.About(context.Row)));
        return Condition.AnyOf(conditions);
    }

    /// <summary>The ordinary rows.</summary>
    public List<Probe> Probes(SearchParameter parameter, IReadOnlyList<TokenMatch> values)
    {
        var probes = new List<Probe>();
        if (context.Parameter(parameter) is not { } number)
        {
            return probes;
        }

        if (context.HasRows("token_index", number))
        {
            var concepts = Concepts(values);
            if (concepts.Count > 0)
            {
                probes.Add(new Probe("token_index", number, Condition.In("i.concept", concepts), concepts.Count <= Probe.MaxPoints));
            }

            if (Systems(values) is { Count: > 0 } systems)
            {
                probes.Add(new Probe("token_index", number, InSystems("i.concept", systems), IsPoint: false));
            }
        }

        if (context.HasRows("identifier_index", number))
        {
            probes.AddRange(values.Select(value => Identifier("identifier_index", number, value)));
        }

        return probes;
    }

    /// <summary>Displays and texts that begin with one of these.</summary>
    public Condition Texts(SearchParameter parameter, IReadOnlyList<string> values)
    {
        var texts = new Condition("concept IN (SELECT id FROM concept WHERE system=? AND ", context.Engine.Dictionaries.TextSystem)
            .Append(Condition.AnyOf([.. values.Select(value => StartsWith("code", TextFolding.Fold(value)))])).Append(")");
        var conditions = new List<Condition>();
        if (context.IsFacet(parameter))
        {
            conditions.Add(InSets(parameter, texts));
        }

        if (context.Parameter(parameter) is { } number)
        {
            conditions.Add(new Probe("token_index", number, new Condition("i.").Append(texts), IsPoint: false).About(context.Row));
        }

        return Condition.AnyOf(conditions);
    }

    /// <summary>Identifiers kept beside a parameter: <c>:identifier</c> of references, <c>:of-type</c>.</summary>
    public Condition Beside(SearchParameter parameter, string suffix, IReadOnlyList<TokenMatch> values) => context.Parameter(parameter.IndexName + suffix) is { } number
        ? Condition.AnyOf([.. values.Select(value => Identifier("identifier_index", number, value).About(context.Row))])
        : Condition.Never;

    /// <summary>The sets of codes that have one of the alternatives; null when that is better left to the engine.</summary>
    public List<long>? Sets(SearchParameter facet, IReadOnlyList<TokenMatch> values) => context.Parameter(facet) is { } parameter ? Sets(parameter, ConceptOf("concept", values)) : [];

    /// <summary>The set of codes has a member of the parameter that meets the condition.</summary>
    public Condition InSets(SearchParameter facet, Condition member) => context.Parameter(facet) is { } parameter ? InSets($"{context.Row}.codes", parameter, member) : Condition.Never;

    public Condition InSets(string column, long parameter, Condition member) => Sets(parameter, member) is { } sets
        ? Condition.In(column, sets)
        : new Condition($"{column} IN (SELECT code_set FROM code_set_concept WHERE parameter=? AND ", parameter).Append(member).Append(")");

    /// <summary>The column is a concept that one of the alternatives names.</summary>
    public Condition ConceptOf(string column, IReadOnlyList<TokenMatch> values) =>
        Condition.AnyOf([Condition.In(column, Concepts(values)), Systems(values) is { Count: > 0 } systems ? InSystems(column, systems) : Condition.Never]);

    /// <summary>U+10FFFF sorts after every character: what lies before it begins with the text.</summary>
    public static Condition StartsWith(string column, string text) => new($"({column}>=? AND {column}<?)", text, SqlDialect.AfterPrefix(text));

    private List<long>? Sets(long parameter, Condition member) =>
        context.Catalog.Fact(new CatalogKey(CatalogKind.Sets, parameter, member.Fingerprint), () => ReadSets(parameter, member));

    private List<long>? ReadSets(long parameter, Condition member)
    {
        var sets = new List<long>();
        using var rows = new Condition("SELECT DISTINCT code_set FROM code_set_concept WHERE parameter=? AND ", parameter).Append(member).Append(" ORDER BY code_set LIMIT ?", (long)MaxListedSets + 1).Prepare(context.Connection).Run();
        while (rows.Step())
        {
            sets.Add(rows.Int64(0));
        }

        return sets.Count > MaxListedSets ? null : sets;
    }

    private List<long> Concepts(IReadOnlyList<TokenMatch> values)
    {
        var concepts = new List<long>();
        foreach (var value in values)
        {
            switch (value)
            {
                case { System: null, Code: { } code }:
                    concepts.AddRange(context.ConceptsOfCode(code));
                    break;
                case { System: { } system, Code: { } code } when context.System(system) is { } number
                    && context.Concept(number, code) is { } concept:
                    concepts.Add(concept);
                    break;
            }
        }

        return concepts;
    }

    private List<long> Systems(IReadOnlyList<TokenMatch> values) => [.. values.Where(value => value.Code is null).Select(value => context.System(value.System)).OfType<long>()];

    private static Condition InSystems(string column, List<long> systems) => new Condition($"{column} IN (SELECT id FROM concept WHERE ").Append(Condition.In("system", systems)).Append(")");

    private Probe Identifier(string table, long parameter, TokenMatch value)
    {
        long? system = value.System is null ? null : context.System(value.System) ?? -1;
        return (value.Code, system) switch
        {
            ({ } code, null) => new Probe(table, parameter, new Condition("i.value=?", ExactText.Of(code)), IsPoint: true),
            ({ } code, { } number) => new Probe(table, parameter, new Condition("i.value=? AND i.system=?", ExactText.Of(code), number), IsPoint: true),
            _ => new Probe(table, parameter, new Condition("i.system=?", system), IsPoint: false),
        };
    }

    // The source key of a device reading has no row: it is found by the id that follows from it (IndexRows).
    private Condition ObservationIdentifier(SearchParameter parameter, TokenMatch value)
    {
        var row = context.Row;
        var written = Identifier("identifier_index", context.Parameter(parameter) ?? -1, value);
        return value switch
        {
            { System: null or SourceKey.ConnectorSystem, Code: { } code } =>
                new Condition($"{row}.key IN (").Append(written.Keys()).Append(" UNION ALL SELECT key FROM resource WHERE type=? AND id=?)", context.TypeNumber, SourceKey.IdOf(SourceKey.ConnectorSystem, code)),
            { System: SourceKey.ConnectorSystem, Code: null } =>
                new Condition("(").Append(written.About(row)).Append($" OR ({context.Connection.Dialect.Length($"{row}.id")}=64 AND {context.Connection.Dialect.BytesContain($"{row}.body")}))", $"\"system\":\"{SourceKey.ConnectorSystem}\""),
            _ => written.About(row),
        };
    }
}
