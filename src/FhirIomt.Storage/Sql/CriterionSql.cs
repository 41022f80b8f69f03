using FhirIomt.Access;
using FhirIomt.Fhir;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql;

/// <summary>
/// A criterion as a condition on one resource row <c>r</c>. Tokens and references are probed by key; what is not keyed (strings, dates, uris) is
/// a set of keys that the engine builds once for the statement.
/// </summary>
internal sealed class CriterionSql(SqlEngine engine, SqlConnection connection, string resourceType)
{
    private readonly long _type = engine.TypeNumber(resourceType);
    private readonly bool _isObservation = resourceType == "Observation";

    public SqlDialect Dialect => connection.Dialect;

    public Condition Of(SearchCriterion criterion) => criterion switch
    {
        SearchCriterion.Ids ids => Condition.AnyOf([.. ids.Values.Select(id => new Condition("r.id=?", id))]),
        SearchCriterion.Tokens tokens => tokens.Negated ? new Condition("NOT ").Append(Tokens(tokens)) : Tokens(tokens),
        SearchCriterion.Dates dates when dates.Parameter.Code == "_lastUpdated" => LastUpdated(dates),
        SearchCriterion.Dates dates => Dates(dates),
        SearchCriterion.References references => References(references),
        SearchCriterion.Strings strings => Strings(strings),
        SearchCriterion.Uris uris when IsFacet(uris.Parameter) => Facet(uris.Parameter, [.. uris.Values.Select(uri => new TokenMatch("", uri))]),
        SearchCriterion.Uris uris => InIndex("uri_index", uris.Parameter, Condition.AnyOf([.. uris.Values.Select(uri => new Condition("i.value=?", uri))])),
        SearchCriterion.Missing missing => Missing(missing),
        _ => throw new InvalidOperationException($"No SQL for {criterion.GetType().Name}."),
    };

    public Condition Of(AccessPredicate predicate) => predicate switch
    {
        AccessPredicate.Everything => Condition.Always,
        AccessPredicate.Any any => Condition.AnyOf([.. any.Alternatives.Select(Of)]),
        AccessPredicate.All all => Condition.AllOf([.. all.Parts.Select(Of)]),
        AccessPredicate.OfPatient patient => EntityOf("Patient", patient.PatientId) is { } entity
            ? new Condition("r.subject=?", entity)
            : Condition.Never,
        AccessPredicate.Meets meets => Condition.AllOf([.. meets.Criteria.Select(Of)]),
        _ => Condition.Never,
    };

    /// <summary>The concepts that any of the alternatives names.</summary>
    public List<long> Concepts(IReadOnlyList<TokenMatch> values)
    {
        var concepts = new List<long>();
        foreach (var value in values)
        {
            switch (value)
            {
                case { System: null, Code: { } code }:
                    concepts.AddRange(engine.Dictionaries.ConceptsOfCode(connection, code));
                    break;
                case { System: { } system, Code: { } code } when engine.Dictionaries.Find(connection, DictionaryKey.System(system)) is { } number
                    && engine.Dictionaries.Find(connection, DictionaryKey.Concept(number, code)) is { } concept:
                    concepts.Add(concept);
                    break;
            }
        }

        return concepts;
    }

    public List<long> Entities(SearchCriterion.References references)
    {
        var entities = new List<long>();
        foreach (var value in references.Values)
        {
            // An Observation's patient is its subject when that is a Patient; the column holds any subject.
            if (Whole(references.Parameter) == "patient" && value.Type is not (null or "Patient"))
            {
                continue;
            }

            if (value.Url is { } url)
            {
                AddIfKnown(entities, DictionaryKey.Entity("", url));
            }
            else if (value.Type is { } type)
            {
                AddIfKnown(entities, DictionaryKey.Entity(type, value.Id!));
            }
            else
            {
                entities.AddRange(Dictionaries.EntitiesOfId(connection, value.Id!));
            }
        }

        return entities;
    }

    public long? EntityOf(string type, string id) => engine.Dictionaries.Find(connection, DictionaryKey.Entity(type, id));

