using System.Collections.Concurrent;

namespace FhirIomt.Validation.Base;

/// <summary>
/// What terminology has answered about codes that a binding's list does not have. Devices send the same few again and again, and a slice that is told by
/// its binding asks about every entry: a heart rate spent 14 % of its validation on one such question. Safe for many threads.
/// </summary>
internal sealed class AskedCodes
{
    // For one binding. Texts from outside beyond that are asked each time.
    private const int MaxKept = 1024;

    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, bool>> _bySystem = new(StringComparer.Ordinal);
    private int _kept;

    /// <summary>Null when not asked before.</summary>
    public bool? Find(ReadOnlySpan<char> system, ReadOnlySpan<char> code) =>
        _bySystem.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(system, out var codes) && codes.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(code, out var holds) ? holds : null;

    public bool Keep(ReadOnlySpan<char> system, ReadOnlySpan<char> code, bool holds)
    {
        if (Volatile.Read(ref _kept) < MaxKept)
        {
            Interlocked.Increment(ref _kept);
            _bySystem.GetOrAdd(system.ToString(), static _ => new(StringComparer.Ordinal)).TryAdd(code.ToString(), holds);
        }

        return holds;
    }
}
