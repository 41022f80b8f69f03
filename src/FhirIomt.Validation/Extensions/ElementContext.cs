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

        var names = new HashSet<string>(paths, StringComparer.Ordinal);
        for (var known = type; known is not null; known = known.Base)
        {
            names.Add(known.Name);
        }

        return names;
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
