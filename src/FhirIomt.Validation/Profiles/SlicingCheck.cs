using System.Text;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Profiles;

/// <summary>One slice: how to know its values, how many there are, and what they meet.</summary>
internal sealed record SliceRules(string Name, SliceCondition[] Conditions, CardinalityCheck Cardinality, ElementRules Rules)
{
    public bool Owns(ProfileContext context, in ProfileItem item)
    {
        foreach (var condition in Conditions)
        {
            if (!condition.Holds(context, item))
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>Gives each value to the first slice that knows it (FHIR R4 §5.1.0.11 to §5.1.0.12).</summary>
/// <param name="rules"><c>open</c>, <c>closed</c> or <c>openAtEnd</c>.</param>
internal sealed class SlicingCheck(SliceRules[] slices, string rules, bool ordered)
{
    public void Run(ProfileContext context, in ProfileItem parent, FhirElement element, List<ProfileItem> items)
    {
        Span<int> counts = slices.Length <= 32 ? stackalloc int[slices.Length] : new int[slices.Length];
        var (last, sawOther) = (0, false);
        foreach (var item in items)
        {
            var slice = IndexOf(context, item);
            if (slice < 0)
            {
                sawOther = true;
                if (rules == "closed")
                {
                    context.Add(ValidationIssues.NoSlice, item.At, "The slicing is closed and no slice takes this value.");
                }

                continue;
            }

            counts[slice]++;
            if ((ordered && slice < last) || (rules == "openAtEnd" && sawOther))
            {
                context.Add(ValidationIssues.SliceOrder, item.At, $"A value of slice '{slices[slice].Name}' stands too late.");
            }

            last = Math.Max(last, slice);
            slices[slice].Rules.Run(context, item);
        }

        for (var index = 0; index < slices.Length; index++)
        {
            slices[index].Cardinality.Run(context, parent, element, counts[index]);
        }
    }

    public void Print(StringBuilder output, int depth)
    {
        foreach (var slice in slices)
        {
            output.Append(' ', depth * 2).Append(':').Append(slice.Name).Append(slice.Cardinality).Append(" if ").AppendJoin(" and ", (object[])slice.Conditions).Append('\n');
            slice.Rules.Print(output, depth + 1);
        }
    }

    private int IndexOf(ProfileContext context, in ProfileItem item)
    {
        for (var index = 0; index < slices.Length; index++)
        {
            if (slices[index].Owns(context, item))
            {
                return index;
            }
        }

        return -1;
    }
}
