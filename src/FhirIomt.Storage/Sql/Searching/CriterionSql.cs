using FhirIomt.Access;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql.Searching;

/// <summary>Criteria and access predicates as conditions on one resource row.</summary>
internal sealed class CriterionSql
{
    private static readonly string[] ValueTables =
        ["token_index", "identifier_index", "string_index", "date_index", "number_index", "quantity_index", "reference_index", "uri_index", "component_index"];

    private readonly SearchContext _context;
    private readonly CompositeSql _composites;
    private readonly ObservationSql _observation;
    private readonly ChainSql _chains;

    public CriterionSql(SearchContext context)
    {
        _context = context;
        Tokens = new TokenSql(context);
        Quantities = new QuantitySql(context);
        References = new ReferenceSql(context);
        _composites = new CompositeSql(context, Tokens, Quantities, References);
        _observation = new ObservationSql(context, Tokens, Quantities);
        _chains = new ChainSql(context);
    }

    public TokenSql Tokens { get; }

    public QuantitySql Quantities { get; }

    public ReferenceSql References { get; }

    public Condition Of(SearchCriterion criterion) => _observation.Rewritten(criterion) is { } rewritten ? Of(rewritten) : Plain(criterion);

    public Condition Of(AccessPredicate predicate) => predicate switch
    {
        AccessPredicate.Everything => Condition.Always,
        AccessPredicate.Any any => Condition.AnyOf([.. any.Alternatives.Select(Of)]),
        AccessPredicate.All all => Condition.AllOf([.. all.Parts.Select(Of)]),
        AccessPredicate.OfPatient patient => _context.Entity("Patient", patient.PatientId) is { } entity
            ? new Condition($"({_context.Row}.subject IS NOT NULL AND {_context.Row}.subject=?)", entity)
            : Condition.Never,
        AccessPredicate.OfPatients set => _context.SubjectsOf(set.Patients),
        AccessPredicate.WithId one => new Condition($"{_context.Row}.id=?", one.Id),
        AccessPredicate.Not not => Not(Of(not.Inner)),
        AccessPredicate.Through through => _chains.Of(through),
        AccessPredicate.Meets { Criteria: [var only] } => Of(only),
        AccessPredicate.Meets meets => Condition.AllOf([.. meets.Criteria.Select(Of)]),
        _ => Condition.Never,
    };

    /// <summary>The rows that a criterion on one kind of value means; null for what is answered otherwise.</summary>
    public List<Probe>? Probes(SearchCriterion criterion)
    {
        if (criterion.Parameter is not { } parameter || _context.IsFacet(parameter) || _context.Whole(parameter) is not null || parameter.Code == "_lastUpdated" || _observation.Rewritten(criterion) is not null)
        {
            return null;
        }

        return criterion switch
        {
            SearchCriterion.Tokens { Negated: false } tokens when !(_context.IsObservation && parameter.Code == "identifier") => Tokens.Probes(parameter, tokens.Values),
            SearchCriterion.References references => References.Probes(parameter, References.Entities(references)),
            SearchCriterion.Strings strings => InTable("string_index", parameter, isPoint: true, Condition.AnyOf([.. strings.Values.Select(value => String(strings.Mode, value))])),
            SearchCriterion.Dates dates => InTable("date_index", parameter, isPoint: true, Condition.AnyOf([.. dates.Values.Select(match => NumberSql.Bounds(match, "i.start", "i.stop"))])),
            SearchCriterion.Numbers numbers => InTable("number_index", parameter, isPoint: true, Condition.AnyOf([.. numbers.Values.Select(match => NumberSql.Bounds(match, "i.low", "i.high"))])),
            SearchCriterion.Quantities values => InTable("quantity_index", parameter, isPoint: true, Condition.AnyOf([.. values.Values.Select(match => Quantities.Matches(match, "i"))])),
            SearchCriterion.Uris uris => InTable("uri_index", parameter, uris.Mode == UriMatchMode.Exact, Uri("i.value", uris)),
            _ => null,
        };
    }

    /// <summary>The ids that the criterion comes down to; null when it is about something else, or they are too many.</summary>
    public IReadOnlyList<string>? Ids(SearchCriterion criterion) => criterion is SearchCriterion.Ids ids ? ids.Values : criterion is SearchCriterion.Has or SearchCriterion.InList ? _chains.Ids(criterion) : null;

    /// <summary>The resources that the criterion's references must point to, by one parameter; null when it is about something else, or they are too many.</summary>
    public (SearchParameter Parameter, List<long> Entities)? Targets(SearchCriterion criterion)
    {
        switch (criterion)
        {
            case SearchCriterion.References references when !(_context.Whole(references.Of) is not null && references.Values.Any(ReferenceSql.IsVersioned)):
                return (references.Of, References.Entities(references));
            case SearchCriterion.Chain chain:
                return _chains.Targets(chain) is { } targets ? (chain.Of, targets) : null;

            // A chain over several types: the parts are about the same parameter.
            case SearchCriterion.Or { Parts: [SearchCriterion.Chain first, ..] parts } when parts.All(part => part is SearchCriterion.Chain chain && chain.Of == first.Of):
                var found = parts.Select(part => _chains.Targets((SearchCriterion.Chain)part)).ToList();
                return found.Contains(null) ? null : (first.Of, found.SelectMany(list => list!).ToList());
            default:
                return null;
        }
    }

