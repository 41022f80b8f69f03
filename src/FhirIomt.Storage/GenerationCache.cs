using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace FhirIomt.Storage;

/// <summary>
/// Remembers what was looked up, as long as the store's generation stays. The generation and what was found under it are one object, so nobody who has seen
/// a change can get an answer from before it.
/// </summary>
/// <param name="capacity">Beyond it nothing more is remembered until the generation moves.</param>
public sealed class GenerationCache<TValue>(Func<long> generationOf, int capacity)
    where TValue : class
{
    public GenerationCache(IStore store, int capacity)
        : this(() => store.Generation, capacity)
    {
    }

    private Remembered _current = new(-1, capacity);

    /// <summary>What is remembered at this moment. Take it before looking anything up: a value found later belongs to this moment or a later one.</summary>
    public Remembered Now()
    {
        var generation = generationOf();
        var current = Volatile.Read(ref _current);
        if (current.Generation != generation)
        {
            current = new Remembered(generation, capacity);
            Volatile.Write(ref _current, current);
        }

        return current;
    }

    public sealed class Remembered(long generation, int capacity)
    {
        private readonly ConcurrentDictionary<string, TValue> _values = new(StringComparer.Ordinal);
        private int _count;

        internal long Generation => generation;

        public bool TryGet(string key, [MaybeNullWhen(false)] out TValue value) => _values.TryGetValue(key, out value);

        public void Remember(string key, TValue value)
        {
            if (Volatile.Read(ref _count) < capacity && _values.TryAdd(key, value))
            {
                Interlocked.Increment(ref _count);
            }
            else if (_values.ContainsKey(key))
            {
                // What was remembered may have ended by itself.
                _values[key] = value;
            }
        }
    }
}
