using FhirIomt.Fhir.Json;
using Units = FhirIomt.Core.Units;

namespace FhirIomt.Validation.Questionnaires;

/// <summary>Quantities as ordered values.</summary>
internal static class Quantities
{
    private static ReadOnlySpan<byte> Ucum => "http://unitsofmeasure.org"u8;

    /// <summary>Null when the units cannot be compared, or are not coded.</summary>
    public static int? Compare(ResourceNode left, ResourceNode right)
    {
        if (AnswerOrder.Number(left["value"u8]) is not { } one || AnswerOrder.Number(right["value"u8]) is not { } other
            || left["code"u8].AsString() is not { } leftUnit || right["code"u8].AsString() is not { } rightUnit || left["system"u8].AsString() != right["system"u8].AsString())
        {
            return null;
        }

        return leftUnit == rightUnit ? one.CompareTo(other)
            : left["system"u8].TextEquals(Ucum) ? InOneUnit(one, leftUnit, other, rightUnit)
            : null;
    }

    private static int? InOneUnit(decimal left, string leftUnit, decimal right, string rightUnit) =>
        Units.Ucum.Standard.Convert(left, leftUnit, rightUnit)?.CompareTo(right);
}