    /// <summary>The keys that may have such a repetition; null when they are not in the component table.</summary>
    public Condition? CompositeKeys(SearchCriterion.Composites composites, IReadOnlyList<SearchCriterion> components) =>
        _observation.Rewritten(composites) is null && _observation.ComponentQuantities(composites) is null && _context.Parameter(composites.Of) is { } parameter ? _composites.Keys(parameter, components) : null;

    private Condition Plain(SearchCriterion criterion) => criterion switch
    {
        SearchCriterion.And and => Condition.AllOf([.. and.Parts.Select(Of)]),
        SearchCriterion.Or or => Condition.AnyOf([.. or.Parts.Select(Of)]),
        SearchCriterion.Not not => Not(Of(not.Inner)),
        SearchCriterion.Ids ids => Condition.AnyOf([.. ids.Values.Select(id => new Condition($"{_context.Row}.id=?", id))]),
        SearchCriterion.Tokens tokens => tokens.Negated ? Not(Tokens.Any(tokens.Of, tokens.Values)) : Tokens.Any(tokens.Of, tokens.Values),
        SearchCriterion.TokenTexts texts => Tokens.Texts(texts.Of, texts.Values),
        SearchCriterion.TypedIdentifiers typed => Tokens.Beside(typed.Of, ValueRows.OfType, [.. typed.Values.Select(value => new TokenMatch(null, $"{value.System}|{value.Code}|{value.Value}"))]),
        SearchCriterion.ReferenceIdentifiers identifiers => Tokens.Beside(identifiers.Of, ValueRows.ByIdentifier, identifiers.Values),
        SearchCriterion.Dates dates when dates.Of.Code == "_lastUpdated" => LastUpdated(dates),
        SearchCriterion.Dates dates when _context.Whole(dates.Of) is not null => TimeBounds(dates, $"{_context.Row}.start", $"{_context.Row}.stop"),
        SearchCriterion.References references => References.Matches(references),
        SearchCriterion.Uris uris when _context.IsFacet(uris.Of) => FacetUri(uris),
        SearchCriterion.Composites composites => _observation.ComponentQuantities(composites) ?? _composites.Matches(composites),
        SearchCriterion.Missing missing => missing.IsMissing ? Not(HasValue(missing.Of)) : HasValue(missing.Of),
        SearchCriterion.Chain chain => _chains.Of(chain),
        SearchCriterion.Has has => _chains.Of(has),
        SearchCriterion.InList list => _chains.Of(list),
        SearchCriterion.FullText text => FullText(text),
        _ => Condition.AnyOf([.. Probes(criterion)!.Select(probe => probe.About(_context.Row))]),
    };

    /// <summary>Bounds on an Observation's time; one without any has none to meet them.</summary>
    public static Condition TimeBounds(SearchCriterion.Dates dates, string start, string stop) =>
        new Condition($"{start}>{IndexRows.NoStart} AND ").Append(Condition.AnyOf([.. dates.Values.Select(match => NumberSql.Bounds(match, start, stop))]));

    private static Condition Not(Condition condition) => new Condition("NOT (").Append(condition).Append(")");

    private List<Probe> InTable(string table, SearchParameter parameter, bool isPoint, Condition on) =>
        _context.Parameter(parameter) is { } number ? [new Probe(table, number, on, isPoint)] : [];

    private Condition String(StringMatchMode mode, string value)
    {
        var (folded, dialect) = (TextFolding.Fold(value), _context.Connection.Dialect);
        return mode switch
        {
            StringMatchMode.Exact => new Condition("(").Append(dialect.EqualTo("i.folded", folded)).Append(" AND i.value=?)", value),
            StringMatchMode.Equals => dialect.EqualTo("i.folded", folded),
            StringMatchMode.Contains => new Condition(dialect.Contains("i.folded"), folded),
            StringMatchMode.EndsWith => new Condition($"substr(i.folded, {dialect.Length("i.folded")}-{Characters(folded) - 1})=?", folded),
            _ => dialect.StartsWith("i.folded", folded),
        };
    }

    // Engines count characters, .NET counts UTF-16 units.
    private static int Characters(string text) => text.EnumerateRunes().Count();

    private static Condition Uri(string column, SearchCriterion.Uris uris) => Condition.AnyOf([.. uris.Values.Select(value => uris.Mode switch
    {
        UriMatchMode.Below => Condition.AnyOf([new Condition($"{column}=?", ExactText.Of(value)), TokenSql.StartsWith(column, value.EndsWith('/') ? value : value + "/")]),
        UriMatchMode.Above => Condition.AnyOf([.. Prefixes(value).Select(prefix => new Condition($"{column}=?", ExactText.Of(prefix)))]),
        _ => new Condition($"{column}=?", ExactText.Of(value)),
    })]);

