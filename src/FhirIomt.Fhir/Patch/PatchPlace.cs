using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Patch;

/// <summary>Where an element stands: the object that holds it, the member it is in, and its number there.</summary>
/// <param name="Owner">The steps from the root to the object: member names, and indexes as numbers.</param>
/// <param name="OwnerType">The type of that object, which for the extensions of a primitive is the primitive's.</param>
/// <param name="Index">0 for a member that is no array.</param>
internal sealed record PatchPlace(IReadOnlyList<object> Owner, FhirType OwnerType, FhirMember Member, int Index)
{
    /// <summary>Finds a row of a tree by walking down to it; null for the root and for what definitions do not know.</summary>
    public static PatchPlace? Of(ResourceNode target, FhirDefinitions definitions)
    {
        var node = target.Tree.Root;
        var type = TypeOf(node, definitions);
        var (path, owner) = (new List<object>(), new List<object>());
        FhirMember? member = null;
        var (ownerType, index) = (type, 0);
        while (node.Index != target.Index)
        {
            var (child, position) = Toward(node, target.Index);
            if (!child.Exists || type is null)
            {
                return null;
            }

            if (node.IsArray)
            {
                (index, node) = (position, child);
                path.Add(position);
                type = Next(member!, child, definitions);
                continue;
            }

            (owner, ownerType, index) = ([.. path], type, 0);
            var name = child.Name.TrimStart('_');
            path.Add(child.Name);
            member = type.Find(name);
            (node, type) = (child, member is null ? null : child.IsArray ? type : Next(member, child, definitions));
        }

        return member is null || ownerType is null ? null : new PatchPlace(owner, ownerType, member, index);
    }

    /// <summary>The object in the copy that is being changed.</summary>
    public EditNode Open(EditNode root)
    {
        var node = root;
        foreach (var step in Owner)
        {
            node = step is int index ? node.Items[index] : node.Find((string)step)!;
        }

        return node;
    }

    private static FhirType? Next(FhirMember member, ResourceNode node, FhirDefinitions definitions) =>
        member.Type is { Kind: FhirTypeKind.Resource, IsAbstract: true } ? TypeOf(node, definitions) : member.Type;

    private static FhirType? TypeOf(ResourceNode resource, FhirDefinitions definitions) => definitions.Type(resource["resourceType"u8].AsString() ?? "");

    private static (ResourceNode Child, int Position) Toward(ResourceNode node, int target)
    {
        ResourceNode found = default;
        var position = -1;
        foreach (var child in node.Children)
        {
            if (child.Index > target)
            {
                break;
            }

            (found, position) = (child, position + 1);
        }

        return (found, position);
    }
}
