using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Snapshots;

/// <summary>What a differential may not say (FHIR R4 §5.1.0.2: a profile only narrows).</summary>
internal static class SnapshotRules
{
    public static void Check(ElementDraft known, ElementDraft said, string path, bool isSlice)
    {
        CheckTypes(known, said, path);
        if (known["mustSupport"] is { Exists: true, Kind: NodeKind.True } && said["mustSupport"] is { Exists: true, Kind: NodeKind.False } && !isSlice)
        {
            throw new SnapshotException(SnapshotIssues.Relaxed(path, "mustSupport"));
        }

        CheckValue(said, path, "fixed", known);
        CheckValue(said, path, "pattern", known);
    }

    /// <summary>Whether the differential would allow more than the base does: published profiles do, and mean the base's limit.</summary>
    public static bool IsWider(ElementDraft known, ElementDraft said, string name) => name switch
    {
        "max" => known["max"].Exists && known.Max is { } limit && (said.Max ?? int.MaxValue) > limit,
        "min" => known["min"].Exists && said.Min < known.Min,
        _ => false,
    };

    /// <summary>Whether values of a type are or carry codes, so that a binding says something of them.</summary>
    public static bool HasCodes(string type) =>
        type is "code" or "Coding" or "CodeableConcept" or "Quantity" or "Duration" or "Age" or "Money" or "string" or "uri" or "canonical" or "CodeableReference" || type.Contains(':');

    /// <summary>A profile named for a type is one of that type.</summary>
    public static void CheckProfile(ElementDraft known, ElementDraft said, ElementDraft root, string path)
    {
        var code = said.TypeCodes()[0];
        var of = (root["path"].AsString() ?? root["id"].AsString() ?? "").Split('.')[0];
        if (FhirDefinitions.R4.Type(code) is { Kind: not FhirTypeKind.Resource } type && FhirDefinitions.R4.Type(of) is { } constrained && !constrained.Is(type) && !type.Is(constrained) && known["path"].Exists)
        {
            throw new SnapshotException(SnapshotIssues.WrongType(path, of));
        }
    }

    private static void CheckTypes(ElementDraft known, ElementDraft said, string path)
    {
        var allowed = known.TypeCodes();
        if (allowed.Count == 0 || known["contentReference"].Exists)
        {
            return;
        }

        foreach (var code in said.TypeCodes())
        {
            if (!allowed.Any(other => Allows(other, code)))
            {
                throw new SnapshotException(SnapshotIssues.WrongType(path, code));
            }
        }
    }

    private static bool Allows(string known, string said) =>
        known == said || known is "Element" or "*" || known.Contains(':') || said.Contains(':')
        || (FhirDefinitions.R4.Type(known) is { } type && FhirDefinitions.R4.Type(said) is { } narrower && narrower.Is(type));

    private static void CheckValue(ElementDraft said, string path, string choice, ElementDraft known)
    {
        if (said.Choice(choice) is not { } member)
        {
            return;
        }

        var codes = said["type"].Exists ? said.TypeCodes() : known.TypeCodes();
        var type = member[choice.Length..];
        if (codes.Count > 0 && !codes.Any(code => code.Contains(':') || string.Equals(code, type, StringComparison.OrdinalIgnoreCase) || (FhirDefinitions.R4.Type(code) is { } known && FhirDefinitions.R4.Type(type) is { } value && known.Is(value))))
        {
            throw new SnapshotException(SnapshotIssues.WrongType(path, type));
        }
    }
}
