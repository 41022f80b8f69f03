using System.Text;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Profiles;

/// <summary>The rules for one child element of a type: how often it occurs, what each occurrence meets, and its slices.</summary>
internal sealed class ChildRules(FhirElement element, CardinalityCheck cardinality, ElementRules rules, SlicingCheck? slicing)
{
    private readonly byte[] _name = Encoding.UTF8.GetBytes(element.Name);

    public bool IsEmpty => cardinality.IsEmpty && rules.IsEmpty && slicing is null;

    public void Run(ProfileContext context, in ProfileItem parent)
    {
        var items = context.Rent();
        Collect(parent.Parent, items);
        cardinality.Run(context, parent, element, items.Count);
        for (var index = 0; index < items.Count; index++)
        {
            rules.Run(context, items[index]);
        }

        slicing?.Run(context, parent, element, items);
        context.Return(items);
    }

    public void Print(StringBuilder output, int depth)
    {
        output.Append(' ', depth * 2).Append(element.Name).Append(cardinality).Append('\n');
        rules.Print(output, depth + 1);
        slicing?.Print(output, depth + 1);
    }

    private void Collect(ResourceNode parent, List<ProfileItem> items)
    {
        foreach (var child in parent.Children)
        {
            var name = child.NameSpan;
            var isCompanion = name.StartsWith((byte)'_');
            name = isCompanion ? name[1..] : name;
            if (!name.StartsWith(_name) || MemberOf(name) is not { } member)
            {
                continue;
            }

            if (isCompanion)
            {
                Join(items, child, member.Type);
                continue;
            }

            var index = 0;
            foreach (var item in child.Items)
            {
                var value = item.Kind == NodeKind.Null ? default : item;
                if (index < items.Count && !items[index].Node.Exists)
                {
                    items[index] = new ProfileItem(value, items[index].Companion, member.Type);
                }
                else
                {
                    items.Add(new ProfileItem(value, default, member.Type));
                }

                index++;
            }
        }

        // What has neither value nor companion is a finding of the base walk, and no occurrence.
        items.RemoveAll(static item => !item.Node.Exists && !item.Companion.Exists);
    }

    private FhirMember? MemberOf(ReadOnlySpan<byte> name)
    {
        for (var index = 0; index < element.Members.Count; index++)
        {
            if (Ascii.Equals(name, element.Members[index].JsonName))
            {
                return element.Members[index];
            }
        }

        return null;
    }

    // Values and companions belong together by position; either may come first in the object.
    private static void Join(List<ProfileItem> items, ResourceNode companion, FhirType type)
    {
        var index = 0;
        foreach (var entry in companion.Items)
        {
            var beside = entry.IsObject ? entry : default;
            if (index < items.Count)
            {
                items[index] = new ProfileItem(items[index].Node, beside, type);
            }
            else
            {
                items.Add(new ProfileItem(default, beside, type));
            }

            index++;
        }
    }
}

/// <summary>How often an element or slice occurs; only what goes beyond the base type.</summary>
internal sealed record CardinalityCheck(int Min, int? Max, string? Slice)
{
    public bool IsEmpty => Min == 0 && Max is null;

    public void Run(ProfileContext context, in ProfileItem parent, FhirElement element, int count)
    {
        if (count < Min)
        {
            context.Add(ValidationIssues.TooFewForProfile, parent.At, $"{element.Path}: the profile asks for at least {Min}{Place}, found {count}.");
        }
        else if (Max is { } max && count > max)
        {
            context.Add(ValidationIssues.TooManyForProfile, parent.At, max == 0 ? $"{element.Path}: the profile does not allow it{Place}." : $"{element.Path}: the profile allows at most {max}{Place}, found {count}.");
        }
    }

    private string Place => Slice is null ? "" : $" in slice '{Slice}'";

    public override string ToString() => IsEmpty ? "" : $" {Min}..{Max?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "*"}";
}
