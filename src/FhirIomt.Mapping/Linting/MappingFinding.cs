using FhirIomt.Core;

namespace FhirIomt.Mapping.Linting;

/// <summary>Which of a mapping's texts a finding is about.</summary>
public enum MappingText
{
    Device,
    Fhir,
    Sample,
}

/// <summary>One finding of the linter. The issue's position is a place in that text.</summary>
public sealed record MappingFinding(MappingText Text, Issue Issue);
