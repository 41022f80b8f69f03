using System.Text;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Narrative;

namespace FhirIomt.Validation.Base;

/// <summary>The text of one primitive value.</summary>
internal static class PrimitiveCheck
{
    // FHIR R4 §2.24.0.1: strings SHALL NOT exceed 1 MB.
    private const int MaxTextBytes = 1024 * 1024;

    public static void Run(ValidationRun run, ResourceNode value, MemberPlan member)
    {
        var content = value.ContentSpan;
        if (content.IsEmpty)
        {
            run.Add(ValidationIssues.EmptyText, value, "The string is empty.");
            return;
        }

        if (content.Length > MaxTextBytes && member.Shape is not (ValueShape.Base64 or ValueShape.Xhtml))
        {
            run.Add(ValidationIssues.TooLong, value, "A string has at most 1 MB.");
            return;
        }

        if (member.Shape == ValueShape.Xhtml)
        {
            if (XhtmlCheck.Find(value.AsString()!) is { } fault)
            {
                run.Add(ValidationIssues.BadNarrative, value, fault);
            }

            return;
        }

        var isEscaped = value.Kind == NodeKind.String && content.Contains((byte)'\\');
        if (!PrimitiveText.IsValid(member.Shape, isEscaped ? Encoding.UTF8.GetBytes(value.AsString()!) : content))
        {
            run.Add(ValidationIssues.BadText, value, $"The text is not a valid {member.Member.Type.Name}.");
        }
    }
}
