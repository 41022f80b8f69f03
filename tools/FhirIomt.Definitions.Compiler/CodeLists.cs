using FhirIomt.Fhir.Json;

namespace FhirIomt.Definitions.Compiler;

/// <summary>Lists the content of value sets from the code systems in the package (FHIR R4 §4.9.5); a set that needs anything else cannot be listed.</summary>
internal sealed class CodeLists(PackageSource source)
{
    private readonly Dictionary<string, Dictionary<string, HashSet<string>>?> _systems = new(StringComparer.Ordinal);
    private readonly HashSet<(string System, string Code)> _abstract = [];

    /// <summary>System → codes, sorted; null when the set cannot be listed.</summary>
    public SortedDictionary<string, SortedSet<string>>? Expand(string url) => Expand(url, depth: 0);

    private SortedDictionary<string, SortedSet<string>>? Expand(string url, int depth)
    {
        var compose = source.Find("ValueSet", url)["compose"u8];
        if (!compose.Exists || depth > 8)
        {
            return null;
        }

        var codes = new SortedDictionary<string, SortedSet<string>>(StringComparer.Ordinal);
        foreach (var include in compose["include"u8].Items)
        {
            if (!Apply(include, depth, (system, code) => SetOf(codes, system).Add(code)))
            {
                return null;
            }
        }

        foreach (var exclude in compose["exclude"u8].Items)
        {
            if (!Apply(exclude, depth, (system, code) => SetOf(codes, system).Remove(code)))
            {
                return null;
            }
        }

        return codes;
    }

    private static SortedSet<string> SetOf(SortedDictionary<string, SortedSet<string>> codes, string system)
    {
        if (!codes.TryGetValue(system, out var set))
        {
            codes.Add(system, set = new SortedSet<string>(StringComparer.Ordinal));
        }

        return set;
    }

    private bool Apply(ResourceNode include, int depth, Action<string, string> take)
    {
        if (include["system"u8].AsString() is not { } system)
        {
            return ApplySets(include, depth, take);
        }

        // A system together with value sets means their intersection; R4 itself has no such set, so it is left unlisted.
        if (include["valueSet"u8].Exists || CodesOf(include, system) is not { } codes)
        {
            return false;
        }

        foreach (var code in codes)
        {
            take(system, code);
        }

        return true;
    }

    private bool ApplySets(ResourceNode include, int depth, Action<string, string> take)
    {
        if (include["valueSet"u8].Count != 1 || Expand(WithoutVersion(include["valueSet"u8].First().AsString()!), depth + 1) is not { } set)
        {
            return false;
        }

        foreach (var (system, codes) in set)
        {
            foreach (var code in codes)
            {
                take(system, code);
            }
        }

        return true;
    }

    private HashSet<string>? CodesOf(ResourceNode include, string system)
    {
        if (include["concept"u8].Exists)
        {
            var listed = new HashSet<string>(StringComparer.Ordinal);
            foreach (var concept in include["concept"u8].Items)
            {
                listed.Add(concept["code"u8].AsString()!);
            }

            return listed;
        }

        if (AncestorsOf(system) is not { } ancestors)
        {
            return null;
        }

        var codes = ancestors.Keys.ToHashSet(StringComparer.Ordinal);
        foreach (var filter in include["filter"u8].Items)
        {
            var (operation, value) = (filter["op"u8].AsString(), filter["value"u8].AsString()!);
            if (filter["property"u8].AsString() != "concept" || operation is not ("is-a" or "is-not-a" or "descendent-of"))
            {
                return null;
            }

            codes.RemoveWhere(code => !Matches(operation, code, value, ancestors[code]));
        }

        // Grouping concepts are no values: the official expansions leave them out, and $validate-code refuses them (§4.8.16, abstract).
        codes.RemoveWhere(code => _abstract.Contains((system, code)));
        return codes;
    }

    private static bool Matches(string operation, string code, string value, HashSet<string> ancestors) => operation switch
    {
        "is-a" => code == value || ancestors.Contains(value),
        "descendent-of" => ancestors.Contains(value),
        _ => code != value && !ancestors.Contains(value),
    };

    /// <summary>Code → all its ancestors, from nesting and from <c>subsumedBy</c>/<c>parent</c> properties; null when the package has not the whole system.</summary>
    private Dictionary<string, HashSet<string>>? AncestorsOf(string system)
    {
        if (_systems.TryGetValue(system, out var known))
        {
            return known;
        }

        var definition = source.Find("CodeSystem", WithoutVersion(system));
        Dictionary<string, HashSet<string>>? parents = null;
        if (definition["content"u8].TextEquals("complete"u8) && definition["concept"u8].Exists)
        {
            parents = new Dictionary<string, HashSet<string>>(StringComparer.Ordinal);
            AddConcepts(system, definition["concept"u8], parent: null, parents);
            Close(parents);
        }

        return _systems[system] = parents;
    }

    private void AddConcepts(string system, ResourceNode concepts, string? parent, Dictionary<string, HashSet<string>> parents)
    {
        foreach (var concept in concepts.Items)
        {
            var code = concept["code"u8].AsString()!;
            if (!parents.TryGetValue(code, out var own))
            {
                parents.Add(code, own = new HashSet<string>(StringComparer.Ordinal));
            }

            if (parent is not null)
            {
                own.Add(parent);
            }

            foreach (var property in concept["property"u8].Items)
            {
                if (property["code"u8].AsString() is "subsumedBy" or "parent" && property["valueCode"u8].AsString() is { } above)
                {
                    own.Add(above);
                }

                if (property["code"u8].TextEquals("notSelectable"u8) && property["valueBoolean"u8] is { Exists: true, Kind: NodeKind.True })
                {
                    _abstract.Add((system, code));
                }
            }

            AddConcepts(system, concept["concept"u8], code, parents);
        }
    }

    private static void Close(Dictionary<string, HashSet<string>> parents)
    {
        for (var grew = true; grew;)
        {
            grew = false;
            foreach (var ancestors in parents.Values)
            {
                var before = ancestors.Count;
                foreach (var above in ancestors.ToArray())
                {
                    ancestors.UnionWith(parents.GetValueOrDefault(above) ?? []);
                }

                grew |= ancestors.Count != before;
            }
        }
    }

    public static string WithoutVersion(string canonical) => canonical.IndexOf('|') is > 0 and var bar ? canonical[..bar] : canonical;
}
