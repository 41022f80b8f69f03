using FhirIomt.Access;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Deciding;

/// <summary>What a person is and belongs to, as a consent may name it: itself, its roles and their organizations, its care teams, its groups.</summary>
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
                if (PatientCompartment.Referred(JsonTree.Parse(role.Body).Require().Root, "organization", serverBase: null) is var (type, id))
                {
                    references.Add($"{type}/{id}");
                }
            }
        }

        references.UnionWith((await FindAsync("CareTeam", "participant", fhirUser, cancellationToken).ConfigureAwait(false)).Select(team => $"CareTeam/{team.Id}"));
        references.UnionWith((await FindAsync("Group", "member", fhirUser, cancellationToken).ConfigureAwait(false)).Select(group => $"Group/{group.Id}"));
        return references;
    }

    private async ValueTask<IReadOnlyList<StoredResource>> FindAsync(string type, string parameter, string reference, CancellationToken cancellationToken)
    {
        var query = new SearchQuery { ResourceType = type, Criteria = [parser.ParseCriterion(type, parameter, SearchQueryParser.Escape(reference)).Require()], Count = MaxOfAKind };
        return (await store.SearchAsync(query, SearchAccess.Everything, cancellationToken).ConfigureAwait(false)).Require().Matches;
    }
}
