using System.Text;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Base;

/// <summary>A Reference: its form, the type it points to, and that a <c>#id</c> is there (FHIR R4 §2.3.0.1).</summary>
internal static class ReferenceCheck
{
    public static void Run(ValidationRun run, TypePlans plans, ResourceNode reference, IReadOnlyList<string> targets, ResourceScope scope)
    {
        var node = reference["reference"u8];
        if (!node.IsString)
        {
            CheckType(run, reference["type"u8], targets);
            return;
        }

        var text = node.ContentSpan;
        if (text.StartsWith((byte)'#'))
        {
            // "#" alone is the container itself.
            var target = text.Length == 1 ? scope.Root : scope.Contained(text[1..]);
            if (!target.Exists)
            {
                run.Add(ValidationIssues.NotContained, node, "No contained resource has that id.");
                return;
            }

            CheckType(run, target["resourceType"u8], targets, node);
            return;
        }

        if (text.StartsWith("urn:"u8))
        {
            return;
        }

        var literal = ReferenceText.Parse(text);
        if (!literal.Type.IsEmpty && plans.Definitions.IsResourceType(Encoding.UTF8.GetString(literal.Type)))
        {
            CheckTarget(run, node, literal.Type, targets);
        }
        else if (!literal.IsAbsolute)
        {
            run.Add(ValidationIssues.BadReference, node, "The text is neither Type/id nor absolute, and names no resource type of FHIR R4.");
        }
    }

    /// <summary>Whether a reference names a type that is not among those allowed; what cannot be told is allowed.</summary>
    public static bool IsOtherType(ReadOnlySpan<byte> type, IReadOnlyList<string> targets)
    {
        for (var index = 0; index < targets.Count; index++)
        {
            if (Ascii.Equals(type, targets[index]))
            {
                return false;
            }
        }

        return targets.Count > 0;
    }

    private static void CheckType(ValidationRun run, ResourceNode type, IReadOnlyList<string> targets, ResourceNode at = default)
    {
        // Reference.type may be an absolute URL of a logical type; only R4's own short names are judged.
        if (type.IsString && !type.ContentSpan.Contains((byte)':'))
        {
            CheckTarget(run, at.Exists ? at : type, type.ContentSpan, targets);
        }
    }

    private static void CheckTarget(ValidationRun run, ResourceNode at, ReadOnlySpan<byte> type, IReadOnlyList<string> targets)
    {
        if (IsOtherType(type, targets))
        {
            run.Add(ValidationIssues.WrongTarget, at, $"The reference points to another type than {string.Join(", ", targets)}.");
        }
    }
}

/// <summary>The parts of a literal reference.</summary>
internal readonly ref struct ReferenceText
{
    private ReferenceText(ReadOnlySpan<byte> type, bool isAbsolute)
    {
        Type = type;
        IsAbsolute = isAbsolute;
    }

    /// <summary>The segment before the id; empty when there is none.</summary>
    public ReadOnlySpan<byte> Type { get; }

    public bool IsAbsolute { get; }

    public static ReferenceText Parse(ReadOnlySpan<byte> text)
    {
        var isAbsolute = text.Contains((byte)':');
        var query = text.IndexOf((byte)'?');
        if (query >= 0)
        {
            // A conditional reference (§3.1.0.11.2): Type?parameters.
            var path = text[..query];
            return new ReferenceText(path[(path.LastIndexOf((byte)'/') + 1)..], isAbsolute);
        }

        var history = text.IndexOf("/_history/"u8);
        text = history >= 0 ? text[..history] : text;
        var slash = text.LastIndexOf((byte)'/');
        if (slash <= 0)
        {
            return new ReferenceText(default, isAbsolute);
        }

        var before = text[..slash];
        return new ReferenceText(before[(before.LastIndexOf((byte)'/') + 1)..], isAbsolute);
    }

}
