using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Extensions;

/// <summary>The names by which an extension's context may mean an element: its paths and its types.</summary>
internal static class ElementContext
{
    /// <summary><c>Patient.contact.name</c>, <c>HumanName</c>, <c>Element</c> for the name of a contact.</summary>
    public static HashSet<string> NamesOf(ResourceNode element, FhirDefinitions definitions)
    {
        var current = element.Tree.Root;
        var type = definitions.Type(current["resourceType"u8].AsString() ?? "");
        var paths = new List<string> { type?.Name ?? "Resource" };
        while (current.Index != element.Index && Below(current, element.Index) is { Exists: true } next)
        {
            var wasArray = current.IsArray;
            current = next;
            if (!wasArray)
            {
                var name = current.NameSpan;
                type = Follow(paths, type?.Find(name.StartsWith((byte)'_') ? name[1..] : name));
            }

            if (current.IsObject && current["resourceType"u8].AsString() is { } resource)
            {
                type = definitions.Type(resource);
                paths = [resource];
            }
        }

        // R4 writes Element where it means anything at all, resources included.
        var names = new HashSet<string>(paths, StringComparer.Ordinal) { "Element" };
        for (var known = type; known is not null; known = known.Base)
        {
            names.Add(known.Name);
        }

        if (type is { Kind: FhirTypeKind.Resource } && type.Element("url") is not null && type.Element("status") is not null)
        {
            // What later versions call by these names: the resources with a canonical URL.
            names.Add("CanonicalResource");
            names.Add("MetadataResource");
        }

        return names;
    }

    /// <summary>The url of the nearest extension around an element, the element itself included; null when there is none.</summary>
    public static string? ExtensionAround(ResourceNode element)
    {
        string? url = null;
        for (var current = element.Tree.Root; current.Exists && current.Index <= element.Index; current = current.Index == element.Index ? default : Below(current, element.Index))
        {
            url = current.IsObject && current["url"u8].AsString() is { } found && IsExtension(current) ? found : url;
        }

        return url;
    }

    // An entry of an extension array has no name of its own; nothing else with a url and at most a value is held in one.
    private static bool IsExtension(ResourceNode node)
    {
        foreach (var member in node.Children)
        {
            var name = member.NameSpan;
            if (!name.SequenceEqual("url"u8) && !name.SequenceEqual("id"u8) && !name.SequenceEqual("extension"u8) && !name.StartsWith("value"u8) && !name.StartsWith("_value"u8) && !name.SequenceEqual("_url"u8))
            {
                return false;
            }
        }

        return true;
    }

    private static FhirType? Follow(List<string> paths, FhirMember? member)
    {
        if (member is null)
        {
            paths.Clear();
            return null;
        }

        var element = member.Element;
        var longer = paths.Select(path => $"{path}.{element.Name}").ToList();
        paths.Clear();
        paths.AddRange(longer);
        if (element.IsChoice)
        {
            paths.AddRange(longer.Select(path => path + "[x]"));
            paths.AddRange(longer.Select(path => path[..^element.Name.Length] + member.JsonName));
        }

        // A type starts paths of its own: HumanName.family.
        paths.Add(member.Type.Name);
        return member.Type;
    }

    private static ResourceNode Below(ResourceNode parent, int target)
    {
        ResourceNode found = default;
        foreach (var node in parent.Children)
        {
            if (node.Index > target)
            {
                break;
            }

            found = node;
        }

        return found;
    }
}
