using System.Collections.Concurrent;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.FhirPath;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Search;

/// <summary>A search parameter ready to run.</summary>
/// <param name="Paths">The parts of the expression's union; what two of them find is indexed once, so they need not be united first.</param>
/// <param name="AreStrings">The tokens that it finds are strings.</param>
internal sealed record PlannedParameter(
    SearchParameter Parameter, PlannedPath[] Paths, IReadOnlyList<(SearchParameter Parameter, FhirPathExpression Expression)> Components, bool AreStrings);

/// <param name="Needs">Which members of the resource it needs to find anything.</param>
internal sealed record PlannedPath(FhirPathExpression Expression, MemberNeeds Needs);

/// <summary>The compiled parameters of one resource type.</summary>
internal sealed class SearchPlan
{
    private readonly FhirDefinitions _definitions;
    // R4's own parameters come from the definitions' tables, always the same objects; the limit is for callers that make their own.
    private const int MaxPlanned = 1000;

    private readonly ConcurrentDictionary<SearchParameter, PlannedParameter> _planned = new(ReferenceEqualityComparer.Instance);
    private Selection? _last;

    public SearchPlan(FhirType type, FhirDefinitions definitions)
    {
        Type = type;
        _definitions = definitions;
        var parameters = new List<PlannedParameter>();
        foreach (var parameter in definitions.SearchParameters(type.Name))
        {
            if (parameter is { Expression: not null, Type: not SearchParameterType.Special })
            {
                parameters.Add(For(parameter));
            }
        }

        Parameters = parameters;
    }

    public FhirType Type { get; }

    public IReadOnlyList<PlannedParameter> Parameters { get; }

    public PlannedParameter For(SearchParameter parameter) =>
        _planned.TryGetValue(parameter, out var known) ? known
        : _planned.Count < MaxPlanned ? _planned.GetOrAdd(parameter, Compile(parameter))
        : Compile(parameter);

    /// <summary>Those of the list that are of this type.</summary>
    public PlannedParameter[] Of(IReadOnlyList<SearchParameter> only)
    {
        // A server asks with one list until its parameters change.
        if (Volatile.Read(ref _last) is { } last && ReferenceEquals(last.Asked, only))
        {
            return last.Planned;
        }

        var planned = only.Where(parameter => parameter.ResourceType == Type.Name).Select(For).ToArray();
        Volatile.Write(ref _last, new Selection(only, planned));
        return planned;
    }

    /// <summary>Bits of the members that a resource has.</summary>
    public ulong Present(ResourceNode root) => MemberNeeds.Present(Type, root);

    private PlannedParameter Compile(SearchParameter parameter)
    {
        var components = new List<(SearchParameter, FhirPathExpression)>();
        foreach (var component in parameter.Components)
        {
            if (FindByUrl(component.DefinitionUrl) is { } definition)
            {
                components.Add((definition, FhirPathExpression.Compile(component.Expression, _definitions).Require()));
            }
        }

        var isComplete = components.Count == parameter.Components.Count && parameter.Expression is not null;
        return new PlannedParameter(parameter, isComplete ? Paths(parameter) : [], components, ParameterElements.AreStrings(parameter, _definitions));
    }

    private PlannedPath[] Paths(SearchParameter parameter)
    {
        var paths = new List<PlannedPath>();
        foreach (var part in parameter.Expression!.Split('|'))
        {
            if (!FhirPathExpression.Compile(part, _definitions).TryGetValue(out var expression, out _))
            {
                // The bar stands inside parentheses or a string: the expression stays whole.
                return [new PlannedPath(FhirPathExpression.Compile(parameter.Expression, _definitions).Require(), MemberNeeds.Unknown)];
            }

            paths.Add(new PlannedPath(expression, MemberNeeds.Of(Type, part, parameter.Components)));
        }

        return [.. paths];
    }

    private SearchParameter? FindByUrl(string url)
    {
        foreach (var parameter in _definitions.SearchParameters(Type.Name))
        {
            if (parameter.Url == url)
            {
                return parameter;
            }
        }

        return null;
    }

    private sealed record Selection(IReadOnlyList<SearchParameter> Asked, PlannedParameter[] Planned);
}
