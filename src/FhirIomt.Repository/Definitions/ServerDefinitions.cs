using FhirIomt.Access;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository.Searching;
using FhirIomt.Storage;
using FhirIomt.Validation;

namespace FhirIomt.Repository.Definitions;

/// <summary>
/// The validator and terminology of the moment: R4's definitions, the server's own, and the StructureDefinitions, ValueSets, CodeSystems, ConceptMaps and SearchParameters that are
/// stored. What is stored never stands for what is built in, so nobody can change by a POST what everybody else is checked against.
/// </summary>
public sealed class ServerDefinitions(IStore store, FhirDefinitions definitions, CustomParameters parameters) : IDisposable
{
    /// <summary>The types whose resources define something.</summary>
    public static IReadOnlyList<string> Types { get; } = ["StructureDefinition", "ValueSet", "CodeSystem", "ConceptMap", "SearchParameter"];

    // US Core has about 300 definitions, a national guide about a thousand; beyond this the rest is stored but not used.
    private const int MaxDefinitions = 10_000;
    private const long MaxBytes = 128L * 1024 * 1024;

    private readonly ProfileCatalog _builtIn = ProfileCatalog.BuiltIn(definitions);
    private readonly SemaphoreSlim _refreshing = new(1);
    private Loaded? _loaded;
    private ResourceValidator? _first;

    /// <summary>Of the last <see cref="RefreshAsync"/>; before the first one, with what is built in.</summary>
    public ResourceValidator Validator => Volatile.Read(ref _loaded)?.Validator ?? LazyInitializer.EnsureInitialized(ref _first, () => new ResourceValidator(_builtIn));

    /// <summary>Whether that profile, a canonical with or without version, can be validated against.</summary>
    public bool Knows(string profile) => (Volatile.Read(ref _loaded)?.Catalog ?? _builtIn).Profile(profile) is not null || definitions.Type(BaseName(profile)) is not null;

    /// <summary>Takes up what has been written since, by whichever process; costs five look-ups when nothing was.</summary>
    public async ValueTask RefreshAsync(CancellationToken cancellationToken)
    {
        await _refreshing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var newest = await NewestAsync(cancellationToken).ConfigureAwait(false);
            var changed = _loaded?.Newest != newest && (newest.Length > 0 || _loaded is not null);
            if (changed)
            {
                var catalog = _builtIn.WithUnread(await ReadAsync(cancellationToken).ConfigureAwait(false));
                Volatile.Write(ref _loaded, new Loaded(newest, catalog, new ResourceValidator(catalog)));
            }

            await parameters.RefreshAsync(_builtIn.Library.Added("SearchParameter"), changed, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _refreshing.Release();
        }
    }

    public void Dispose() => _refreshing.Dispose();

    /// <summary>The newest version of each type, as a text that changes with every write.</summary>
    private async ValueTask<string> NewestAsync(CancellationToken cancellationToken)
    {
        var newest = new List<string>();
        foreach (var type in Types)
        {
            var page = await store.HistoryAsync(new HistoryQuery { Type = type, Count = 1 }, cancellationToken).ConfigureAwait(false);
            newest.AddRange(page.Require().Versions.Select(version => $"{version.Id}/{version.Version}/{version.LastUpdated.UtcTicks}"));
        }

        return string.Join(' ', newest);
    }

    private async ValueTask<List<JsonTree>> ReadAsync(CancellationToken cancellationToken)
    {
        var (trees, bytes) = (new List<JsonTree>(), 0L);
        foreach (var type in Types)
        {
            var query = new SearchQuery { ResourceType = type, Count = SearchLimits.MaxCount };
            do
            {
                var page = (await store.SearchAsync(query, SearchAccess.Everything, cancellationToken).ConfigureAwait(false)).Require();
                foreach (var stored in page.Matches)
                {
                    var tree = JsonTree.Parse(stored.Body).Require();
                    bytes += stored.Body.Length;
                    if (trees.Count < MaxDefinitions && bytes <= MaxBytes && tree.Root["url"u8].AsString() is { } url && !IsBuiltIn(type, url))
                    {
                        trees.Add(tree);
                    }
                }

                query = query with { Cursor = page.Next };
            }
            while (query.Cursor is not null);
        }

        return trees;
    }

    private static string BaseName(string profile)
    {
        const string Base = "http://hl7.org/fhir/StructureDefinition/";
        return profile.StartsWith(Base, StringComparison.Ordinal) ? profile[Base.Length..] : "";
    }

    private bool IsBuiltIn(string type, string url) => _builtIn.Library.Find(type, new Canonical(url, null)) is not null;

    private sealed record Loaded(string Newest, ProfileCatalog Catalog, ResourceValidator Validator);
}
