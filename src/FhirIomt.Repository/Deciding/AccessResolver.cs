using FhirIomt.Access;
using FhirIomt.Access.Consents;
using FhirIomt.Access.Policies;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Deciding;

/// <summary>
/// Gives a scope its rules: which patients the person's policy means, and what consents and labels withhold. Found by searches of the server's own and remembered
/// until the store's access generation moves, so a change of a care team or a consent acts with the next request on this node, and within a second on others.
/// </summary>
public sealed class AccessResolver(IStore store, SearchQueryParser parser, SearchIndexer indexer, IndexPolicy index, AccessPolicies policies, TimeProvider time, IClientOrganizations organizations)
{
    // Callers at once on one node. A person with 100 patients takes 10 KB.
    private const int MaxRemembered = 5_000;

    private readonly GenerationCache<AccessRules> _rules = new(() => store.AccessGeneration, MaxRemembered);
    private readonly GenerationCache<Resolved> _resolved = new(() => store.AccessGeneration, MaxRemembered);
    private readonly ConsentBook _consents = new(store, parser, indexer);

    /// <returns>The scope with its rules, or why there are none.</returns>
    public async ValueTask<Outcome<AccessScope>> ResolveAsync(AccessScope scope, CancellationToken cancellationToken)
    {
        if (scope.IsServer)
        {
            return scope;
        }

        var resolved = _resolved.Now();
        if (scope.TokenReference is { } token && resolved.TryGet(token, out var known) && ReferenceEquals(known.Of, scope) && !(known.Scope.Rules.Until <= time.GetUtcNow()))
        {
            return known.Scope;
        }

        var found = await RulesOfAsync(scope, cancellationToken).ConfigureAwait(false);
        if (!found.TryGetValue(out var rules, out var issues))
        {
            return Outcome<AccessScope>.Refused(issues);
        }

        var whole = scope.By(rules);
        if (scope.TokenReference is not null)
        {
            resolved.Remember(scope.TokenReference, new Resolved(scope, whole));
        }

        return whole;
    }

    // The same for all tokens of a person in an app, or of a client that acts for itself.
    private async ValueTask<Outcome<AccessRules>> RulesOfAsync(AccessScope scope, CancellationToken cancellationToken)
    {
        var remembered = _rules.Now();
        var key = scope.User is { } user ? $"{scope.ClientId}|{user.Id}|{user.Role}|{user.FhirUser}" : scope.ClientId ?? "";
        if (remembered.TryGet(key, out var rules) && !(rules.Until <= time.GetUtcNow()))
        {
            return rules;
        }

        var found = await FindAsync(scope, cancellationToken).ConfigureAwait(false);
        if (found.TryGetValue(out rules, out _))
        {
            remembered.Remember(key, rules);
        }

        return found;
    }

    private async ValueTask<Outcome<AccessRules>> FindAsync(AccessScope scope, CancellationToken cancellationToken)
    {
        var user = scope.User;
        var policy = user is null ? policies.Client : policies.For(user.Role);
        var patients = new HashSet<string>(StringComparer.Ordinal);
        foreach (var search in user is null ? [] : policy.Patients)
        {
            if (search == RolePolicy.FhirUser)
            {
                await AddSelfAsync(user!.FhirUser, patients, cancellationToken).ConfigureAwait(false);
            }
            else if (RolePolicy.For(search, user!.FhirUser) is { } bound)
            {
                await AddAsync(bound, patients, cancellationToken).ConfigureAwait(false);
            }

            if (patients.Count > PatientSet.MaxPatients)
            {
                return RepositoryIssues.TooManyPatients(PatientSet.MaxPatients);
            }
        }

        var opened = user is null ? Emergency.None : await Emergency.OfAsync(store, user.Id, time.GetUtcNow(), cancellationToken).ConfigureAwait(false);
        patients.UnionWith(opened.Patients.Ids);
        var (limits, until) = await LimitsAsync(scope, policy, opened.Patients, cancellationToken).ConfigureAwait(false);
        var rules = new AccessRules
        {
            Policy = user is null ? null : policy.Bind(user.FhirUser, parser),
            Patients = PatientSet.Of(patients),
            Emergency = opened.Patients,
            Limits = limits,
            Fields = policy.Fields,
            MayRelabel = policy.MayRelabel,
            Until = until is null || opened.Until < until ? opened.Until ?? until : until,
        };
        return user is null && ReferenceEquals(limits, AccessLimits.None) && until is null && !rules.MayRelabel && ReferenceEquals(rules.Fields, FieldRules.None) ? AccessRules.None : rules;
    }

    private async ValueTask<(AccessLimits Limits, DateTimeOffset? Until)> LimitsAsync(AccessScope scope, RolePolicy policy, PatientSet emergency, CancellationToken cancellationToken)
    {
        var consents = await _consents.ReadAsync(cancellationToken).ConfigureAwait(false);
        var references = consents.Count > 0 ? await ReferencesAsync(scope, cancellationToken).ConfigureAwait(false) : null;
        var caller = new ConsentCaller(scope.ClientId, references, scope.User?.FhirUser, scope.User?.Role, emergency);
        var reading = new ConsentReading(caller, time.GetUtcNow());
        var refusing = new Dictionary<string, (ConsentCondition Condition, List<string> Patients)>(StringComparer.Ordinal);
        foreach (var consent in consents)
        {
            if (reading.Withheld(consent) is var condition and not ConsentCondition.Never)
            {
                refusing.TryAdd(condition.Text, (condition, []));
                refusing[condition.Text].Patients.Add(consent.PatientId);
            }
        }

        var own = scope.ClientId is { } client ? consents.Where(consent => consent.Root.Names(client)).Select(consent => consent.Id).ToList() : [];
        return refusing.Count == 0 && own.Count == 0 && Confidentiality.Above(policy.Confidentiality).Count == 0
            ? (AccessLimits.None, reading.Until)
            : (new ConsentLimits(index, [.. refusing.Values.Select(group => (group.Condition, PatientSet.Of(group.Patients)))], policy.Confidentiality, emergency, own, scope.User is null), reading.Until);
    }

    private async ValueTask<IReadOnlySet<string>?> ReferencesAsync(AccessScope scope, CancellationToken cancellationToken)
    {
        var belonging = new Belonging(store, parser);
        return scope.User is { } user ? await belonging.OfAsync(user.FhirUser, cancellationToken).ConfigureAwait(false)
            : scope.ClientId is { } client && await organizations.OrganizationOfAsync(client, cancellationToken).ConfigureAwait(false) is { } organization
                ? await belonging.WithParentsAsync(organization, cancellationToken).ConfigureAwait(false)
                : null;
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

    /// <param name="Of">As the token gave it: another object once the token is looked up anew.</param>
    private sealed record Resolved(AccessScope Of, AccessScope Scope);
}
