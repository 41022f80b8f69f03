using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql;

/// <summary>
/// Versions that were read lately, by their keys. A version never changes, so nothing here can be out of date: which versions there are the store says each time, only their bytes are not
/// sent again. What was not asked for since half of the room was filled makes way.
/// </summary>
/// <param name="limit">Bytes.</param>
internal sealed class VersionCache(long limit)
{
    // Beside its bytes: the resource, its id, what was read from it, its place in the table.
    private const int Overhead = 600;

    // A page that is here costs three quarters of one that is read, and one that is not costs a fifth more (docs/performance.md).
    private const double PayingShare = 0.5;

    // While it does not pay, one page in so many looks whether it does again.
    private const int PagesBetweenLooks = 16;

    private Half _young = new();
    private Half _old = new();
    private double _share = 1;

    /// <summary>Whether the next page should be looked for here: most of the last pages were found, or it is time to look again. Callers who ask for always other records are better served without.</summary>
    public bool IsWorthAsking => Volatile.Read(ref _share) >= PayingShare || Random.Shared.Next(PagesBetweenLooks) == 0;

    /// <summary>Hears how much of a page was here; of two who tell it at once one may be lost.</summary>
    public void Learn(int found, int asked)
    {
        if (asked > 0)
        {
            Volatile.Write(ref _share, (Volatile.Read(ref _share) * 15 / 16) + ((double)found / asked / 16));
        }
    }

    public bool TryGet(long key, [MaybeNullWhen(false)] out StoredResource version)
    {
        if (Volatile.Read(ref _young).Versions.TryGetValue(key, out version))
        {
            return true;
        }

        if (!Volatile.Read(ref _old).Versions.TryGetValue(key, out version))
        {
            return false;
        }

        Add(key, version);
        return true;
    }

    public void Add(long key, StoredResource version)
    {
        var young = Volatile.Read(ref _young);
        if (!young.Versions.TryAdd(key, version) || Interlocked.Add(ref young.Bytes, version.Body.Length + Overhead) < limit / 2)
        {
            return;
        }

        // One of those who fill it at the same moment turns the page.
        if (Interlocked.CompareExchange(ref _young, new Half(), young) == young)
        {
            Volatile.Write(ref _old, young);
        }
    }

    private sealed class Half
    {
        public ConcurrentDictionary<long, StoredResource> Versions { get; } = new();

        public long Bytes;
    }
}
