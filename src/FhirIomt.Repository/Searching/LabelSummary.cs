using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Searching;

/// <summary>
/// The profiles, tags and security labels of all resources of a type, or of all types, that somebody may see. The indexes say which there are; each stands in the answer only when a search on
/// the caller's behalf finds a resource that has it, so a label that only others' resources have tells nothing.
/// </summary>
public sealed class LabelSummary(IStore store, SearchService searches, SearchQueryParser parser, IndexPolicy policy)
{
    /// <summary>Each is a search.</summary>
    private const int MaxLabels = 500;

    /// <param name="type">Null: every type that the caller may search.</param>
    public async ValueTask<(IReadOnlyList<StoredLabel> Seen, Refusal? Refused)> ReadAsync(string? type, AccessScope scope, CancellationToken cancellationToken)
    {
        // Asked first, so that who may not search hears so whatever there is.
        if (await FindsAsync(type, new SearchArgument("_id", "-"), scope, cancellationToken).ConfigureAwait(false) is { Refused: { } denied })
        {
            return ([], denied);
        }

        var labels = await store.ListLabelsAsync(type is null ? policy.Definitions.ResourceTypes : [type], MaxLabels + 1, cancellationToken).ConfigureAwait(false);
        if (labels.Count > MaxLabels)
        {
            return ([], new Refusal(RefusalKind.BadRequest, SearchIssues.TooMany("labels in one summary", MaxLabels)));
        }

        var seen = new List<StoredLabel>();
        foreach (var label in labels)
        {
            var (found, refused) = await FindsAsync(type, ArgumentOf(label), scope, cancellationToken).ConfigureAwait(false);
            if (refused is not null)
            {
                return ([], refused);
            }

            if (found)
            {
                seen.Add(label);
            }
        }

        return (seen, null);
    }

    private static SearchArgument ArgumentOf(StoredLabel label) => label.Parameter == "_profile"
        ? new SearchArgument(label.Parameter, label.Value.Replace(",", "\\,", StringComparison.Ordinal))
        : new SearchArgument(label.Parameter, $"{SearchQueryParser.Escape(label.System)}|{SearchQueryParser.Escape(label.Value)}");

    private async ValueTask<(bool Found, Refusal? Refused)> FindsAsync(string? type, SearchArgument argument, AccessScope scope, CancellationToken cancellationToken)
    {
        IReadOnlyList<SearchArgument> arguments = [argument, new SearchArgument("_count", "1")];
        if (!(type is null ? parser.ParseSystem(arguments, lenient: false) : parser.Parse(type, arguments, lenient: false)).TryGetValue(out var query, out _))
        {
            // What cannot be searched by is left out: a refusal would quote a label that may be another patient's.
            return (false, null);
        }

        return await searches.SearchAsync(query, scope, cancellationToken).ConfigureAwait(false) switch
        {
            SearchResult.Found found => (found.Page.Matches.Count > 0, null),
            SearchResult.Refused refused => (false, refused.Refusal),
            _ => throw new InvalidOperationException("SearchResult is a closed set."),
        };
    }
}
