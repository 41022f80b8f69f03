using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Terminology;

/// <summary>Reads that terminology resources need often.</summary>
internal static class NodeReading
{
    public static bool IsTrue(this ResourceNode node) => node.Exists && node.Kind == NodeKind.True;

    public static bool IsFalse(this ResourceNode node) => node.Exists && node.Kind == NodeKind.False;
}
