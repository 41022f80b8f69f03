using System.Globalization;
using System.Text;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation;

/// <summary>
/// The path of a node, found by walking down to it: paid for by findings only, so that the walk itself carries no path.
/// A companion's <c>_</c> is left out: <c>Patient.birthDate.extension[0]</c>.
/// </summary>
internal static class ElementPath
{
    public static string Of(ResourceNode target, ReadOnlySpan<byte> child = default)
    {
        var current = target.Tree.Root;
        var path = new StringBuilder(current["resourceType"u8].AsString() is { Length: > 0 and <= 64 } type ? type : "Resource");
        while (current.Index != target.Index && Step(current, target.Index, path) is { Exists: true } next)
        {
            current = next;
        }

        if (!child.IsEmpty)
        {
            Append(path, child);
        }

        return path.ToString();
    }

    private static ResourceNode Step(ResourceNode parent, int target, StringBuilder path)
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
            Append(path, found.NameSpan);
        }

        return found;
    }

    private static void Append(StringBuilder path, ReadOnlySpan<byte> name)
    {
        name = name.StartsWith((byte)'_') ? name[1..] : name;
        path.Append('.').Append(Encoding.UTF8.GetString(name[..Math.Min(name.Length, 64)]));
    }
}