    /// <summary>The sets of codes that have one of the alternatives under that parameter.</summary>
    public List<long> CodeSets(SearchParameter facet, IReadOnlyList<TokenMatch> values)
    {
        var sets = new List<long>();
        if (Parameter(facet) is not { } parameter)
        {
            return sets;
        }

        var condition = Condition.AnyOf([Condition.In("concept", Concepts(values)), InSystems("concept", Systems(values))]);
        using var rows = new Condition("SELECT DISTINCT code_set FROM code_set_concept WHERE parameter=? AND ", parameter).Append(condition).Append(" ORDER BY code_set").Prepare(connection).Run();
        while (rows.Step())
        {
            sets.Add(rows.Int64(0));
        }

        return sets;
    }

    /// <summary>Whether the parameter's values are in the set of codes, save those that did not fit (<see cref="Facets"/>).</summary>
    public bool IsFacet(SearchParameter parameter) => Facets.Has(resourceType, parameter.Code);

    /// <summary>Whether all of them are.</summary>
    public bool AllInSets(SearchParameter parameter) => IsFacet(parameter) && !(Parameter(parameter) is { } number && HasRows("token_index", number));

    private Condition Facet(SearchParameter parameter, IReadOnlyList<TokenMatch> values)
    {
        var inSets = Condition.In("r.codes", CodeSets(parameter, values));
        return AllInSets(parameter) ? inSets : Condition.AnyOf([inSets, .. TokenProbes(Parameter(parameter)!.Value, parameter, values)]);
    }

    /// <summary>Bounds on an Observation's time. <paramref name="start"/> names the column to bound the start by: the timeline's, when it drives.</summary>
    public static Condition TimeBounds(SearchCriterion.Dates dates, string start) =>
        new Condition($"{start}>{IndexRows.NoStart} AND ").Append(Condition.AnyOf([.. dates.Values.Select(match => Bounds(match, start, "r.stop"))]));

    /// <summary>The code of a parameter that the resource row and the timeline answer, or null.</summary>
    public string? Whole(SearchParameter parameter) => _isObservation && parameter.Code is "subject" or "patient" or "date" ? parameter.Code : null;

    public long? Parameter(SearchParameter parameter) => engine.Dictionaries.Find(connection, DictionaryKey.Parameter(_type, parameter.Code));

    private void AddIfKnown(List<long> numbers, DictionaryKey key)
    {
        if (engine.Dictionaries.Find(connection, key) is { } number)
        {
            numbers.Add(number);
        }
    }

    private List<long> Systems(IReadOnlyList<TokenMatch> values) =>
        [.. values.Where(value => value.Code is null).Select(value => engine.Dictionaries.Find(connection, DictionaryKey.System(value.System))).OfType<long>()];

    private Condition Tokens(SearchCriterion.Tokens tokens)
    {
        if (IsFacet(tokens.Parameter))
        {
            return Facet(tokens.Parameter, tokens.Values);
        }

        if (_isObservation && tokens.Parameter.Code.StartsWith("combo-", StringComparison.Ordinal))
        {
            return Combined(tokens);
        }

        if (_isObservation && tokens.Parameter.Code == "identifier")
        {
            return Condition.AnyOf([.. tokens.Values.Select(value => ObservationIdentifier(tokens.Parameter, value))]);
        }

        if (Parameter(tokens.Parameter) is not { } parameter)
        {
            return Condition.Never;
        }

        var probes = new List<Condition>();
        if (HasRows("token_index", parameter))
        {
            probes.AddRange(TokenProbes(parameter, tokens.Parameter, tokens.Values));
        }

        if (HasRows("identifier_index", parameter))
        {
            probes.AddRange(tokens.Values.Select(value => new Condition("r.key IN (").Append(IdentifierKeys(parameter, value)).Append(")")));
        }

        return Condition.AnyOf(probes);
    }

    private IEnumerable<Condition> TokenProbes(long number, SearchParameter parameter, IReadOnlyList<TokenMatch> values)
    {
        foreach (var concept in Concepts(values))
        {
            yield return new Condition("EXISTS(SELECT 1 FROM token_index i WHERE i.parameter=? AND i.concept=? AND i.key=r.key)", number, concept);
        }

        if (Systems(values) is { Count: > 0 } systems)
        {
            yield return InIndex("token_index", parameter, InSystems("i.concept", systems));
        }
    }

