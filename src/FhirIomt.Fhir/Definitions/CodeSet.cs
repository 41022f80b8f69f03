using System.Collections.Frozen;

namespace FhirIomt.Fhir.Definitions;

/// <summary>The codes of a value set whose content can be listed. Codes compare exactly, letter case included.</summary>
public sealed class CodeSet
{
    private readonly FrozenDictionary<string, FrozenSet<string>> _systems;

    internal CodeSet(string url, IEnumerable<KeyValuePair<string, IReadOnlyCollection<string>>> systems)
    {
        Url = url;
        _systems = systems.ToFrozenDictionary(system => system.Key, system => system.Value.ToFrozenSet(StringComparer.Ordinal), StringComparer.Ordinal);
    }

    /// <summary>Canonical URL without version.</summary>
    public string Url { get; }

    public int Count => _systems.Values.Sum(codes => codes.Count);

    public IEnumerable<string> Systems => _systems.Keys;

    public IReadOnlyCollection<string> Codes(string system) => _systems.TryGetValue(system, out var codes) ? codes : [];

    public bool HasSystem(string system) => _systems.ContainsKey(system);

    public bool Contains(string system, string code) => _systems.TryGetValue(system, out var codes) && codes.Contains(code);

    /// <summary>As <see cref="Contains(string, string)"/>, without making strings.</summary>
    public bool Contains(ReadOnlySpan<char> system, ReadOnlySpan<char> code) =>
        _systems.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(system, out var codes) && codes.GetAlternateLookup<ReadOnlySpan<char>>().Contains(code);

    /// <summary>Whether any system of the set has the code: for elements of type <c>code</c>, whose system is implied.</summary>
    public bool ContainsCode(ReadOnlySpan<char> code)
    {
        foreach (var codes in _systems.Values)
        {
            if (codes.GetAlternateLookup<ReadOnlySpan<char>>().Contains(code))
            {
                return true;
            }
        }

        return false;
    }
}
