using System.Text;
using FhirIomt.Core;

namespace FhirIomt.Fhir.Searching;

/// <summary>A search URL while it is read.</summary>
internal sealed class ParseState(IReadOnlyList<string> types, bool lenient)
{
    private readonly List<SearchQuery> _parts = [];
    private readonly SortedSet<string> _what = new(StringComparer.Ordinal);

    public IReadOnlyList<string> Types { get; } = types;

    public SearchQuery Query { get; set; } = new() { ResourceType = types is [var only] ? only : "Resource" };

    public CriterionBudget Budget { get; private set; } = new();

    public List<SearchCriterion> Criteria { get; private set; } = [];

    public List<IncludeRule> Includes { get; } = [];

    public List<Issue> Issues { get; } = [];

    /// <summary>What follows is about that type.</summary>
    public void Enter(string type, CompartmentId? compartment)
    {
        (Budget, Criteria) = (new CriterionBudget(), []);
        _what.Add($"type {type} {compartment}");
    }

    /// <summary>What was read since is the search of that type, one of several.</summary>
    public void Leave(string type) => _parts.Add(new SearchQuery { ResourceType = type, Criteria = Criteria });

    /// <summary>The argument decides which resources match in which order.</summary>
    public void Note(SearchArgument argument) => _what.Add($"{argument.Name}={argument.Value}");

    public void Add(SearchArgument argument, Outcome<SearchCriterion> outcome)
    {
        if (outcome.TryGetValue(out var criterion, out var issues))
        {
            Criteria.Add(criterion);
            Note(argument);
            return;
        }

        // Said once, whatever number of types it was read for.
        var ignorable = lenient && issues is [{ Code: "IOMT-0700" }];
        Issues.AddRange((ignorable ? issues.Select(issue => issue with { Severity = IssueSeverity.Warning, Expression = argument.Name }) : issues)
            .Where(issue => !Issues.Exists(said => said.Code == issue.Code && said.Expression == issue.Expression)));
    }

    public Outcome<SearchQuery> Finish()
    {
        if (Issues.Exists(issue => issue.Refuses))
        {
            return Outcome<SearchQuery>.Refused([.. Issues.Where(issue => issue.Refuses)]);
        }

        var query = Query with { Includes = Includes, Fingerprint = Fingerprint() };
        return Outcome<SearchQuery>.Success(_parts.Count > 0 ? query with { Parts = _parts } : query with { Criteria = Criteria }, Issues);
    }

    // FNV-1a, 64 bits: only to tell apart a cursor that was pasted into another search; it protects nothing.
    private long Fingerprint()
    {
        var hash = 14695981039346656037UL;
        foreach (var text in _what)
        {
            foreach (var one in Encoding.UTF8.GetBytes(text))
            {
                hash = (hash ^ one) * 1099511628211UL;
            }

            hash = (hash ^ 10) * 1099511628211UL;
        }

        return (long)hash;
    }
}
