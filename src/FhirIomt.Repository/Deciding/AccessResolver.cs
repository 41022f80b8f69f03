using FhirIomt.Access;
using FhirIomt.Access.Policies;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Deciding;

/// <summary>
/// Gives a scope its rules: which patients the person's policy means. Found by searches of the server's own and remembered until the store's access generation
/// moves, so a change of a care team acts with the next request on this node, and within a second on others.
/// </summary>
public sealed class AccessResolver(IStore store, SearchQueryParser parser, SearchIndexer indexer, AccessPolicies policies, TimeProvider time)
{
    // Callers at once on one node. A person with 100 patients takes 10 KB.
    private const int MaxRemembered = 5_000;

    private readonly GenerationCache<AccessRules> _rules = new(() => store.AccessGeneration, MaxRemembered);

    /// <returns>The scope with its rules, or why there are none.</returns>
    public async ValueTask<Outcome<AccessScope>> ResolveAsync(AccessScope scope, CancellationToken cancellationToken)
    {
        if (scope.IsServer || scope.User is null)
        {
            return scope;
        }

        var remembered = _rules.Now();
        var key = $"{scope.ClientId}|{scope.User.Id}|{scope.User.Role}|{scope.User.FhirUser}";
        if (!remembered.TryGet(key, out var rules) || rules.Until <= time.GetUtcNow())
        {
            if (!(await FindAsync(scope, cancellationToken).ConfigureAwait(false)).TryGetValue(out rules, out var issues))
            {
                return Outcome<AccessScope>.Refused(issues);
            }

            remembered.Remember(key, rules);
        }

        return scope with { Rules = rules };
    }

    private async ValueTask<Outcome<AccessRules>> FindAsync(AccessScope scope, CancellationToken cancellationToken)
    {
        var user = scope.User!;
        var policy = policies.For(user.Role);
        var patients = new HashSet<string>(StringComparer.Ordinal);
        foreach (var search in policy.Patients)
        {
            if (search == RolePolicy.FhirUser)
            {
                await AddSelfAsync(user.FhirUser, patients, cancellationToken).ConfigureAwait(false);
            }
            else if (RolePolicy.For(search, user.FhirUser) is { } bound)
            {
                await AddAsync(bound, patients, cancellationToken).ConfigureAwait(false);
            }

            if (patients.Count > PatientSet.MaxPatients)
            {
                return RepositoryIssues.TooManyPatients(PatientSet.MaxPatients);
            }
        }

        return new AccessRules { Policy = policy.Bind(user.FhirUser, parser), Patients = PatientSet.Of(patients) };
    }

    // A patient is itself, and somebody related to a patient acts for that one while the relation stands.
    private async ValueTask AddSelfAsync(string? fhirUser, HashSet<string> patients, CancellationToken cancellationToken)
    {
        switch (fhirUser?.Split('/'))
        {
            case ["Patient", var id]:
                patients.Add(id);
                break;
            case ["RelatedPerson", var id] when await store.ReadAsync("RelatedPerson", id, cancellationToken).ConfigureAwait(false) is { IsDeleted: false } related:
                var root = JsonTree.Parse(related.Body).Require().Root;
                if (root["active"u8] is not { Exists: true, Kind: NodeKind.False } && PatientCompartment.OwnerOf("RelatedPerson", root, indexer.ServerBase) is { } patient)
                {
                    patients.Add(patient);
                }

                break;
        }
    }

    private async ValueTask AddAsync(string search, HashSet<string> patients, CancellationToken cancellationToken)
    {
        var (type, criteria) = search.Split('?', 2) is [var head, var tail] ? (head, tail) : (search, "");
        var query = SearchCondition.Parse(parser, type, criteria).Require() with { Count = SearchLimits.MaxCount };
        do
        {
            var page = (await store.SearchAsync(query, SearchAccess.Everything, cancellationToken).ConfigureAwait(false)).Require();
            foreach (var match in page.Matches)
            {
                if (type == "Patient")
                {
                    patients.Add(match.Id);
                }
                else if (PatientCompartment.OwnerOf(type, JsonTree.Parse(match.Body).Require().Root, indexer.ServerBase) is { } patient)
                {
                    patients.Add(patient);
                }
            }

            query = query with { Cursor = page.Next };
        }
        while (query.Cursor is not null && patients.Count <= PatientSet.MaxPatients);
    }
}
