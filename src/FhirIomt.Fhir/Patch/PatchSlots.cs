using System.Text;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Patch;

/// <summary>One value of an element: the JSON value, and for a primitive the companion with its extensions. One of the two may be missing.</summary>
internal readonly record struct PatchSlot(EditNode? Value, EditNode? Companion);

/// <summary>The values of one element as a list, whatever JSON makes of them: a single member, an array, or two arrays side by side (R4 §2.6.2).</summary>
internal sealed class PatchSlots
{
    private static readonly ResourceNode Null = JsonTree.Parse(Encoding.ASCII.GetBytes("null")).Require().Root;

    private readonly EditNode _owner;
    private readonly FhirMember _member;

    public PatchSlots(EditNode owner, FhirMember member)
    {
        _owner = owner;
        _member = member;
        var (value, companion) = (owner.Find(member.JsonName), owner.Find("_" + member.JsonName));
        if (!member.Element.IsArray)
        {
            if (value is not null || companion is not null)
            {
                All.Add(new PatchSlot(value, companion));
            }

            return;
        }

        var (values, companions) = (ItemsOf(value), ItemsOf(companion));
        for (var index = 0; index < Math.Max(values.Count, companions.Count); index++)
        {
            All.Add(new PatchSlot(At(values, index), At(companions, index)));
        }
    }

    public List<PatchSlot> All { get; } = [];

    /// <summary>Writes the list back as members of the owner; an empty list leaves none.</summary>
    public void Store()
    {
        Store(_member.JsonName, slot => slot.Value);
        Store("_" + _member.JsonName, slot => slot.Companion);
    }

    private void Store(string name, Func<PatchSlot, EditNode?> part)
    {
        if (All.TrueForAll(slot => part(slot) is null))
        {
            var index = _owner.IndexOf(name);
            if (index >= 0)
            {
                _owner.Members.RemoveAt(index);
            }

            return;
        }

        if (!_member.Element.IsArray)
        {
            _owner.Set(name, part(All[0])!);
            return;
        }

        var array = EditNode.NewArray();
        foreach (var slot in All)
        {
            array.Items.Add(part(slot) ?? new EditNode(Null));
        }

        _owner.Set(name, array);
    }

    private static List<EditNode> ItemsOf(EditNode? node) => node is null ? [] : node.IsArray ? node.Items : [node];

    private static EditNode? At(List<EditNode> items, int index) => index < items.Count && !items[index].IsNull ? items[index] : null;
}
