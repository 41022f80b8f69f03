namespace FhirIomt.Mapping.Templates;

/// <summary>One value that a device template extracts.</summary>
internal sealed record ExtractedValue(string Name, MappingExpression Path, bool Required);

/// <summary>A device template, compiled: which parts of a message are readings, and where their members stand.</summary>
internal sealed record ContentTemplate
{
    public required string TypeName { get; init; }

    /// <summary>Where the template stands in its text.</summary>
    public required Core.TextPosition Position { get; init; }

    public required MappingExpression Match { get; init; }

    public required MappingExpression DeviceId { get; init; }

    /// <summary>The first path that finds something gives the time; only the IoT Hub form has two.</summary>
    public required IReadOnlyList<MappingExpression> Time { get; init; }

    public MappingExpression? PatientId { get; init; }

    public MappingExpression? EncounterId { get; init; }

    public MappingExpression? CorrelationId { get; init; }

    public required IReadOnlyList<ExtractedValue> Values { get; init; }

    /// <summary>Whether paths run on the whole event with <c>matchedToken</c> (CalculatedContent) or on the matched token itself (the others).</summary>
    public required bool SeesWholeEvent { get; init; }
}
