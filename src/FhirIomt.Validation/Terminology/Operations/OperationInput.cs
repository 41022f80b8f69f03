using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Terminology.Operations;

/// <summary>The parameters of a request. Those given later in <paramref name="fallback"/> (a batch's common ones) stand where the request has none.</summary>
internal sealed class OperationInput
{
    private readonly List<(string Name, ResourceNode Node)> _parameters = [];

    public OperationInput(ResourceNode parameters, OperationInput? fallback = null)
    {
        foreach (var parameter in parameters["parameter"u8].Items)
        {
            if (parameter["name"u8].AsString() is { } name)
            {
                _parameters.Add((name, parameter));
            }
        }

        var own = _parameters.Select(parameter => parameter.Name).ToHashSet(StringComparer.Ordinal);
        _parameters.AddRange(fallback?._parameters.Where(parameter => !own.Contains(parameter.Name) || parameter.Name == "tx-resource") ?? []);
    }

    public bool Has(string name) => _parameters.Exists(parameter => parameter.Name == name);

    /// <summary>The text of a parameter of any primitive type.</summary>
    public string? Text(string name) => Texts(name).FirstOrDefault();

    public IEnumerable<string> Texts(string name) => Values(name).Select(value => value.AsText()).OfType<string>();

    /// <summary>The first value of that parameter, whatever its type; nothing when there is none.</summary>
    public ResourceNode Value(string name) => Values(name).FirstOrDefault();

    public IEnumerable<ResourceNode> Values(string name) => _parameters.Where(parameter => parameter.Name == name).Select(parameter => Extensions.Value(parameter.Node)).Where(value => value.Exists);

    public IEnumerable<ResourceNode> Resources(string name) => _parameters.Where(parameter => parameter.Name == name).Select(parameter => parameter.Node["resource"u8]).Where(resource => resource.IsObject);

    public bool? Flag(string name) => Text(name) switch
    {
        "true" => true,
        "false" => false,
        _ => null,
    };

    public int? Number(string name) => int.TryParse(Text(name), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : null;

    public IReadOnlyList<Canonical> Canonicals(params ReadOnlySpan<string> names)
    {
        var all = new List<Canonical>();
        foreach (var name in names)
        {
            all.AddRange(Texts(name).Select(Canonical.Parse));
        }

        return all;
    }

    public VersionRules VersionRules() => new(Canonicals("system-version"), Canonicals("check-system-version"), Canonicals("force-system-version"), Canonicals("default-valueset-version"));

    /// <summary>Resources that the request brings for itself (<c>tx-resource</c>), as trees of their own.</summary>
    public IReadOnlyCollection<JsonTree> OwnResources() =>
        [.. Resources("tx-resource").Select(resource => JsonTree.Parse(resource.Raw)).Where(tree => tree.Succeeded).Select(tree => tree.Require())];
}
