using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository.Auditing;
using FhirIomt.Repository.Deciding;
using FhirIomt.Repository.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Readings;

/// <summary>
/// Searches for Provenance also find what is told from the audit: it follows what is stored, whose pages end first. The caller's predicate is held against each document.
/// </summary>
internal sealed class ReadingProvenanceSearch(IStore store, SearchIndexer indexer)
{
    // Cursors of the engine are base64url, which has no such character.
    private const char Mark = '~';

    // As for the audit itself: a page that finds little ends after this many, and its next link goes on.
    private const int MaxLooked = 5000;
    private const int PageSize = 500;

    private readonly ReadingTrail _trail = new(store, indexer);
    private readonly Visibility _visibility = new(store, indexer);
    private readonly LeavingCheck _check = new(indexer);

    public static bool IsOwnCursor(string? cursor) => cursor?.StartsWith(Mark) == true;

    /// <summary>The part of a search that may find Provenance; null when none does.</summary>
    public static SearchQuery? PartOf(SearchQuery query) => query.ResourceType == "Provenance" ? query : query.Parts.FirstOrDefault(part => part.ResourceType == "Provenance");

    public async ValueTask<ReadResult> ReadAsync(string id, AccessPredicate predicate, CancellationToken cancellationToken) =>
        await _trail.FindAsync(id, cancellationToken).ConfigureAwait(false) is { } found && await _visibility.PermitsAsync(predicate, found, cancellationToken).ConfigureAwait(false)
            ? new ReadResult.Found(found)
            : new ReadResult.Refused(RepositoryIssues.NotFound());

    /// <summary>Why the search cannot be answered whole; null when it can. Of several types it then finds what is stored.</summary>
    public Issue? WhyNot(SearchQuery query) => query.ResourceType == "Provenance" && !query.Criteria.All(CanDecide) ? RepositoryIssues.ProvenanceNotSearched() : null;

    /// <summary>The page that follows what is stored.</summary>
    /// <param name="stored">The last page of that; empty when the search goes on by a cursor of this one.</param>
    /// <param name="predicate">What the caller may find.</param>
    public async ValueTask<SearchPage> AfterAsync(SearchQuery query, SearchPage stored, AccessPredicate predicate, CancellationToken cancellationToken)
    {
        var part = PartOf(query)!;
        if (predicate is AccessPredicate.Nothing || !part.Criteria.All(CanDecide))
        {
            return stored;
        }

        var wanted = new Wanted(part, predicate, query.Sort is not [{ Descending: false }]);
        if (query.CountOnly)
        {
            var (all, rest) = await CollectAsync(wanted, null, int.MaxValue, cancellationToken).ConfigureAwait(false);
            return stored with { Total = rest is null ? stored.Total + all.Count : null };
        }

        var (found, next) = await CollectAsync(wanted, IsOwnCursor(query.Cursor) ? query.Cursor![1..] : null, query.Count - stored.Matches.Count, cancellationToken).ConfigureAwait(false);
        var isWhole = query.Cursor is null && next is null;
        return stored with
        {
            Matches = isWhole && query.Sort.Count > 0 && stored.Matches.Count > 0 ? Merged(stored.Matches, found, query.Sort[0]) : [.. stored.Matches, .. found],
            Next = next is null ? null : Mark + next,
            Total = isWhole ? stored.Total + found.Count : null,
        };
    }

    /// <summary>What of it refers to those resources: for <c>_revinclude=Provenance:target</c>.</summary>
    public async ValueTask<IReadOnlyList<StoredResource>> ReferringToAsync(IReadOnlyList<StoredResource> resources, AccessPredicate predicate, CancellationToken cancellationToken)
    {
        var seen = new List<StoredResource>();
        foreach (var provenance in predicate is AccessPredicate.Nothing ? [] : await _trail.OfAsync(resources, cancellationToken).ConfigureAwait(false))
        {
            if (await _visibility.PermitsAsync(predicate, provenance, cancellationToken).ConfigureAwait(false))
            {
                seen.Add(provenance);
            }
        }

        return seen;
    }

