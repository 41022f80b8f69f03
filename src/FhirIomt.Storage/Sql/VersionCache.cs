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
    // Beside its bytes: the resource, its id, its place in the table.
    private const int Overhead = 250;

    private Half _young = new();
    private Half _old = new();

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
