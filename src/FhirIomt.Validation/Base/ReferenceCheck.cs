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
            CheckType(run, reference, reference["type"u8], targets);
            return;
        }

        var text = node.ContentSpan;
        if (text.StartsWith((byte)'#'))
        {
            InContained(run, reference, node, targets, scope);
            return;
        }

        if (scope.Bundle is { } entries && IsInBundle(run, reference, node, targets, entries, scope))
        {
            return;
        }

        if (text.StartsWith("urn:"u8))
        {
            return;
        }

        var literal = ReferenceText.Parse(text);
        if (!literal.Type.IsEmpty && plans.Definitions.IsResourceType(Encoding.UTF8.GetString(literal.Type)))
        {
            CheckTarget(run, reference, node, literal.Type, targets);
        }
        else if (!literal.IsAbsolute)
        {
            run.Add(ValidationIssues.BadReference, reference, node, "The text is neither Type/id nor absolute, and names no resource type of FHIR R4.");
        }
    }

    private static void InContained(ValidationRun run, ResourceNode reference, ResourceNode node, IReadOnlyList<string> targets, ResourceScope scope)
    {
        var target = scope.Resolve(node);
        if (!target.Exists)
        {
            run.Add(ValidationIssues.NotContained, reference, node, "No contained resource has that id.");
            return;
        }

        CheckType(run, reference, target["resourceType"u8], targets);
    }

    // True when an entry of the Bundle is meant, whether it fits or not.
    private static bool IsInBundle(ValidationRun run, ResourceNode reference, ResourceNode node, IReadOnlyList<string> targets, BundleScope entries, ResourceScope scope)
    {
        var found = entries.Find(node.AsString()!, scope.FullUrl);
        if (found.Count == 0)
        {
            return false;
        }

        if (found.Count > 1)
        {
            run.Add(ValidationIssues.AmbiguousReference, reference, node, "Several entries of the Bundle match the reference.");
            return true;
        }

        var type = found[0]["resourceType"u8];
        var named = ReferenceText.Parse(node.ContentSpan).Type;
        if (!named.IsEmpty && !node.ContentSpan.StartsWith("urn:"u8) && !BundleScope.IsAbsolute(node.AsString()!) && !type.ContentSpan.SequenceEqual(named))
        {
            run.Add(ValidationIssues.WrongTarget, reference, node, $"The entry that the reference matches is a {type.AsString()}.");
            return true;
        }

        CheckType(run, reference, type, targets);
        return true;
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

    private static void CheckType(ValidationRun run, ResourceNode reference, ResourceNode type, IReadOnlyList<string> targets)
    {
        // Reference.type may be an absolute URL of a logical type; only R4's own short names are judged.
        if (type.IsString && !type.ContentSpan.Contains((byte)':'))
        {
            CheckTarget(run, reference, type, type.ContentSpan, targets);
        }
    }

    private static void CheckTarget(ValidationRun run, ResourceNode reference, ResourceNode at, ReadOnlySpan<byte> type, IReadOnlyList<string> targets)
    {
        if (IsOtherType(type, targets))
        {
            run.Add(ValidationIssues.WrongTarget, reference, at.Index > reference.Index ? at : reference, $"The reference points to another type than {string.Join(", ", targets)}.");
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
