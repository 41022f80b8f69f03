using System.Collections.Concurrent;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.Searching;

/// <summary>
/// Which search parameters are indexed, and so offered: the CapabilityStatement, the URL parser and the index all ask here, so that they cannot disagree.
/// </summary>
public sealed class IndexPolicy(FhirDefinitions definitions)
{
    // What the values of other parameters of an Observation answer together: its code and its value are single (R4 Observation.code, value[x]), and a component's
    // code stands beside its quantity in the index. So these need no values of their own.
    private static readonly string[] DerivedForObservation =
        ["code-value-concept", "code-value-date", "code-value-quantity", "code-value-string", "combo-code", "combo-code-value-concept", "combo-code-value-quantity",
         "combo-data-absent-reason", "combo-value-concept", "combo-value-quantity"];

    private volatile Snapshot _now = new(definitions, [], new HashSet<string>(StringComparer.Ordinal), 0);

    public FhirDefinitions Definitions { get; } = definitions;

    /// <summary>Another number whenever the parameters changed.</summary>
    public long Version => _now.Number;

    /// <summary>The parameters of somebody's own that are known at the moment.</summary>
    public IReadOnlyList<CustomParameter> Custom => _now.Custom;

    /// <summary>What is offered: R4's parameters, and those of somebody's own that every stored resource has been indexed by.</summary>
    public IReadOnlyList<SearchParameter> IndexedParameters(string resourceType) => _now.Offered(resourceType);

    /// <summary>The parameters whose values go into the index. Some offered ones are answered by others; one that is still being indexed is not offered yet.</summary>
    public IReadOnlyList<SearchParameter> ExtractedParameters(string resourceType) => _now.Extracted(resourceType);

    /// <summary>Every parameter of a type that a search can name.</summary>
    public IReadOnlyList<SearchParameter> Parameters(string resourceType) => Definitions.SearchParameters(resourceType);

    public SearchParameter? Find(string resourceType, string code) => Definitions.SearchParameter(resourceType, code) ?? _now.FindCustom(resourceType, code);

    /// <summary>Why a search cannot use the parameter; null when it can.</summary>
    public Issue? WhyNot(SearchParameter parameter) => IsIndexed(parameter) ? null
        : parameter.IndexName != parameter.Code ? SearchIssues.BeingIndexed(parameter.Code)
        : SearchIssues.NotIndexed(parameter.Code);

    public bool IsIndexed(SearchParameter parameter) =>
        parameter.Code is "_id" or "_lastUpdated" || IndexedParameters(parameter.ResourceType).Contains(parameter);

    /// <summary>Parameters that results can be sorted by.</summary>
    public bool IsSortable(SearchParameter parameter) =>
        parameter.Type is not (SearchParameterType.Composite or SearchParameterType.Special)
        && !(parameter.Code.StartsWith("combo-", StringComparison.Ordinal) && parameter.Type != SearchParameterType.Quantity) && IsIndexed(parameter);

    /// <summary>Whether every stored resource has been indexed by a parameter of somebody's own.</summary>
    public bool IsComplete(CustomParameter parameter) => _now.Complete.Contains(parameter.IndexName);

    /// <summary>Takes other parameters of somebody's own from now on. What stays the same keeps its object, by which expressions are compiled once.</summary>
    /// <param name="complete">The index names of those that every stored resource has been indexed by.</param>
    public void Use(IReadOnlyList<CustomParameter> custom, IReadOnlySet<string> complete)
    {
        var before = _now;
        var kept = custom.Select(parameter => before.Custom.FirstOrDefault(known => known.Id == parameter.Id && known.IndexName == parameter.IndexName && known.Parameters.Count == parameter.Parameters.Count
            && known.Parameters.Zip(parameter.Parameters).All(pair => pair.First.ResourceType == pair.Second.ResourceType && pair.First.Url == pair.Second.Url && pair.First.Targets.SequenceEqual(pair.Second.Targets, StringComparer.Ordinal))) ?? parameter).ToList();
        if (!kept.SequenceEqual(before.Custom) || !complete.SetEquals(before.Complete))
        {
            _now = new Snapshot(Definitions, kept, complete, before.Number + 1);
        }
    }

    private sealed class Snapshot(FhirDefinitions definitions, IReadOnlyList<CustomParameter> custom, IReadOnlySet<string> complete, long number)
    {
        private readonly ConcurrentDictionary<string, IReadOnlyList<SearchParameter>> _extracted = new(StringComparer.Ordinal);
        private readonly ConcurrentDictionary<string, IReadOnlyList<SearchParameter>> _offered = new(StringComparer.Ordinal);

        public IReadOnlyList<CustomParameter> Custom => custom;

        public IReadOnlySet<string> Complete => complete;

        public long Number => number;

        public IReadOnlyList<SearchParameter> Offered(string type) => _offered.TryGetValue(type, out var known) ? known
            : _offered.GetOrAdd(type, [.. Core(type), .. Of(type).Where(parameter => complete.Contains(parameter.IndexName))]);

        public IReadOnlyList<SearchParameter> Extracted(string type) => _extracted.TryGetValue(type, out var known) ? known
            : _extracted.GetOrAdd(type, [.. Core(type).Where(parameter => !(type == "Observation" && DerivedForObservation.Contains(parameter.Code, StringComparer.Ordinal))), .. Of(type)]);

        public SearchParameter? FindCustom(string type, string code) => Of(type).FirstOrDefault(parameter => parameter.Code == code);

        private IEnumerable<SearchParameter> Of(string type) => custom.SelectMany(parameter => parameter.Parameters).Where(parameter => parameter.ResourceType == type);

        private IEnumerable<SearchParameter> Core(string type) => definitions.SearchParameters(type).Where(parameter =>
            parameter is { Type: not SearchParameterType.Special, Expression: not null } and not { Code: "_id" or "_lastUpdated" });
    }
}
