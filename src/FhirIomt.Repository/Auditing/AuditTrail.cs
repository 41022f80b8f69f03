using System.Globalization;
using System.Runtime.CompilerServices;
using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Auditing;

/// <summary>
/// The audit as AuditEvents, for those who may see it: operators and systems all of it, a patient who looked at their record, nobody else anything. Lines are found
/// by time and patient; every other condition is looked for in the events themselves.
/// </summary>
public sealed class AuditTrail(IStore store, AuditLog log, SearchIndexer indexer)
{
    // A page that finds little ends after this many, and its next link goes on: no request looks through the whole audit.
    private const int MaxLooked = 5000;
    private const int PageSize = 500;

    private readonly AuditEventWriter _events = new(indexer.ServerBase ?? "");
    private readonly LeavingCheck _check = new(indexer);

    public async ValueTask<ReadResult> ReadAsync(string id, AccessScope scope, CancellationToken cancellationToken)
    {
        if (AuditSight.Of(scope, ScopeInteractions.Read) is not { } sight)
        {
            return new ReadResult.Refused(RepositoryIssues.TypeDenied("AuditEvent", "read"));
        }

        await log.FlushAsync(cancellationToken).ConfigureAwait(false);
        var parts = id.Split('-');
        if (!long.TryParse(parts[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var key))
        {
            return new ReadResult.Refused(RepositoryIssues.NotFound());
        }

        foreach (var line in await store.ReadAuditAsync(new AuditQuery(key, key, null, Descending: false, 1), cancellationToken).ConfigureAwait(false))
        {
            if (EventsOf(line, sight, null).FirstOrDefault(one => one.Id == id) is { } found)
            {
                return new ReadResult.Found(found);
            }
        }

        return new ReadResult.Refused(RepositoryIssues.NotFound());
    }

    public async ValueTask<SearchResult> SearchAsync(SearchQuery query, AccessScope scope, CancellationToken cancellationToken)
    {
        if (AuditSight.Of(scope, ScopeInteractions.Search) is not { } sight)
        {
            return new SearchResult.Refused(RepositoryIssues.TypeDenied("AuditEvent", "search"));
        }

        if (!AuditSearchPlan.Of(query, sight).TryGetValue(out var plan, out var issues))
        {
            return new SearchResult.Refused(new Refusal(RefusalKind.BadRequest, issues));
        }

        await log.FlushAsync(cancellationToken).ConfigureAwait(false);
        var found = new List<StoredResource>();
        var position = plan.Start;
        for (var looked = 0; looked < MaxLooked;)
        {
            var lines = await store.ReadAuditAsync(plan.From(position, PageSize), cancellationToken).ConfigureAwait(false);
            foreach (var line in lines)
            {
                foreach (var (one, number) in EventsOf(line, sight, plan.Patient).Select((one, number) => (one, number)))
                {
                    if ((line.Key == position.Key && number < position.Number) || !Matches(one, plan))
                    {
                        continue;
                    }

                    if (found.Count == query.Count)
                    {
                        return new SearchResult.Found(new SearchPage(found, [], new AuditPosition(line.Key, number).ToString(), null));
                    }

                    found.Add(one);
                }
            }

            looked += lines.Count;
            if (lines.Count < PageSize)
            {
                return new SearchResult.Found(new SearchPage(found, [], null, null));
            }

            position = new AuditPosition(plan.Descending ? lines[^1].Key - 1 : lines[^1].Key + 1, 0);
        }

        return new SearchResult.Found(new SearchPage(found, [], position.ToString(), null));
    }

    /// <summary>All of it, the oldest first, for whoever has the store itself. Lines that come meanwhile are in it or not.</summary>
    /// <param name="since">Inclusive.</param>
    /// <param name="until">Exclusive.</param>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ExportAsync(DateTimeOffset? since, DateTimeOffset? until, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await log.FlushAsync(cancellationToken).ConfigureAwait(false);
        var everything = new AuditSight(IsAll: true, []);
        var (next, last) = (since is { } start ? AuditKey.FirstOf(start) : 0, until is { } end ? AuditKey.FirstOf(end) - 1 : long.MaxValue);
        while (next <= last)
        {
            var lines = await store.ReadAuditAsync(new AuditQuery(next, last, null, Descending: false, PageSize), cancellationToken).ConfigureAwait(false);
            foreach (var one in lines.SelectMany(line => EventsOf(line, everything, null)))
            {
                yield return one.Body;
            }

            if (lines.Count < PageSize)
            {
                yield break;
            }

            next = lines[^1].Key + 1;
        }
    }

    // One event for each patient that the line is about and the caller may hear of.
    private IEnumerable<StoredResource> EventsOf(StoredAudit line, AuditSight sight, string? only)
    {
        var root = JsonTree.Parse(line.Body).Require().Root;
        var patients = new List<string?>();
        foreach (var patient in root["p"u8].Items)
        {
            patients.Add(patient.AsString());
        }

        if (patients.Count == 0)
        {
            patients.Add(null);
        }

        for (var index = 0; index < patients.Count; index++)
        {
            var patient = patients[index];
            if (!sight.Covers(patient) || (only is not null && patient != only))
            {
                continue;
            }

            var id = line.Key.ToString("x", CultureInfo.InvariantCulture) + (patients.Count > 1 ? $"-{index}" : "");
            var tree = _events.Write(line, root, id, patient, !sight.IsAll);
            yield return new StoredResource("AuditEvent", id, 1, AuditKey.TimeOf(line.Key), tree.Utf8);
        }
    }

