using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Readings.Routes;

/// <summary>
/// Stores a reading that may come by several routes: once, as the route with the highest priority has it. Decided inside the transaction. Whoever comes first stays until
/// somebody with a higher priority comes, whose reading is a new version of the same resource.
/// </summary>
public sealed class RoutedReading : WriteOperation, IStoredReading
{
    private readonly ReadingOperation _alone;
    private readonly ReadingRoute _route;
    private readonly RouteTable _routes;
    private readonly string _moment;
    private (ReadingStatus Status, string Id, long Version) _outcome;

    private RoutedReading(ReadingOperation alone, ReadingRoute route, RouteTable routes, string moment) => (_alone, _route, _routes, _moment) = (alone, route, routes, moment);

    public WriteOperation Operation => this;

    public ReadingStatus Status => _outcome.Status;

    public string ResourceType => _alone.ResourceType;

    public string ResourceId => _outcome.Id;

    public string PatientId => _alone.PatientId;

    public string DeviceId => _alone.DeviceId;

    public long Version => _outcome.Version;

    public Issue? Notice { get; private set; }

    public override IReadOnlyList<(string Type, string Id)> Reads => _alone.Reads;

    /// <summary>The reading as one of its route; as it is when no other route could bring the same.</summary>
    public static IStoredReading Of(ReadingOperation alone, ReadingRoute route, RouteTable routes) =>
        alone is { ResourceType: "Observation", Reading: { IsEpisode: false, Window: null } } && RouteMoment.Of(route.Group, alone.PatientId, alone.Resource) is { } moment
            ? new RoutedReading(alone, route, routes, moment)
            : alone;

    public override void Run(IWriteTransaction transaction)
    {
        Notice = null;
        var own = transaction.Find(ResourceType, _alone.SourceId);
        var (moment, claim) = FindClaim(transaction, own);
        if (claim is null || transaction.Find(ResourceType, claim.ResourceId) is not { } existing)
        {
            RunAlone(transaction);
            new RouteClaim(ResourceId, _route.Name, _route.Priority, _alone.SourceId).Put(transaction, moment);
            return;
        }

        if (claim.RouteName == _route.Name)
        {
            RunAgain(transaction, claim, existing);
        }
        else if (own is not null && claim.ResourceId != _alone.SourceId)
        {
            // It was stored by itself before anybody said that these routes bring the same.
            RunAlone(transaction);
        }
        else
        {
            Meet(transaction, claim, existing, moment);
        }
    }

    // The resource under this reading's own key may hold the reading of another route by now.
    private (string Moment, RouteClaim? Claim) FindClaim(IWriteTransaction transaction, StoredResource? own)
    {
        var claim = RouteClaim.Find(transaction, _moment);
        return claim is null && own is not null && RouteClaim.MomentOfReplaced(transaction, own.Id) is { } moment && _alone.IsSameMoment(transaction, own)
            ? (moment, RouteClaim.Find(transaction, moment))
            : (_moment, claim);
    }

    // From the same route: a re-send, a correction, or another reading that only looks the same.
    private void RunAgain(IWriteTransaction transaction, RouteClaim claim, StoredResource existing)
    {
        if (claim.Source != _alone.SourceId || claim.ResourceId == _alone.SourceId)
        {
            RunAlone(transaction);
            return;
        }

        _alone.RunAt(transaction, existing);
        Take();
    }

    private void Meet(IWriteTransaction transaction, RouteClaim claim, StoredResource existing, string moment)
    {
        var stored = existing.IsDeleted ? default : JsonTree.Parse(existing.Body).Require().Root;
        if (existing.IsDeleted || stored["status"u8].AsString() == "entered-in-error")
        {
            // What was deleted or taken back stays so, by whichever route it comes again.
            _outcome = (ReadingStatus.Duplicate, existing.Id, existing.Version);
            return;
        }

        if (stored["subject"u8]["reference"u8].AsString() != $"Patient/{PatientId}")
        {
            RunAlone(transaction);
            return;
        }

        var priority = _routes.Named(claim.RouteName)?.Priority ?? claim.Priority;
        var place = $"{ResourceType}/{existing.Id}";
        if (_route.Priority <= priority)
        {
            _outcome = (ReadingStatus.Duplicate, existing.Id, existing.Version);
            Notice = RouteIssues.Kept(place, claim.RouteName, isSame: RouteMoment.SameValue(stored, _alone.Resource));
            return;
        }

        _alone.Replace(transaction, existing);
        Take();
        Notice = RouteIssues.Replaced(place, claim.RouteName);
        new RouteClaim(existing.Id, _route.Name, _route.Priority, _alone.SourceId).Put(transaction, moment);
        RouteClaim.PutReplaced(transaction, existing.Id, moment);
    }

    private void RunAlone(IWriteTransaction transaction)
    {
        _alone.Run(transaction);
        Take();
    }

    private void Take() => _outcome = (_alone.Status, _alone.ResourceId, _alone.Version);
}

/// <summary>What a receipt says of readings that come by several routes: IOMT-0545 to IOMT-0547. None refuses anything.</summary>
internal static class RouteIssues
{
    public static Issue Kept(string place, string route, bool isSame) => isSame
        ? new Issue(IssueSeverity.Information, IssueKind.Duplicate, "IOMT-0545", $"{place} is the same reading, by the route '{route}', whose priority is not lower: this one was not stored.")
        : Issue.Warning(IssueKind.Conflict, "IOMT-0546", $"{place} is the reading of that moment by the route '{route}', whose priority is not lower, and has another value: this one was not stored.", fix: "If this route is the better one, give it a higher priority by 'fhiriomt route set' and send again.");

    public static Issue Replaced(string place, string route) =>
        new(IssueSeverity.Information, IssueKind.Informational, "IOMT-0547", $"{place} was the same reading by the route '{route}', whose priority is lower; that is the version before.");
}
