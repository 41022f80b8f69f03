using System.Diagnostics.CodeAnalysis;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql.Searching;

/// <summary>
/// Reads the matches that a statement finds by their keys alone, and from the store what is not in memory (docs/adr/0021): where statements are round trips by one for all, which needs no snapshot,
/// since a key is one version for ever. Large pages are read whole, and all while memory has little of what is asked for.
/// </summary>
internal sealed class PageReader
{
    private readonly SqlConnection _connection;
    private readonly CatalogView _catalog;
    private readonly VersionCache? _versions;
    private readonly int _room;

    // Whole records are asked for once: they would drive out what is asked for again and again, and be read by a statement more each time.
    private const int MaxKept = 200;

    /// <param name="count">How many a page has at most.</param>
    public PageReader(SqlEngine engine, SqlConnection connection, CatalogView catalog, int count)
    {
        _connection = connection;
        _catalog = catalog;
        _room = Math.Min(count, MaxKept) + 1;

        // What the writer sees may be undone, and its key be given to something else.
        _versions = connection.IsReadOnly && count <= MaxKept && engine.Versions is { IsWorthAsking: true } versions ? versions : null;
    }

    /// <summary>Joins keys <c>m</c> with their resources, where those are sent.</summary>
    public string Join => _versions is null ? $" {_connection.Dialect.OrderedJoin} resource r ON r.key=m.key" : "";

    /// <summary>What a statement selects of its resources <c>r</c>, behind all else.</summary>
    public string Columns => _versions is null ? ", r.id, r.version, r.body" : "";

    /// <param name="select">Selects the key first, and <see cref="Columns"/> last.</param>
    /// <param name="own">How many columns come before the last ones.</param>
    /// <param name="place">Reads those.</param>
    public List<(StoredResource Resource, T Place)> Read<T>(Condition select, string type, int own, Func<SqlStatement.Rows, T> place)
    {
        var found = new List<(StoredResource? Resource, T Place)>(_room);
        var inMemory = 0;
        var missing = new List<(int Index, long Key)>();
        using (var run = select.Prepare(_connection).Run())
        {
            while (run.Step())
            {
                var key = run.Int64(0);
                StoredResource? version = null;
                if (_versions is null)
                {
                    version = new StoredResource(type, run.Text(own), run.Int64(own + 1), ResourceKey.TimeOf(key), run.Blob(own + 2));
                }
                else if (_versions.TryGet(key, out version))
                {
                    inMemory++;
                }
                else if (!TryFetch(key, type, out version))
                {
                    missing.Add((found.Count, key));
                }

                found.Add((version, place(run)));
            }
        }

        _versions?.Learn(inMemory, found.Count);
        if (missing.Count > 0)
        {
            Fill(found, missing, type);
        }

        // Most pages have all of theirs: copied without what lacks, each was copied twice.
        found.RemoveAll(one => one.Resource is null);
        return found!;
    }

    /// <summary>The matches at places that the same snapshot found, by an engine in process.</summary>
    public List<(StoredResource Resource, T Place)> ReadAt<T>(List<T> places, Func<T, long> keyOf, string type)
    {
        var found = new List<(StoredResource, T)>(places.Count);
        var inMemory = 0;
        foreach (var place in places)
        {
            var key = keyOf(place);
            if (_versions?.TryGet(key, out var version) == true)
            {
                inMemory++;
            }
            else if (!TryFetch(key, type, out version))
            {
                continue;
            }

            found.Add((version, place));
        }

        _versions?.Learn(inMemory, places.Count);
        return found;
    }

    // Where a statement costs no round trip, the rows are read one by one, as a join would: the snapshot that found the key has it.
    private bool TryFetch(long key, string type, [NotNullWhen(true)] out StoredResource? version)
    {
        version = null;
        if (_connection.Dialect.IsInProcess)
        {
            using var run = _connection.Prepare("SELECT id, version, body FROM resource WHERE key=?").Add(key).Run();
            if (run.Step())
            {
                version = new StoredResource(type, run.Text(0), run.Int64(1), ResourceKey.TimeOf(key), run.Blob(2));
                _versions?.Add(key, version);
            }
        }

        return version is not null;
    }

    private void Fill<T>(List<(StoredResource? Resource, T Place)> found, List<(int Index, long Key)> missing, string type)
    {
        var indexes = missing.ToDictionary(one => one.Key, one => one.Index);
        Fetch("resource", found, indexes, type);
        if (indexes.Count > 0)
        {
            // Replaced since it was found.
            Fetch("resource_history", found, indexes, type);
        }

        if (indexes.Count > 0)
        {
            _catalog.Lacks();
        }
    }

    private void Fetch<T>(string table, List<(StoredResource? Resource, T Place)> found, Dictionary<long, int> indexes, string type)
    {
        using var run = new Condition($"SELECT key, id, version, body FROM {table} WHERE ").Append(_connection.Dialect.InNumbers("key", string.Join(',', indexes.Keys))).Prepare(_connection).Run();
        while (run.Step())
        {
            var key = run.Int64(0);
            if (indexes.Remove(key, out var index))
            {
                var version = new StoredResource(type, run.Text(1), run.Int64(2), ResourceKey.TimeOf(key), run.Blob(3));
                _versions!.Add(key, version);
                found[index] = (version, found[index].Place);
            }
        }
    }
}