    // http://a/b/c: itself, http://a/b, http://a/b/, http://a, http://a/.
    private static IEnumerable<string> Prefixes(string uri)
    {
        yield return uri;
        var from = uri.IndexOf("://", StringComparison.Ordinal) is >= 0 and var scheme ? scheme + 3 : 0;
        for (var slash = uri.LastIndexOf('/'); slash >= from && slash > 0; slash = uri.LastIndexOf('/', slash - 1))
        {
            yield return uri[..slash];
            if (slash + 1 < uri.Length)
            {
                yield return uri[..(slash + 1)];
            }
        }
    }

    // Among the members of a set of codes a uri is a code without system.
    private Condition FacetUri(SearchCriterion.Uris uris)
    {
        var member = new Condition("concept IN (SELECT id FROM concept WHERE system=? AND ", _context.System(null) ?? -1).Append(Uri("code", uris)).Append(")");
        var inSets = Tokens.InSets(uris.Of, member);
        return _context.IsInSetsOnly(uris.Of) || _context.Parameter(uris.Of) is not { } parameter
            ? inSets
            : Condition.AnyOf([inSets, new Probe("token_index", parameter, new Condition("i.").Append(member), IsPoint: false).About(_context.Row)]);
    }

    private Condition FullText(SearchCriterion.FullText text)
    {
        var words = SearchText.Words(text.Words).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words.Length == 0 ? Condition.Never : Condition.AllOf([.. words.Select(word =>
            new Condition($"{_context.Row}.key IN (").Append(_context.Connection.Dialect.KeysWithPhrase(text.NarrativeOnly ? "narrative" : "content", word)).Append(")"))]);
    }

    private Condition HasValue(SearchParameter parameter)
    {
        var row = _context.Row;
        switch (_context.Whole(parameter))
        {
            case "subject":
                return OrIdentifier(parameter, new Condition($"{row}.subject IS NOT NULL"));
            case "patient":
                return OrIdentifier(parameter, new Condition($"({row}.subject IS NOT NULL AND {row}.subject IN (SELECT id FROM entity WHERE type='Patient' OR (type='' AND name LIKE '%/Patient/%')))"));
            case "date":
                return new Condition($"{row}.start>{IndexRows.NoStart}");
        }

        if (parameter.Code is "_id" or "_lastUpdated")
        {
            return Condition.Always;
        }

        var conditions = new List<Condition>();
        if (_context.IsFacet(parameter))
        {
            conditions.Add(Tokens.InSets(parameter, Condition.Always));
        }

        foreach (var code in (ReadOnlySpan<string>)[parameter.IndexName, parameter.IndexName + ValueRows.ByIdentifier])
        {
            if (_context.Parameter(code) is { } number)
            {
                conditions.AddRange(ValueTables.Where(table => _context.HasRows(table, number)).Select(table =>
                    new Probe(table, number, Condition.Always, table is "string_index" or "date_index" or "number_index" or "quantity_index" or "component_index").About(row)));
            }
        }

        if (_context.IsObservation && parameter.Code == "component-code-value-quantity" && _context.Parameter("component-value-quantity") is { } quantity)
        {
            conditions.Add(new Probe("quantity_index", quantity, new Condition("i.codes<>0"), IsPoint: true).About(row));
        }

        return Condition.AnyOf(conditions);
    }

    // A reference that says an identifier only has a value as well, and no target in the row.
    private Condition OrIdentifier(SearchParameter parameter, Condition target) => _context.Parameter(parameter.IndexName + ValueRows.ByIdentifier) is { } number
        ? Condition.AnyOf([target, new Probe("identifier_index", number, Condition.Always, IsPoint: false).About(_context.Row)])
        : target;

    // The time of a version is a millisecond; key ranges inside the type say the same as intervals of one millisecond.
    private Condition LastUpdated(SearchCriterion.Dates dates) => Condition.AnyOf([.. dates.Values.Select(match =>
    {
        var row = _context.Row;
        var first = ResourceKey.Of(_context.TypeNumber, ResourceKey.FirstTickOf(match.Start));
        var after = ResourceKey.Of(_context.TypeNumber, ResourceKey.FirstTickOf(match.End));
        return match.Prefix switch
        {
            SearchPrefix.NotEqual => new Condition($"({row}.key<? OR {row}.key>=?)", first, after),
            SearchPrefix.Greater or SearchPrefix.StartsAfter => new Condition($"{row}.key>=?", after),
            SearchPrefix.Less or SearchPrefix.EndsBefore => new Condition($"{row}.key<?", first),
            SearchPrefix.GreaterOrEqual => new Condition($"{row}.key>=?", first),
            SearchPrefix.LessOrEqual => new Condition($"{row}.key<?", after),
            _ => new Condition($"({row}.key>=? AND {row}.key<?)", first, after),
        };
    })]);
}
