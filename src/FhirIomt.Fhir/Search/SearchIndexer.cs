using System.Collections.Concurrent;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.FhirPath;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Search;

/// <summary>
/// Finds what a resource can be searched by (R4 §3.1.1): evaluates each search parameter's expression and turns what it selects into
/// <see cref="IndexValue"/>s. Expressions are compiled once per type; safe for many threads.
/// </summary>
public sealed class SearchIndexer
{
    private readonly FhirDefinitions _definitions;
    private readonly string? _serverBase;
    private readonly FhirPathEnvironment _environment = new() { ResolvesToType = true };
    private readonly ConcurrentDictionary<string, SearchPlan> _plans = new(StringComparer.Ordinal);

    /// <param name="definitions">Where types and search parameters come from.</param>
    /// <param name="serverBase">This server's base URL: an absolute reference below it is indexed as a relative one.</param>
    public SearchIndexer(FhirDefinitions definitions, string? serverBase = null)
    {
        _definitions = definitions;
        _serverBase = serverBase is null || serverBase.EndsWith('/') ? serverBase : serverBase + "/";
    }

    /// <summary>With a slash at its end; null when absolute references stay as they are.</summary>
    public string? ServerBase => _serverBase;

    /// <summary>Everything that R4's parameters find in a resource; empty for a type that R4 does not know.</summary>
    public IReadOnlyList<IndexValue> Extract(JsonTree resource) => Plan(resource) is { } plan ? Run(resource, plan, plan.Parameters) : [];

    /// <summary>What those parameters find; parameters of another type find nothing.</summary>
    public IReadOnlyList<IndexValue> Extract(JsonTree resource, IReadOnlyList<SearchParameter> only) => Plan(resource) is { } plan ? Run(resource, plan, plan.Of(only)) : [];

    private SearchPlan? Plan(JsonTree resource)
    {
        var name = resource.Root["resourceType"u8].AsCommonString();
        if (name is null || !_definitions.IsResourceType(name))
        {
            return null;
        }

        return _plans.TryGetValue(name, out var plan) ? plan : _plans.GetOrAdd(name, new SearchPlan(_definitions.Type(name)!, _definitions));
    }

    private List<IndexValue> Run(JsonTree resource, SearchPlan plan, IReadOnlyList<PlannedParameter> parameters)
    {
        var focus = FhirPathItem.Element(resource.Root, default, plan.Type);
        var run = _environment.Rent(_definitions);
        run.Start(focus);
        var present = plan.Present(resource.Root);
        var items = run.Rent();
        var values = new IndexValues(_serverBase);
        foreach (var parameter in parameters)
        {
            foreach (var path in parameter.Paths)
            {
                // Most paths of a type start at a member that this resource does not have: Observation's 49 parameters have 61 paths, a heart rate meets about 15.
                if (path.Needs.MayBeMet(present))
                {
                    Evaluate(run, parameter, path.Expression, focus, items, values);
                }
            }
        }

        run.Return(items);
        _environment.Return(run);
        return values.Taken;
    }

    private static void Evaluate(Evaluation run, PlannedParameter parameter, FhirPathExpression expression, in FhirPathItem focus, ItemList items, IndexValues values)
    {
        try
        {
            items.Clear();
            expression.EvaluateInto(run, focus, items);
            for (var index = 0; index < items.Count; index++)
            {
                Add(run, parameter, items[index], values);
            }
        }
        catch (FhirPathException)
        {
            // The data do not fit the expression (two values where one is allowed): the parameter finds nothing; validation says why.
        }
    }

    private static void Add(Evaluation run, PlannedParameter parameter, in FhirPathItem item, IndexValues values)
    {
        if (parameter.Parameter.Type != SearchParameterType.Composite)
        {
            values.Add(parameter.Parameter, item, parameter.AreStrings);
            return;
        }

        var parts = new List<IReadOnlyList<IndexValue>>(parameter.Components.Count);
        var items = run.Rent();
        foreach (var (component, expression) in parameter.Components)
        {
            items.Clear();
            expression.EvaluateInto(run, item, items);
            var part = values.Apart();
            for (var index = 0; index < items.Count; index++)
            {
                part.Add(component, items[index]);
            }

            parts.Add(part.Taken);
        }

        run.Return(items);
        // A repetition that lacks a component can never match.
        if (parts.Count > 0 && parts.TrueForAll(part => part.Count > 0))
        {
            values.Add(new IndexValue.Composite(parameter.Parameter, parts));
        }
    }
}
