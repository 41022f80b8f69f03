using FhirIomt.Core;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.Searching;

/// <summary>One <c>name=value</c> of a search URL, both already percent-decoded.</summary>
public readonly record struct SearchArgument(string Name, string Value);

/// <summary>The resource of a compartment search: <c>Patient/123</c> in <c>GET Patient/123/Observation</c> (R4 §3.1.0.12).</summary>
public sealed record CompartmentId(string Type, string Id);

/// <summary>Turns the parameters of a search URL into a <see cref="SearchQuery"/>; collects every problem.</summary>
public sealed class SearchQueryParser
{
    private readonly IndexPolicy _policy;
    private readonly CriterionReader _reader;
    private readonly FilterParser _filters;
    private readonly ResultParameters _results;

    /// <param name="policy">What can be searched by.</param>
    /// <param name="terminology">For <c>:in :not-in :above :below</c> on tokens; without it they are refused.</param>
    /// <param name="serverBase">This server's base URL: an absolute reference below it is also a relative one.</param>
    public SearchQueryParser(IndexPolicy policy, ITerminology? terminology = null, string? serverBase = null)
    {
        _policy = policy;
        var tokens = new TokenValues(new ImplicitSystems(policy.Definitions), new StringTokens(policy.Definitions), terminology);
        var references = new ReferenceValues(serverBase is null || serverBase.EndsWith('/') ? serverBase : serverBase + "/");
        _reader = new CriterionReader(policy, new CriterionParser(tokens, references, new CompositeComponents(policy)));
        _filters = new FilterParser(policy, _reader);
        _results = new ResultParameters(policy);
    }

    /// <param name="resourceType">A concrete R4 resource type.</param>
    /// <param name="arguments">In URL order.</param>
    /// <param name="lenient">Ignore unknown parameters (<c>Prefer: handling=lenient</c>); malformed values are refused either way.</param>
    /// <param name="compartment">Only what is in it.</param>
    /// <returns>The query; for a lenient parse the ignored parameters are its warnings, each with the argument's name as its expression.</returns>
    public Outcome<SearchQuery> Parse(string resourceType, IReadOnlyList<SearchArgument> arguments, bool lenient, CompartmentId? compartment = null)
    {
        if (arguments.Count > SearchLimits.MaxParameters)
        {
            return SearchIssues.TooMany("search parameters", SearchLimits.MaxParameters);
        }

        var state = new ParseState([resourceType], lenient);
        state.Enter(resourceType, compartment);
        AddCompartment(state, resourceType, compartment);
        foreach (var argument in arguments)
        {
            if (!_results.TryApply(state, argument))
            {
                state.Add(argument, Criterion(state, resourceType, argument));
            }
        }

        return state.Finish();
    }

    /// <summary>A search over several types (R4 §3.1.1.1.3): those of <c>_type</c>, or all. Only what every one of them knows can be asked for.</summary>
    public Outcome<SearchQuery> ParseSystem(IReadOnlyList<SearchArgument> arguments, bool lenient, CompartmentId? compartment = null)
    {
        if (arguments.Count > SearchLimits.MaxParameters)
        {
            return SearchIssues.TooMany("search parameters", SearchLimits.MaxParameters);
        }

        if (!Types(arguments, compartment).TryGetValue(out var types, out var issues))
        {
            return Outcome<SearchQuery>.Refused(issues);
        }

        var state = new ParseState(types, lenient);
        var rest = arguments.Where(argument => argument.Name != "_type" && !_results.TryApply(state, argument)).ToList();
        foreach (var type in types)
        {
            state.Enter(type, compartment);
            AddCompartment(state, type, compartment);
            foreach (var argument in rest)
            {
                state.Add(argument, Criterion(state, type, argument));
            }

            state.Leave(type);
        }

        // A parameter that one of the types does not know is ignored for all of them.
        var ignored = state.Issues.Where(issue => !issue.Refuses).Select(issue => issue.Expression).ToHashSet(StringComparer.Ordinal);
        return ignored.Count == 0 || !ParseSystem([.. arguments.Where(argument => !ignored.Contains(argument.Name))], lenient, compartment).TryGetValue(out var query, out _)
            ? state.Finish()
            : Outcome<SearchQuery>.Success(query, state.Issues);
    }

    /// <summary>One parameter as a criterion: used by searches and by granular scopes alike.</summary>
    public Outcome<SearchCriterion> ParseCriterion(string resourceType, string name, string value) => _reader.Read(resourceType, name, value, new CriterionBudget());

    /// <summary>A text as one search value: what would separate values is escaped (R4 §3.1.1.4.4).</summary>
    public static string Escape(string value) => value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(",", "\\,", StringComparison.Ordinal)
        .Replace("|", "\\|", StringComparison.Ordinal).Replace("$", "\\$", StringComparison.Ordinal);

    private Outcome<SearchCriterion> Criterion(ParseState state, string type, SearchArgument argument) => argument.Name == "_filter"
        ? _filters.Parse(type, argument.Value, state.Budget)
        : _reader.Read(type, argument.Name, argument.Value, state.Budget);

    private Outcome<List<string>> Types(IReadOnlyList<SearchArgument> arguments, CompartmentId? compartment)
    {
        var named = arguments.Where(argument => argument.Name == "_type").SelectMany(argument => argument.Value.Split(',')).Distinct(StringComparer.Ordinal).ToList();
        if (named.Find(type => !_policy.Definitions.IsResourceType(type)) is { } unknown)
        {
            return SearchIssues.UnknownSearchedType(unknown);
        }

        return named.Count > 0 ? named
            : compartment is null ? [.. _policy.Definitions.ResourceTypes]
            : _policy.Definitions.ResourceTypes.Where(type => type == compartment.Type || _policy.Definitions.CompartmentParameters(compartment.Type, type).Count > 0).ToList();
    }

    private void AddCompartment(ParseState state, string type, CompartmentId? compartment)
    {
        if (compartment is null)
        {
            return;
        }

        // The resource itself is in its compartment.
        var ways = new List<SearchCriterion>();
        if (type == compartment.Type)
        {
            ways.Add(new SearchCriterion.Ids(_policy.Find(type, "_id")!, [compartment.Id]));
        }

        foreach (var code in _policy.Definitions.CompartmentParameters(compartment.Type, type))
        {
            if (_policy.Find(type, code) is { } parameter)
            {
                ways.Add(new SearchCriterion.References(parameter, [new ReferenceMatch(compartment.Type, compartment.Id, null)]));
            }
        }

        if (ways.Count == 0)
        {
            state.Issues.Add(SearchIssues.NotInCompartment(compartment.Type, type));
            return;
        }

        state.Criteria.Add(ways is [var only] ? only : new SearchCriterion.Or(ways));
    }
}
