using FhirIomt.Core;

namespace FhirIomt.Fhir.Searching;

/// <summary>A search as a condition: in <c>If-None-Exist</c>, in the address of a conditional interaction, in a conditional reference (R4 §3.1.0.8.1).</summary>
public static class SearchCondition
{
    /// <summary>Always strict: an unknown parameter that is ignored would widen the condition. There must be at least one criterion.</summary>
    /// <param name="query">Names and values as in an address, percent-encoded, without the question mark.</param>
    public static Outcome<SearchQuery> Parse(SearchQueryParser parser, string resourceType, string query) => Parse(parser, resourceType, Arguments(query));

    public static Outcome<SearchQuery> Parse(SearchQueryParser parser, string resourceType, IReadOnlyList<SearchArgument> arguments)
    {
        var parsed = parser.Parse(resourceType, arguments, lenient: false);
        if (!parsed.TryGetValue(out var condition, out _))
        {
            return parsed;
        }

        return condition.Criteria.Count == 0 ? SearchIssues.EmptyCondition()
            : condition.Contained != ContainedMode.None ? SearchIssues.ContainedNotSearched("by a condition")
            : condition with { CountOnly = false, Cursor = null, Includes = [], Sort = [], Total = TotalMode.None };
    }

    /// <summary>The parameters of a query string, decoded, in order.</summary>
    public static IReadOnlyList<SearchArgument> Arguments(string query)
    {
        if (query.Length == 0)
        {
            return [];
        }

        var arguments = new List<SearchArgument>();
        foreach (var pair in query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? pair : pair[..equals];
            var value = equals < 0 ? "" : pair[(equals + 1)..];
            arguments.Add(new SearchArgument(Decode(name), Decode(value)));
        }

        return arguments;
    }

    private static string Decode(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));
}
