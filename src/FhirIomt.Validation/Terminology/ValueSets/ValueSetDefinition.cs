using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Terminology.ValueSets;

/// <summary>A value set as defined: what it includes and excludes, or only an expansion. Immutable.</summary>
internal sealed class ValueSetDefinition
{
    public ValueSetDefinition(ResourceNode root, DefinitionResource? source = null)
    {
        Root = root;
        Source = source;
        Url = root["url"u8].AsString();
        Version = root["version"u8].AsString();
        var compose = root["compose"u8];
        Includes = Read(compose["include"u8], "include");
        Excludes = Read(compose["exclude"u8], "exclude");
        RefusesInactive = compose["inactive"u8].IsFalse();
        Supplements = [.. SupplementsOf(root)];
    }

    public ResourceNode Root { get; }

    /// <summary>Where it comes from; null when a request brought it.</summary>
    public DefinitionResource? Source { get; }

    public string? Url { get; }

    public string? Version { get; }

    /// <summary><c>url|version</c>, as findings name it.</summary>
    public string Name => Url is null ? "(unidentified)" : new Canonical(Url, Version).ToString();

    public IReadOnlyList<ValueSetInclude> Includes { get; }

    public IReadOnlyList<ValueSetInclude> Excludes { get; }

    /// <summary><c>compose.inactive</c> is false: inactive concepts are not in the set.</summary>
    public bool RefusesInactive { get; }

    /// <summary>Only an expansion is given, and that is the set.</summary>
    public bool IsExpansionOnly => Includes.Count == 0 && !Root["compose"u8].Exists && Root["expansion"u8].Exists;

    /// <summary>Supplements that the set requires.</summary>
    public IReadOnlyList<string> Supplements { get; }

    /// <summary>A parameter that the set brings for its own expansion (extension valueset-expansion-parameter).</summary>
    public string? Parameter(string name)
    {
        foreach (var holder in new[] { Root["compose"u8], Root })
        {
            foreach (var extension in holder["extension"u8].Items)
            {
                if (extension["url"u8].AsString() == Extensions.ExpansionParameter && Extensions.Text(extension, "name") == name)
                {
                    return Extensions.Text(extension, "value");
                }
            }
        }

        return null;
    }

    /// <summary>A value set contained in this one (<c>#id</c>).</summary>
    public ValueSetDefinition? Contained(string id)
    {
        foreach (var contained in Root["contained"u8].Items)
        {
            if (contained["resourceType"u8].TextEquals("ValueSet"u8) && contained["id"u8].AsString() == id)
            {
                return new ValueSetDefinition(contained, Source);
            }
        }

        return null;
    }

    /// <summary>Whether parts of the set name different versions of one code system, so that a code alone does not say which concept is meant.</summary>
    public bool MixesVersionsOf(string system) =>
        Includes.Concat(Excludes).Where(part => part.System == system).Select(part => part.Version).Distinct(StringComparer.Ordinal).Skip(1).Any();

    /// <summary>Whether the same code in two versions counts as two concepts: as asked, as the set says itself, or when it includes several versions.</summary>
    /// <param name="system">The code system.</param>
    /// <param name="versionsMatch">What the request asks; null when nothing.</param>
    public bool KeepsVersionsApart(string system, bool? versionsMatch)
    {
        var match = versionsMatch ?? (Parameter("versionsMatch") is { } own ? own == "true" : null);
        return !(match ?? !Includes.Where(include => include.System == system).Select(include => include.Version).Distinct(StringComparer.Ordinal).Skip(1).Any());
    }

    private static IEnumerable<string> SupplementsOf(ResourceNode root)
    {
        foreach (var extension in ((ResourceNode[])[.. Items(root["extension"u8])]).Where(extension => extension["url"u8].AsString() == Extensions.Supplement))
        {
            if (Extensions.Value(extension).AsString() is { } canonical)
            {
                yield return canonical;
            }
        }
    }

    private static ValueSetInclude[] Read(ResourceNode parts, string name) =>
        [.. Items(parts).Select((node, index) => new ValueSetInclude(node, $"ValueSet.compose.{name}[{index}]"))];

    private static List<ResourceNode> Items(ResourceNode array)
    {
        var items = new List<ResourceNode>();
        foreach (var item in array.Items)
        {
            items.Add(item);
        }

        return items;
    }
}

/// <summary>One include or exclude of a value set.</summary>
internal sealed class ValueSetInclude
{
    public ValueSetInclude(ResourceNode node, string path)
    {
        Path = path;
        System = node["system"u8].AsString();
        Version = node["version"u8].AsString();
        Filters = node["filter"u8];
        var valueSets = new List<string>();
        foreach (var valueSet in node["valueSet"u8].Items)
        {
            valueSets.Add(valueSet.AsString() ?? "");
        }

        ValueSets = valueSets;
        Concepts = node["concept"u8].Exists ? Read(node["concept"u8]) : null;
    }

    /// <summary>FHIRPath of the part.</summary>
    public string Path { get; }

    public string? System { get; }

    public string? Version { get; }

    /// <summary>The codes listed, in order; null when the part lists none.</summary>
    public IReadOnlyDictionary<string, ResourceNode>? Concepts { get; }

    public ResourceNode Filters { get; }

    /// <summary>Canonicals; a concept must be in all of them.</summary>
    public IReadOnlyList<string> ValueSets { get; }

    private static OrderedDictionary<string, ResourceNode> Read(ResourceNode concepts)
    {
        var read = new OrderedDictionary<string, ResourceNode>(StringComparer.Ordinal);
        foreach (var concept in concepts.Items)
        {
            if (concept["code"u8].AsString() is { } code)
            {
                read.TryAdd(code, concept);
            }
        }

        return read;
    }
}
