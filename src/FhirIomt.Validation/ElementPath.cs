using System.Globalization;
using System.Text;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation;

/// <summary>
/// The FHIRPath of a node, found by walking down to it: paid for by findings only, so that the walk itself carries no path. A choice is written as
/// FHIRPath reads it (<c>Observation.value.ofType(Quantity).unit</c>), a companion's <c>_</c> is left out (<c>Patient.birthDate.extension[0]</c>).
/// </summary>
internal static class ElementPath
{
    public static string Of(ResourceNode target, FhirDefinitions definitions)
    {
        var current = target.Tree.Root;
        var path = new StringBuilder(current["resourceType"u8].AsString() is { Length: > 0 and <= 64 } name ? name : "Resource");
        var type = definitions.Type(path.ToString());
        while (current.Index != target.Index && Step(current, target.Index, definitions, ref type, path) is { Exists: true } next)
        {
            current = next;
        }

        return path.ToString();
    }

    private static ResourceNode Step(ResourceNode parent, int target, FhirDefinitions definitions, ref FhirType? type, StringBuilder path)
    {
        ResourceNode found = default;
        var (position, foundAt) = (0, 0);
        foreach (var node in parent.Children)
        {
            if (node.Index > target)
            {
                break;
            }

            (found, foundAt) = (node, position++);
        }

        if (found.Exists && parent.IsArray)
        {
            path.Append('[').Append(foundAt.ToString(CultureInfo.InvariantCulture)).Append(']');
        }
        else if (found.Exists)
        {
            type = Append(path, found.NameSpan, type);
        }

        if (found.IsObject && found["resourceType"u8].AsString() is { } resource)
        {
            type = definitions.Type(resource);
        }

        return found;
    }

    private static FhirType? Append(StringBuilder path, ReadOnlySpan<byte> name, FhirType? type)
    {
        name = name.StartsWith((byte)'_') ? name[1..] : name;
        if (type?.Find(name) is not { } member)
        {
            path.Append('.').Append(Encoding.UTF8.GetString(name[..Math.Min(name.Length, 64)]));
            return null;
        }

        path.Append('.').Append(member.Element.Name);
        if (member.Element.IsChoice)
        {
            path.Append(".ofType(").Append(member.Type.Name).Append(')');
        }

        return member.Type;
    }
}
