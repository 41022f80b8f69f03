using FhirIomt.Core;
using FhirIomt.Fhir;

namespace FhirIomt.Mapping;

/// <summary>What one message yields: the readings that could be mapped, and for everything that could not an issue. One never costs the other.</summary>
/// <param name="Readings">In template order, then in document order.</param>
/// <param name="Issues">
/// IOMT-0420 to IOMT-0432. An error is one reading that was not mapped. Warnings are an optional value left out (IOMT-0431), and a
/// message in which no template found anything (IOMT-0430).
/// </param>
public sealed record MapResult(IReadOnlyList<MappedReading> Readings, IReadOnlyList<Issue> Issues)
{
    /// <summary>The mapping knows the message and wants nothing of it, such as a goal or an empty page: no reason to keep it.</summary>
    public bool IsLeftOut { get; init; }
}
