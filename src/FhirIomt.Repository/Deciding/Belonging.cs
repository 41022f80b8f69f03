using FhirIomt.Access;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Deciding;

/// <summary>What a person is and belongs to, as a consent may name it: itself, its roles and their organizations with those that they are part of, its care teams, its groups.</summary>
internal sealed class Belonging(IStore store, SearchQueryParser parser)
{
    // More than anybody belongs to; a person in ten thousand groups must not make each request read them.
    private const int MaxOfAKind = 1000;

    public async ValueTask<IReadOnlySet<string>> OfAsync(string? fhirUser, CancellationToken cancellationToken)
    {
        var references = new HashSet<string>(StringComparer.Ordinal);
        if (fhirUser is null)
        {
            return references;
        }

        references.Add(fhirUser);
        if (fhirUser.StartsWith("Practitioner/", StringComparison.Ordinal))
        {
            foreach (var role in await FindAsync("PractitionerRole", "practitioner", fhirUser, cancellationToken).ConfigureAwait(false))
            {
                references.Add($"PractitionerRole/{role.Id}");
                if (Organization(role.Body, "organization") is { } organization)
                {
                    references.UnionWith(await WithParentsAsync(organization, cancellationToken).ConfigureAwait(false));
                }
            }
        }

        references.UnionWith((await FindAsync("CareTeam", "participant", fhirUser, cancellationToken).ConfigureAwait(false)).Select(team => $"CareTeam/{team.Id}"));
        references.UnionWith((await FindAsync("Group", "member", fhirUser, cancellationToken).ConfigureAwait(false)).Select(group => $"Group/{group.Id}"));
        return references;
    }

    /// <summary>An organization and all that it is part of: who refuses a hospital refuses its wards.</summary>
    public async ValueTask<IReadOnlySet<string>> WithParentsAsync(string organization, CancellationToken cancellationToken)
    {
        const int MaxLevels = 20;
        var all = new HashSet<string>(StringComparer.Ordinal);
        for (var next = organization; next is not null && all.Count < MaxLevels && all.Add(next);)
        {
            next = await store.ReadAsync("Organization", next.Split('/')[1], cancellationToken).ConfigureAwait(false) is { IsDeleted: false } found ? Organization(found.Body, "partOf") : null;
        }

        return all;
    }

    private static string? Organization(ReadOnlyMemory<byte> body, string element) =>
        PatientCompartment.Referred(JsonTree.Parse(body).Require().Root, element, serverBase: null) is ("Organization", var id) ? $"Organization/{id}" : null;

    private async ValueTask<IReadOnlyList<StoredResource>> FindAsync(string type, string parameter, string reference, CancellationToken cancellationToken)
    {
        var query = new SearchQuery { ResourceType = type, Criteria = [parser.ParseCriterion(type, parameter, SearchQueryParser.Escape(reference)).Require()], Count = MaxOfAKind };
        return (await store.SearchAsync(query, SearchAccess.Everything, cancellationToken).ConfigureAwait(false)).Require().Matches;
    }
}
