using FhirIomt.Access;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Searching;

/// <summary>
/// The profiles, tags and security labels of all resources of a type, or of all types, that somebody may see. For who may see only what belongs to certain patients their resources are searched, without those
/// whose labels are known already, until none is left: nothing of others, not even how many labels they have, comes into it. For anybody else the indexes say which labels there are, and each stands
/// in the answer only when a search on the caller's behalf finds a resource that has it.
/// </summary>
public sealed class LabelSummary(IStore store, SearchService searches, SearchIndexer indexer, SearchQueryParser parser, IndexPolicy policy)
{
    /// <summary>Each is a search.</summary>
    private const int MaxLabels = 500;

    // Of a type; a page mostly has all labels that there are.
    private const int MaxPages = 1_000;
    private const int PageSize = 50;

    private static readonly string[] Parameters = ["_profile", "_security", "_tag"];

    /// <param name="type">Null: every type that the caller may search.</param>
    public async ValueTask<(IReadOnlyList<StoredLabel> Seen, Refusal? Refused)> ReadAsync(string? type, AccessScope scope, CancellationToken cancellationToken)
    {
        var types = (type is null ? policy.Definitions.ResourceTypes : [type]).Select(one => (Type: one, Predicate: scope.PredicateFor(one, ScopeInteractions.Search)))
            .Where(one => one.Predicate is not AccessPredicate.Nothing).ToList();
        if (types.Count == 0)
        {
            return ([], RepositoryIssues.TypeDenied(type ?? "any type", "search"));
        }

        var seen = new HashSet<StoredLabel>();
        var refused = await AddListedAsync([.. types.Where(one => !IsOfPatients(one.Predicate)).Select(one => one.Type)], scope, seen, cancellationToken).ConfigureAwait(false);
        foreach (var (narrow, _) in types.Where(one => IsOfPatients(one.Predicate)))
        {
            foreach (var parameter in Parameters)
            {
                refused ??= await AddFoundAsync(narrow, parameter, scope, seen, cancellationToken).ConfigureAwait(false);
            }
        }

        return refused is null ? ([.. seen], null) : ([], refused);
    }

    // What such a predicate lets through is found by its patients, so that the time it takes is theirs.
    private static bool IsOfPatients(AccessPredicate predicate) => predicate switch
    {
        AccessPredicate.OfPatient or AccessPredicate.OfPatients or AccessPredicate.Through or AccessPredicate.WithId => true,
        AccessPredicate.All all => all.Parts.Any(IsOfPatients),
        AccessPredicate.Any any => any.Alternatives.All(IsOfPatients),
        _ => false,
    };

    private async ValueTask<Refusal?> AddFoundAsync(string type, string parameter, AccessScope scope, HashSet<StoredLabel> seen, CancellationToken cancellationToken)
    {
        var of = policy.Find(type, parameter)!;
        var known = new HashSet<StoredLabel>();
        string? cursor = null;
        for (var page = 0; page < MaxPages; page++)
        {
            // As one of several types: so it is searched for what is stored, also of a type that knows other ways.
            var part = new SearchQuery { ResourceType = type, Criteria = [new SearchCriterion.Missing(of, IsMissing: false), .. Without(of, known)] };
            var query = new SearchQuery { ResourceType = "Resource", Parts = [part], Count = PageSize, Cursor = cursor };
            switch (await searches.SearchAsync(query, scope, cancellationToken).ConfigureAwait(false))
            {
                case SearchResult.Refused refused:
                    return refused.Refusal;
                case SearchResult.Found found:
                    var before = known.Count;
                    known.UnionWith(found.Page.Matches.SelectMany(match => LabelsOf(match, of)));
                    seen.UnionWith(known);
                    if (seen.Count > MaxLabels)
                    {
                        return new Refusal(RefusalKind.BadRequest, SearchIssues.TooMany("labels in one summary", MaxLabels));
                    }

                    // New ones make another search; what says nothing new (a label without a code) is paged over.
                    cursor = known.Count > before ? null : found.Page.Next;
                    if (known.Count == before && cursor is null)
                    {
                        return null;
                    }

                    break;
                default:
                    throw new InvalidOperationException("SearchResult is a closed set.");
            }
        }

        return new Refusal(RefusalKind.BadRequest, SearchIssues.TooMany("resources with labels that have no code in one summary", MaxPages * PageSize));
    }

    private static IEnumerable<SearchCriterion> Without(SearchParameter of, HashSet<StoredLabel> known) => known.Count == 0 ? []
        : of.Type == SearchParameterType.Uri ? [new SearchCriterion.Not(new SearchCriterion.Uris(of, [.. known.Select(label => label.Value)], UriMatchMode.Exact))]
        : [new SearchCriterion.Tokens(of, [.. known.Select(label => new TokenMatch(label.System, label.Value))], Negated: true)];

    // Read as the index reads them, so that what is known can be left out of the next search.
    private IEnumerable<StoredLabel> LabelsOf(StoredResource resource, SearchParameter of) => indexer.Extract(JsonTree.Parse(resource.Body).Require(), [of]).Select(value => value switch
    {
        IndexValue.Uri uri => new StoredLabel(of.Code, "", uri.Value),
        IndexValue.Token { Code.Length: > 0 } token => new StoredLabel(of.Code, token.System ?? "", token.Code),
        _ => null,
    }).OfType<StoredLabel>();

    private async ValueTask<Refusal?> AddListedAsync(List<string> types, AccessScope scope, HashSet<StoredLabel> seen, CancellationToken cancellationToken)
    {
        if (types.Count == 0)
        {
            return null;
        }

        var labels = await store.ListLabelsAsync(types, MaxLabels + 1, cancellationToken).ConfigureAwait(false);
        if (labels.Count > MaxLabels)
        {
            return new Refusal(RefusalKind.BadRequest, SearchIssues.TooMany("labels in one summary", MaxLabels));
        }

        foreach (var label in labels)
        {
            var (found, refused) = await FindsAsync(types, ArgumentOf(label), scope, cancellationToken).ConfigureAwait(false);
            if (refused is not null)
            {
                return refused;
            }

            if (found)
            {
                seen.Add(label);
            }
        }

        return null;
    }

    private static SearchArgument ArgumentOf(StoredLabel label) => label.Parameter == "_profile"
        ? new SearchArgument(label.Parameter, label.Value.Replace(",", "\\,", StringComparison.Ordinal))
        : new SearchArgument(label.Parameter, $"{SearchQueryParser.Escape(label.System)}|{SearchQueryParser.Escape(label.Value)}");

    private async ValueTask<(bool Found, Refusal? Refused)> FindsAsync(List<string> types, SearchArgument argument, AccessScope scope, CancellationToken cancellationToken)
    {
        IReadOnlyList<SearchArgument> arguments = [argument, new SearchArgument("_count", "1")];
        var parsed = types is [var only]
            ? parser.Parse(only, arguments, lenient: false)
            : parser.ParseSystem([new SearchArgument("_type", string.Join(',', types)), .. arguments], lenient: false);
        if (!parsed.TryGetValue(out var query, out _))
        {
            // What cannot be searched by is left out: a refusal would quote a label that the caller may not see.
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
