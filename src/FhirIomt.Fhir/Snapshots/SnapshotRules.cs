using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Snapshots;

/// <summary>What a differential may not say (FHIR R4 §5.1.0.2: a profile only narrows).</summary>
internal static class SnapshotRules
{
    public static void Check(ElementDraft known, ElementDraft said, string path, bool isSlice)
    {
        CheckCardinality(known, said, path, isSlice);
        CheckTypes(known, said, path);
        if (known["mustSupport"] is { Exists: true, Kind: NodeKind.True } && said["mustSupport"] is { Exists: true, Kind: NodeKind.False } && !isSlice)
        {
            throw new SnapshotException(SnapshotIssues.Relaxed(path, "mustSupport"));
        }

        CheckValue(said, path, "fixed", known);
        CheckValue(said, path, "pattern", known);
    }

    private static void CheckCardinality(ElementDraft known, ElementDraft said, string path, bool isSlice)
    {
        if (said["max"].Exists && !isSlice && known["max"].Exists && known.Max is { } limit && (said.Max ?? int.MaxValue) > limit)
        {
            throw new SnapshotException(SnapshotIssues.WrongCardinality(path, $"allows more than the base's {limit}"));
        }

        if (said["min"].Exists && !isSlice && known["min"].Exists && said.Min < known.Min)
        {
            throw new SnapshotException(SnapshotIssues.WrongCardinality(path, $"asks for less than the base's {known.Min}"));
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