    private bool Matches(StoredResource one, AuditSearchPlan plan)
    {
        if (plan.Criteria.Count == 0)
        {
            return true;
        }

        var tree = JsonTree.Parse(one.Body).Require();
        return plan.Criteria.All(criterion => criterion is SearchCriterion.Strings strings
            ? indexer.Extract(tree, [strings.Parameter!]).OfType<IndexValue.Text>().Any(text => strings.Values.Any(wanted => text.Value.StartsWith(wanted, StringComparison.OrdinalIgnoreCase)))
            : _check.Permits(new AccessPredicate.Meets([criterion]), "AuditEvent", tree));
    }
}

/// <summary>Whose part of the audit somebody may see.</summary>
/// <param name="IsAll">All of it.</param>
/// <param name="Patients">Otherwise what is about these.</param>
internal sealed record AuditSight(bool IsAll, IReadOnlyCollection<string> Patients)
{
    /// <summary>Null: nothing of it.</summary>
    public static AuditSight? Of(AccessScope scope, ScopeInteractions interaction)
    {
        if (scope.CoversAll("AuditEvent", interaction))
        {
            return new AuditSight(IsAll: true, []);
        }

        // A clinician's app in a patient's context is not the patient.
        if (scope.User is not { Role: UserRole.Patient })
        {
            return null;
        }

        var own = scope.Rules.Patients.Ids;
        var patients = new HashSet<string>(StringComparer.Ordinal);
        foreach (var granted in scope.Scopes.Where(one => one.Interactions.HasFlag(interaction) && one.Covers("AuditEvent") && one.Criteria.Count == 0))
        {
            patients.UnionWith(granted.Context switch
            {
                ScopeContext.User => own,
                ScopeContext.Patient => own.Where(patient => patient == scope.Patient),
                _ => [],
            });
        }

        return patients.Count == 0 ? null : new AuditSight(IsAll: false, patients);
    }

    public bool Covers(string? patient) => IsAll || (patient is not null && Patients.Contains(patient, StringComparer.Ordinal));
}

/// <summary>Where a page begins: a line, and of its events the one.</summary>
internal readonly record struct AuditPosition(long Key, int Number)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Key:x}-{Number}");

    public static AuditPosition? Parse(string text)
    {
        var parts = text.Split('-');
        return parts.Length == 2 && long.TryParse(parts[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var key)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? new AuditPosition(key, number) : null;
    }
}

/// <summary>A search of the audit: the stretch of lines to look through, and what must hold of their events.</summary>
internal sealed record AuditSearchPlan(long First, long Last, string? Patient, bool Descending, IReadOnlyList<SearchCriterion> Criteria, AuditPosition Start)
{
    public static Outcome<AuditSearchPlan> Of(SearchQuery query, AuditSight sight)
    {
        if (query.Includes.Count > 0 || query.CountOnly || query.Total != TotalMode.None || query.Sort.Any(key => key.Parameter.Code is not ("date" or "_lastUpdated"))
            || query.Criteria.FirstOrDefault(criterion => !LeavingCheck.CanDecide(criterion) && criterion is not SearchCriterion.Strings { Mode: StringMatchMode.StartsWith }) is not null)
        {
            return RepositoryIssues.AuditNotSearched();
        }

        var (first, last) = (0L, long.MaxValue);
        foreach (var dates in query.Criteria.OfType<SearchCriterion.Dates>().Where(dates => dates.Parameter!.Code == "date" && dates.Values.Count == 1))
        {
            (first, last) = (Math.Max(first, Bounds(dates.Values[0]).First), Math.Min(last, Bounds(dates.Values[0]).Last));
        }

        var descending = query.Sort.Count == 0 || query.Sort[0].Descending;
        AuditPosition? start = query.Cursor is null ? new AuditPosition(descending ? last : first, 0) : AuditPosition.Parse(query.Cursor);
        return start is not { } known ? SearchIssues.BadCursor() : new AuditSearchPlan(first, last, PatientOf(query, sight), descending, query.Criteria, known);
    }

    public AuditQuery From(AuditPosition position, int limit) =>
        Descending ? new AuditQuery(First, Math.Min(Last, position.Key), Patient, Descending, limit) : new AuditQuery(Math.Max(First, position.Key), Last, Patient, Descending, limit);

    private static (long First, long Last) Bounds(DateMatch match)
    {
        var (start, end) = (AuditKey.FirstOf(match.Start), AuditKey.FirstOf(match.End));
        return match.Prefix switch
        {
            SearchPrefix.Equal => (start, end),
            SearchPrefix.GreaterOrEqual or SearchPrefix.Greater or SearchPrefix.StartsAfter => (start, long.MaxValue),
            SearchPrefix.LessOrEqual or SearchPrefix.Less or SearchPrefix.EndsBefore => (0, end),
            _ => (0, long.MaxValue),
        };
    }

    // By the patient that is asked for, or the only one that may be; both are also looked for in the events.
    private static string? PatientOf(SearchQuery query, AuditSight sight)
    {
        var asked = query.Criteria.OfType<SearchCriterion.References>().FirstOrDefault(references => references.Parameter!.Code == "patient" && references.Values is [{ Type: "Patient" or null, Id: not null }]);
        return !sight.IsAll && sight.Patients.Count == 1 ? sight.Patients.First() : sight.IsAll && asked is null ? null : asked?.Values[0].Id;
    }
}
