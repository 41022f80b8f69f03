using FhirIomt.Core;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Definitions;

/// <summary>
/// Lays a differential over its base profile (FHIR R4 §5.1.0.14). The result is a sparse snapshot: what neither mentions is left out, since
/// validation meets the base type anyway. An element says only what its own line or the base's says; a new slice does not repeat its element.
/// </summary>
internal static class ProfileOverlay
{
    public static List<ProfileElement> Apply(IReadOnlyList<ProfileElement> baseElements, ResourceNode differential, FhirType type, FhirDefinitions definitions)
    {
        var elements = new List<ProfileElement>(baseElements);
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var index = 0; index < elements.Count; index++)
        {
            places.TryAdd(elements[index].Id, index);
        }

        foreach (var node in differential["element"u8].Items)
        {
            var element = ProfileReader.ReadElement(node);
            var id = FullId(element.Id, type, definitions);
            element = element with { Id = id, Constraints = WithText(element.Constraints, node) };
            if (places.TryGetValue(id, out var place))
            {
                elements[place] = Merge(elements[place], element, node);
            }
            else
            {
                places.Add(id, elements.Count);
                elements.Add(element);
            }
        }

        return elements;
    }

    /// <summary><c>Observation.valueQuantity.code</c> is short for <c>Observation.value[x]:valueQuantity.code</c>.</summary>
    private static string FullId(string id, FhirType root, FhirDefinitions definitions)
    {
        var parts = id.Split('.');
        var type = root;
        for (var index = 1; index < parts.Length && type is not null; index++)
        {
            var name = parts[index].Split(':')[0];
            var bare = name.EndsWith("[x]", StringComparison.Ordinal) ? name[..^3] : name;
            var member = type.Find(bare) ?? type.Element(bare)?.Members[0];
            if (member is { Element.IsChoice: true } && bare == member.JsonName && name == bare)
            {
                parts[index] = $"{member.Element.Name}[x]:{parts[index]}";
            }

            type = member?.Type;
        }

        return string.Join('.', parts);
    }

    // A profile loaded at run time may speak for itself; the compiled definitions carry no prose.
    private static FhirConstraint[] WithText(IReadOnlyList<FhirConstraint> constraints, ResourceNode element)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var constraint in element["constraint"u8].Items)
        {
            texts[constraint["key"u8].AsString() ?? ""] = constraint["human"u8].AsString() ?? "";
        }

        return [.. constraints.Select(constraint => texts[constraint.Key] is { Length: > 0 } text ? constraint with { Human = text } : constraint)];
    }

    private static ProfileElement Merge(ProfileElement known, ProfileElement added, ResourceNode node) => known with
    {
        Min = node["min"u8].Exists ? added.Min : known.Min,
        Max = node["max"u8].Exists ? added.Max : known.Max,
        Types = added.Types.Count > 0 ? added.Types : known.Types,
        Fixed = added.Fixed ?? known.Fixed,
        Pattern = added.Pattern ?? known.Pattern,
        MinValue = added.MinValue ?? known.MinValue,
        MaxValue = added.MaxValue ?? known.MaxValue,
        MaxLength = added.MaxLength ?? known.MaxLength,
        Binding = added.Binding ?? known.Binding,
        Slicing = added.Slicing ?? known.Slicing,
        Constraints = [.. known.Constraints, .. added.Constraints],
        MustSupport = known.MustSupport || added.MustSupport,
        IsModifier = known.IsModifier || added.IsModifier,
    };
}