    // combo-x is x of the Observation or of a component (R4 Observation search parameters).
    private Condition Combined(SearchCriterion.Tokens tokens)
    {
        var own = tokens.Parameter.Code["combo-".Length..];
        return Condition.AnyOf([.. new[] { own, "component-" + own }
            .Select(code => engine.Definitions.SearchParameter(resourceType, code)).OfType<SearchParameter>()
            .Select(parameter => Tokens(new SearchCriterion.Tokens(parameter, tokens.Values, Negated: false)))]);
    }

    public bool HoldsCodes(long parameter) => HasRows("token_index", parameter);

    // A token parameter holds codes, identifiers or both; asking which keeps the condition to one table, which SQLite can then drive from.
    private bool HasRows(string table, long parameter)
    {
        using var rows = connection.Prepare($"SELECT 1 FROM {table} WHERE parameter=? LIMIT 1").Add(parameter).Run();
        return rows.Step();
    }

    private Condition IdentifierKeys(long parameter, TokenMatch value)
    {
        long? system = value.System is null ? null : engine.Dictionaries.Find(connection, DictionaryKey.System(value.System)) ?? -1;
        return (value.Code, system) switch
        {
            ({ } code, null) => new Condition("SELECT key FROM identifier_index WHERE parameter=? AND value=?", parameter, code),
            ({ } code, { } number) => new Condition("SELECT key FROM identifier_index WHERE parameter=? AND value=? AND system=?", parameter, code, number),
            _ => new Condition("SELECT key FROM identifier_index WHERE parameter=? AND system=?", parameter, system),
        };
    }

    /// <summary>The source key of a device reading has no row: it is found by the id that follows from it (<see cref="IndexRows"/>).</summary>
    private Condition ObservationIdentifier(SearchParameter parameter, TokenMatch value)
    {
        var keys = IdentifierKeys(Parameter(parameter) ?? -1, value);
        return value switch
        {
            { System: null or SourceKey.ConnectorSystem, Code: { } code } =>
                new Condition("r.key IN (").Append(keys).Append(" UNION ALL SELECT key FROM resource WHERE type=? AND id=?)", _type, SourceKey.IdOf(SourceKey.ConnectorSystem, code)),
            { System: SourceKey.ConnectorSystem, Code: null } =>
                new Condition("(r.key IN (").Append(keys).Append($") OR ({Dialect.Length("r.id")}=64 AND {Dialect.BytesContain("r.body")}))", $"\"system\":\"{SourceKey.ConnectorSystem}\""),
            _ => new Condition("r.key IN (").Append(keys).Append(")"),
        };
    }

    private static Condition InSystems(string column, List<long> systems) =>
        systems.Count == 0 ? Condition.Never : new Condition($"{column} IN (SELECT id FROM concept WHERE ").Append(Condition.In("system", systems)).Append(")");

    private Condition References(SearchCriterion.References references)
    {
        var entities = Entities(references);
        if (Whole(references.Parameter) is "subject" or "patient")
        {
            return Condition.In("r.subject", entities);
        }

        return Parameter(references.Parameter) is { } parameter
            ? Condition.AnyOf(entities.ConvertAll(entity => new Condition("EXISTS(SELECT 1 FROM reference_index i WHERE i.parameter=? AND i.target=? AND i.key=r.key)", parameter, entity)))
            : Condition.Never;
    }

    private Condition Dates(SearchCriterion.Dates dates)
    {
        if (Whole(dates.Parameter) is not null)
        {
            return TimeBounds(dates, "r.start");
        }

        return InIndex("date_index", dates.Parameter, Condition.AnyOf([.. dates.Values.Select(match => Bounds(match, "i.start", "i.stop"))]));
    }