    private async ValueTask<(List<StoredResource> Found, string? Next)> CollectAsync(Wanted wanted, string? from, int room, CancellationToken cancellationToken)
    {
        if (room <= 0)
        {
            return ([], AuditPositionOf(wanted).ToString());
        }

        if (await NamedAsync(wanted.Part, cancellationToken).ConfigureAwait(false) is { } named)
        {
            var matching = new List<StoredResource>();
            foreach (var one in wanted.Descending ? named.Reverse() : named)
            {
                if (await IsWantedAsync(one, wanted, cancellationToken).ConfigureAwait(false))
                {
                    matching.Add(one);
                }
            }

            var start = from is not null && int.TryParse(from, System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : 0;
            return ([.. matching.Skip(start).Take(room)], matching.Count - start > room ? $"{start + room}" : null);
        }

        return await WalkAsync(wanted, from is null ? null : AuditPosition.Parse(from), room, cancellationToken).ConfigureAwait(false);
    }

    private static AuditPosition AuditPositionOf(Wanted wanted) => new(wanted.Descending ? long.MaxValue : 0, 0);

    // Searches that name what they want: ids, or readings.
    private async ValueTask<IReadOnlyList<StoredResource>?> NamedAsync(SearchQuery part, CancellationToken cancellationToken)
    {
        if (part.Criteria.OfType<SearchCriterion.Ids>().FirstOrDefault() is { } ids)
        {
            var found = new List<StoredResource>();
            foreach (var id in ids.Values.Distinct(StringComparer.Ordinal))
            {
                if (await _trail.FindAsync(id, cancellationToken).ConfigureAwait(false) is { } one)
                {
                    found.Add(one);
                }
            }

            return [.. found.OrderBy(one => one.LastUpdated)];
        }

        return part.Criteria.OfType<SearchCriterion.References>().FirstOrDefault(references => references.Of.Code == "target") is { } targets
            ? await _trail.OfAsync(targets.Values.Where(value => value.Id is not null).Select(value => (value.Type ?? "Observation", value.Id!.Split('/')[0])), cancellationToken).ConfigureAwait(false)
            : null;
    }

    private async ValueTask<(List<StoredResource> Found, string? Next)> WalkAsync(Wanted wanted, AuditPosition? from, int room, CancellationToken cancellationToken)
    {
        var found = new List<StoredResource>();
        var position = from ?? AuditPositionOf(wanted);
        var patient = SearchedPatients.Of(wanted.Part) is [var only] ? only : OnlyPatient(wanted.Predicate);
        for (var looked = 0; looked < MaxLooked; looked += PageSize)
        {
            var query = (wanted.Descending ? new AuditQuery(0, position.Key, patient, Descending: true, PageSize) : new AuditQuery(position.Key, long.MaxValue, patient, Descending: false, PageSize)) with { WithReadings = true };
            var (lines, isEnd) = await _trail.WalkAsync(query, cancellationToken).ConfigureAwait(false);
            foreach (var (key, told) in lines)
            {
                for (var number = key == position.Key ? position.Number : 0; number < told.Count; number++)
                {
                    if (!await IsWantedAsync(told[number], wanted, cancellationToken).ConfigureAwait(false))
                    {
                        continue;
                    }

                    if (found.Count == room)
                    {
                        return (found, new AuditPosition(key, number).ToString());
                    }

                    found.Add(told[number]);
                }
            }

            if (isEnd)
            {
                return (found, null);
            }

            position = new AuditPosition(wanted.Descending ? lines[^1].Key - 1 : lines[^1].Key + 1, 0);
        }

        return (found, position.ToString());
    }

    private async ValueTask<bool> IsWantedAsync(StoredResource provenance, Wanted wanted, CancellationToken cancellationToken)
    {
        if (!await _visibility.PermitsAsync(wanted.Predicate, provenance, cancellationToken).ConfigureAwait(false))
        {
            return false;
        }

        var tree = JsonTree.Parse(provenance.Body).Require();
        return wanted.Part.Criteria.All(criterion => Matches(criterion, provenance, tree));
    }

    private static bool CanDecide(SearchCriterion criterion) => criterion switch
    {
        SearchCriterion.And and => and.Parts.All(CanDecide),
        SearchCriterion.Or or => or.Parts.All(CanDecide),
        SearchCriterion.References or SearchCriterion.ReferenceIdentifiers => true,
        SearchCriterion.Dates => true,
        _ => LeavingCheck.CanDecide(criterion),
    };

    private bool Matches(SearchCriterion criterion, StoredResource provenance, JsonTree tree) => criterion switch
    {
        SearchCriterion.And and => and.Parts.All(part => Matches(part, provenance, tree)),
        SearchCriterion.Or or => or.Parts.Any(part => Matches(part, provenance, tree)),
        SearchCriterion.Dates { Of.Code: "_lastUpdated" } dates => dates.Values.Any(wanted => wanted.Matches(provenance.LastUpdated, provenance.LastUpdated.AddMilliseconds(1))),
        SearchCriterion.References references => indexer.Extract(tree, [references.Of]).OfType<IndexValue.Reference>().Any(value => references.Values.Any(wanted => IsReference(wanted, value))),
        SearchCriterion.ReferenceIdentifiers identifiers => indexer.Extract(tree, [identifiers.Of]).OfType<IndexValue.Reference>()
            .Any(value => value.IdentifierValue is { } text && identifiers.Values.Any(wanted => wanted.Matches(value.IdentifierSystem, text))),
        _ => _check.Permits(new AccessPredicate.Meets([criterion]), "Provenance", tree),
    };

    private static bool IsReference(ReferenceMatch wanted, IndexValue.Reference value) =>
        wanted.Url is null && (wanted.Type is null || wanted.Type == value.Type) && (wanted.Id == value.Id || wanted.Id == $"{value.Id}/_history/{value.Version}");

    // Whom a predicate is about, when it is one patient: the lines are then found by that patient.
    private static string? OnlyPatient(AccessPredicate predicate) => predicate switch
    {
        AccessPredicate.OfPatient patient => patient.PatientId,
        AccessPredicate.OfPatients { Patients.Count: 1 } set => set.Patients.Ids.First(),
        AccessPredicate.All all => all.Parts.Select(OnlyPatient).FirstOrDefault(patient => patient is not null),
        _ => null,
    };

    private static List<StoredResource> Merged(IReadOnlyList<StoredResource> stored, List<StoredResource> told, SortKey sort)
    {
        var all = stored.Concat(told).Select(one => (Resource: one, Time: sort.Parameter.Code == "recorded" ? Recorded(one) : one.LastUpdated));
        return [.. (sort.Descending ? all.OrderByDescending(one => one.Time) : all.OrderBy(one => one.Time)).Select(one => one.Resource)];
    }

    private static DateTimeOffset Recorded(StoredResource provenance) =>
        DateTimeOffset.TryParse(JsonTree.Parse(provenance.Body).Require().Root["recorded"u8].AsString(), System.Globalization.CultureInfo.InvariantCulture, out var time) ? time : provenance.LastUpdated;

    private sealed record Wanted(SearchQuery Part, AccessPredicate Predicate, bool Descending);
}
