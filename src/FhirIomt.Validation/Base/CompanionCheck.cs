using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Base;

/// <summary>The <c>_name</c> member that carries id and extensions of the primitive <c>name</c> (FHIR R4 §2.6.2.3).</summary>
internal static class CompanionCheck
{
    public static void Run(BaseWalk walk, ValidationRun run, ResourceNode parent, ResourceNode companion, MemberPlan member, ResourceScope scope)
    {
        var value = ValueOf(parent, companion);
        if (companion.IsArray != member.Element.IsArray)
        {
            run.Add(ValidationIssues.BadCompanion, companion, member.Element.IsArray ? "The companion of a repeating element is an array." : "The companion of a single element is no array.");
            return;
        }

        if (!companion.IsArray)
        {
            Entry(walk, run, companion, value, member, scope);
            return;
        }

        if (companion.Count == 0)
        {
            run.Add(ValidationIssues.Empty, companion, "The array is empty.");
        }
        else if (value.IsArray && value.Count != companion.Count)
        {
            run.Add(ValidationIssues.BadCompanion, companion, $"The companion has {companion.Count} entries, the values are {value.Count}.");
        }

        var values = value.Children;
        foreach (var entry in companion.Children)
        {
            var beside = values.MoveNext() ? values.Current : default;
            Entry(walk, run, entry, beside, member, scope);
        }
    }

    public static bool HasCompanion(ResourceNode parent, MemberPlan member)
    {
        foreach (var child in parent.Children)
        {
            var name = child.NameSpan;
            if (name.StartsWith((byte)'_') && name.Length == member.Member.JsonName.Length + 1 && System.Text.Ascii.Equals(name[1..], member.Member.JsonName))
            {
                return true;
            }
        }

        return false;
    }

    private static void Entry(BaseWalk walk, ValidationRun run, ResourceNode entry, ResourceNode value, MemberPlan member, ResourceScope scope)
    {
        var hasValue = value.Exists && value.Kind != NodeKind.Null;
        if (entry.Kind == NodeKind.Null && member.Element.IsArray)
        {
            if (!hasValue)
            {
                run.Add(ValidationIssues.NullValue, entry, "Neither the value nor its companion is there.");
            }
        }
        else if (!entry.IsObject)
        {
            run.Add(ValidationIssues.BadCompanion, entry, "A companion is an object.");
        }
        else if (hasValue ? entry.Count == 0 : !BaseWalk.HasContent(entry))
        {
            run.Add(ValidationIssues.Empty, entry, "The companion has neither value nor extension.");
        }
        else
        {
            walk.Companion(entry, member, scope);
        }
    }

    private static ResourceNode ValueOf(ResourceNode parent, ResourceNode companion) => parent[companion.NameSpan[1..]];
}