    private Condition Strings(SearchCriterion.Strings strings) => InIndex("string_index", strings.Parameter, Condition.AnyOf([.. strings.Values.Select(value =>
    {
        var folded = TextFolding.Fold(value);
        return strings.Mode switch
        {
            StringMatchMode.Exact => new Condition("(").Append(Dialect.EqualTo("i.folded", folded)).Append(" AND i.value=?)", value),
            StringMatchMode.Contains => new Condition(Dialect.Contains("i.folded"), folded),
            _ => Dialect.StartsWith("i.folded", folded),
        };
    })]));

    private Condition Missing(SearchCriterion.Missing missing)
    {
        var has = Whole(missing.Parameter) switch
        {
            "subject" => new Condition("r.subject IS NOT NULL"),
            "patient" => new Condition("(r.subject IS NOT NULL AND r.subject IN (SELECT id FROM entity WHERE type='Patient' OR (type='' AND " + Dialect.Contains("name") + ")))", "/Patient/"),
            "date" => new Condition($"r.start>{IndexRows.NoStart}"),
            _ when missing.Parameter.Code is "_id" or "_lastUpdated" => Condition.Always,
            _ when IsFacet(missing.Parameter) && Parameter(missing.Parameter) is { } parameter =>
                Condition.AnyOf([new Condition("r.codes IN (SELECT code_set FROM code_set_concept WHERE parameter=?)", parameter), InIndex("token_index", missing.Parameter, Condition.Always)]),
            _ => Condition.AnyOf([.. new[] { "token_index", "identifier_index", "string_index", "date_index", "number_index", "quantity_index", "reference_index", "uri_index", "component_index" }
                .Select(table => InIndex(table, missing.Parameter, Condition.Always))]),
        };
        return missing.IsMissing ? new Condition("NOT (").Append(has).Append(")") : has;
    }

    private Condition InIndex(string table, SearchParameter parameter, Condition condition) => Parameter(parameter) is { } number
        ? new Condition($"r.key IN (SELECT i.key FROM {table} i WHERE i.parameter=? AND ", number).Append(condition).Append(")")
        : Condition.Never;

    private static Condition Bounds(DateMatch match, string startColumn, string stopColumn)
    {
        var (start, end) = (match.Start.UtcTicks, match.End.UtcTicks);
        return match.Prefix switch
        {
            SearchPrefix.Equal => new Condition($"({startColumn}>=? AND {startColumn}<? AND {stopColumn}<=?)", start, end, end),
            SearchPrefix.NotEqual => new Condition($"NOT ({startColumn}>=? AND {stopColumn}<=?)", start, end),
            SearchPrefix.Greater => new Condition($"({stopColumn}>?)", end),
            SearchPrefix.Less => new Condition($"({startColumn}<?)", start),
            SearchPrefix.GreaterOrEqual => new Condition($"({stopColumn}>? OR ({startColumn}>=? AND {stopColumn}<=?))", end, start, end),
            SearchPrefix.LessOrEqual => new Condition($"({startColumn}<? OR ({startColumn}>=? AND {stopColumn}<=?))", start, start, end),
            SearchPrefix.StartsAfter => new Condition($"({startColumn}>=?)", end),
            SearchPrefix.EndsBefore => new Condition($"({stopColumn}<=?)", start),
            _ => new Condition($"({startColumn}<? AND {stopColumn}>?)", end, start),
        };
    }

    // The time of a version is a millisecond; key ranges inside the type say the same as intervals of one millisecond.
    private Condition LastUpdated(SearchCriterion.Dates dates) => Condition.AnyOf([.. dates.Values.Select(match =>
    {
        var first = ResourceKey.Of(_type, ResourceKey.FirstTickOf(match.Start));
        var after = ResourceKey.Of(_type, ResourceKey.FirstTickOf(match.End));
        return match.Prefix switch
        {
            SearchPrefix.NotEqual => new Condition("(r.key<? OR r.key>=?)", first, after),
            SearchPrefix.Greater or SearchPrefix.StartsAfter => new Condition("r.key>=?", after),
            SearchPrefix.Less or SearchPrefix.EndsBefore => new Condition("r.key<?", first),
            SearchPrefix.GreaterOrEqual => new Condition("r.key>=?", first),
            SearchPrefix.LessOrEqual => new Condition("r.key<?", after),
            _ => new Condition("(r.key>=? AND r.key<?)", first, after),
        };
    })]);
}
