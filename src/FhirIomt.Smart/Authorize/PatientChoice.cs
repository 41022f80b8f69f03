using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository;
using FhirIomt.Repository.Deciding;
using FhirIomt.Smart.Pages;
using FhirIomt.Smart.Users;

namespace FhirIomt.Smart.Authorize;

/// <summary>A patient as the picker shows one.</summary>
internal sealed record PatientEntry(string Id, string? Name, string? BirthDate, string? Identifier);

/// <param name="Next">Position of the next page, or null on the last.</param>
internal sealed record PatientList(IReadOnlyList<PatientEntry> Patients, string? Next, bool IsRefused = false);

internal sealed record PatientSearch(string? Name, string? BirthDate, string? Identifier, string? Cursor);

/// <summary>Which patients a person can choose for an app: exactly those that a search with the scope user/Patient.rs would give them in it, by the same code. Whoever refused the app is not among them.</summary>
internal sealed class PatientChoice(ResourceRepository repository, AccessResolver access, SearchQueryParser parser, IndexPolicy policy)
{
    private const int PageSize = 20;

    /// <summary>A patient is their own, and nobody else's; everyone else chooses.</summary>
    public static string? OwnOf(UserAccount user) => user.Role == UserRole.Patient ? user.FhirUser!["Patient/".Length..] : null;

    public async ValueTask<PatientList> SearchAsync(UserAccount user, string client, PatientSearch search, CancellationToken cancellationToken)
    {
        List<SearchArgument> arguments = [];
        Add("name", search.Name);
        Add("birthdate", search.BirthDate);
        Add("identifier", search.Identifier);
        if (!parser.Parse("Patient", arguments, lenient: false).TryGetValue(out var query, out _))
        {
            return new PatientList([], null, IsRefused: true);
        }

        return await ScopeAsync(user, client, cancellationToken).ConfigureAwait(false) is { } scope
            && await repository.SearchAsync(query with { Count = PageSize, Cursor = search.Cursor }, scope, cancellationToken).ConfigureAwait(false) is SearchResult.Found { Page: var page }
            ? new PatientList([.. page.Matches.Select(Entry)], page.Next)
            : new PatientList([], null);

        void Add(string name, string? value)
        {
            if (!string.IsNullOrWhiteSpace(value))
            {
                arguments.Add(new SearchArgument(name, SearchQueryParser.Escape(value.Trim())));
            }
        }
    }

    /// <summary>The patient, when this person may see it in that app.</summary>
    public async ValueTask<PatientEntry?> FindAsync(UserAccount user, string client, string id, CancellationToken cancellationToken) =>
        IsId(id) && await ScopeAsync(user, client, cancellationToken).ConfigureAwait(false) is { } scope
            && await repository.ReadAsync("Patient", id, scope, cancellationToken).ConfigureAwait(false) is ReadResult.Found found ? Entry(found.Resource) : null;

    /// <summary>The patient of a launch, or a person's own: known by id already, only to be shown by name.</summary>
    public async ValueTask<PatientEntry?> NameAsync(string id, CancellationToken cancellationToken) =>
        await repository.ReadAsync("Patient", id, AccessScope.Server, cancellationToken).ConfigureAwait(false) is ReadResult.Found found ? Entry(found.Resource) : null;

    /// <summary>A FHIR id (R4 §2.24.0.1).</summary>
    public static bool IsId(string text) => text.Length is > 0 and <= 64 && text.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '.');

    // Null when the policy cannot be carried out for this person; then nobody is shown.
    private async ValueTask<AccessScope?> ScopeAsync(UserAccount user, string client, CancellationToken cancellationToken)
    {
        var scope = new AccessScope { Actor = $"user/{user.Id}", ClientId = client, User = user.ToAccessUser(), Scopes = [SmartScope.Parse("user/Patient.rs", policy).Require()] };
        return (await access.ResolveAsync(scope, cancellationToken).ConfigureAwait(false)).TryGetValue(out var resolved, out _) ? resolved : null;
    }

    private static PatientEntry Entry(StoredResource resource)
    {
        var root = JsonTree.Parse(resource.Body).Require().Root;
        return new PatientEntry(resource.Id, NameOf(root["name"u8].First()), root["birthDate"u8].AsString(), root["identifier"u8].First()["value"u8].AsString());
    }

    /// <summary>A HumanName as one text.</summary>
    public static string? NameOf(ResourceNode name)
    {
        if (name["text"u8].AsString() is { } text)
        {
            return text;
        }

        var parts = new List<string>();
        foreach (var given in name["given"u8].Items)
        {
            parts.Add(given.AsString() ?? "");
        }

        parts.Add(name["family"u8].AsString() ?? "");
        var joined = string.Join(' ', parts.Where(part => part.Length > 0));
        return joined.Length > 0 ? joined : null;
    }
}
