using System.Collections.Frozen;
using FhirIomt.Fhir.Json;

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

    /// <summary>A set whose codes were listed elsewhere, for example by expanding filters.</summary>
    /// <param name="url">Canonical URL without version.</param>
    /// <param name="systems">Each system once, with its codes.</param>
    public static CodeSet Of(string url, IEnumerable<KeyValuePair<string, IReadOnlyCollection<string>>> systems) => new(url, systems);

    /// <summary>The codes of a ValueSet that lists each of them under its system; null when it takes whole systems, filters, other sets or exclusions.</summary>
    public static CodeSet? FromResource(JsonTree valueSet)
    {
        var root = valueSet.Root;
        var compose = root["compose"u8];
        if (root["url"u8].AsString() is not { } url || !compose["include"u8].Exists || compose["exclude"u8].Exists)
        {
            return null;
        }

        var systems = new Dictionary<string, IReadOnlyCollection<string>>(StringComparer.Ordinal);
        foreach (var include in compose["include"u8].Items)
        {
            if (include["system"u8].AsString() is not { } system || !include["concept"u8].Exists || include["filter"u8].Exists || include["valueSet"u8].Exists)
            {
                return null;
            }

            var codes = new List<string>(systems.GetValueOrDefault(system) ?? []);
            foreach (var concept in include["concept"u8].Items)
            {
                codes.Add(concept["code"u8].AsString() ?? "");
            }

            systems[system] = codes;
        }

        return new CodeSet(url, systems);
    }

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
