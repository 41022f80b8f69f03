using FhirIomt.Access;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository;
using FhirIomt.Repository.Deciding;
using FhirIomt.Smart.Users;

namespace FhirIomt.Smart.Authorize;

/// <summary>An encounter as the picker shows one; times as they are stored, <c>Kind</c> in the words of whoever wrote it.</summary>
internal sealed record EncounterEntry(string Id, string? Kind, string? Start, string? End, string? Status, string? Place);

/// <param name="Next">Position of the next page, or null on the last.</param>
internal sealed record EncounterList(IReadOnlyList<EncounterEntry> Encounters, string? Next);

/// <summary>
/// Which encounters of a patient a person can choose for an app: exactly those that a search with the scope user/Encounter.rs would give them in it, by the same code, without
/// what was entered in error.
/// </summary>
internal sealed class EncounterChoice(ResourceRepository repository, AccessResolver access, SearchQueryParser parser, IndexPolicy policy)
{
    private const int PageSize = 20;

    private static readonly SearchParameter Date = FhirDefinitions.R4.SearchParameter("Encounter", "date")!;

    /// <summary>The newest first.</summary>
    public ValueTask<EncounterList> ListAsync(UserAccount user, string client, string patient, string? cursor, CancellationToken cancellationToken) =>
        SearchAsync(user, client, patient, id: null, cursor, cancellationToken);

    /// <summary>The encounter, when it is this patient's and this person may see it in that app: decided by the search that lists it, so that the two never differ.</summary>
    public async ValueTask<EncounterEntry?> FindAsync(UserAccount user, string client, string patient, string id, CancellationToken cancellationToken) =>
        PatientChoice.IsId(id) && await SearchAsync(user, client, patient, id, cursor: null, cancellationToken).ConfigureAwait(false) is { Encounters: [var found, ..] } ? found : null;

    private async ValueTask<EncounterList> SearchAsync(UserAccount user, string client, string patient, string? id, string? cursor, CancellationToken cancellationToken)
    {
        var asker = new AccessScope { Actor = $"user/{user.Id}", ClientId = client, User = user.ToAccessUser(), Scopes = [SmartScope.Parse("user/Encounter.rs", policy).Require()] };

        // When the policy cannot be carried out for this person, nothing is shown.
        if (!(await access.ResolveAsync(asker, cancellationToken).ConfigureAwait(false)).TryGetValue(out var scope, out _))
        {
            return new EncounterList([], null);
        }

        // Whom a policy hides the period from cannot have them in its order.
        var order = scope.Rules.Fields.ReadsHidden(Date) ? "-_lastUpdated" : "-date";
        List<SearchArgument> arguments = [new("patient", patient), new("status:not", "entered-in-error"), new("_sort", order)];
        if (id is not null)
        {
            arguments.Add(new SearchArgument("_id", id));
        }

        var query = parser.Parse("Encounter", arguments, lenient: false).Require() with { Count = PageSize, Cursor = cursor };
        return await repository.SearchAsync(query, scope, cancellationToken).ConfigureAwait(false) is SearchResult.Found { Page: var page }
            ? new EncounterList([.. page.Matches.Select(Entry)], page.Next)
            : new EncounterList([], null);
    }

    private static EncounterEntry Entry(StoredResource resource)
    {
        var root = JsonTree.Parse(resource.Body).Require().Root;
        var place = root["location"u8].First()["location"u8]["display"u8].AsString() ?? root["serviceProvider"u8]["display"u8].AsString();
        var kind = WordsOf(root["type"u8].First()) ?? root["class"u8]["display"u8].AsString() ?? root["class"u8]["code"u8].AsString();
        return new EncounterEntry(resource.Id, kind, root["period"u8]["start"u8].AsString(), root["period"u8]["end"u8].AsString(), root["status"u8].AsString(), place);
    }

    private static string? WordsOf(ResourceNode concept) => concept["text"u8].AsString() ?? concept["coding"u8].First()["display"u8].AsString();
}

/// <summary>What of the launch context a person chooses when an app starts by itself.</summary>
internal sealed class LaunchChoices(PatientChoice patients, EncounterChoice encounters)
{
    public PatientChoice Patients => patients;

    public EncounterChoice Encounters => encounters;
}
