namespace FhirIomt.Mapping.Templates;

internal enum FhirValueKind
{
    Quantity,
    Text,
    Concept,

    /// <summary>SampledData: one or many readings as tokens of one text.</summary>
    Samples,
}

/// <summary>Which readings share one Observation.</summary>
internal enum ReadingPeriod
{
    /// <summary>All of one correlation id.</summary>
    Correlation = -1,

    /// <summary>None: each moment has its own.</summary>
    Single = 0,

    /// <summary>All of one hour, UTC.</summary>
    Hourly = 60,

    /// <summary>All of one day, UTC.</summary>
    Daily = 1440,
}

/// <summary>How one value becomes JSON: what stands before and after the value's own text, ready as bytes.</summary>
/// <param name="Name">The extracted value it takes; compared with case.</param>
internal sealed record FhirValue(string Name, FhirValueKind Kind, byte[] Before, byte[] After)
{
    /// <summary>Time between two samples of a SampledData; zero for other values.</summary>
    public TimeSpan SamplePeriod { get; init; }
}

/// <summary>A component: its code as <c>"code":{…},</c>, and its value.</summary>
internal sealed record FhirComponent(byte[] Code, FhirValue Value);

/// <summary>A CodeValueFhir template, compiled: every constant part of its Observation is JSON already.</summary>
internal sealed record FhirTemplate
{
    public required string TypeName { get; init; }

    /// <summary><c>"category":[…],</c>, or nothing.</summary>
    public required byte[] Category { get; init; }

    /// <summary>The template's own codings, each followed by a comma; the coding of the reading's type comes after them.</summary>
    public required byte[] Codings { get; init; }

    public FhirValue? Value { get; init; }

    public required IReadOnlyList<FhirComponent> Components { get; init; }

    /// <summary><c>"meta":{"profile":[…]},</c>, or nothing.</summary>
    public required byte[] Meta { get; init; }

    public ReadingPeriod Period { get; init; }

    /// <summary>What fails with each message, in a mapping that asks for errors at run time.</summary>
    public string? Failure { get; init; }

    /// <summary>Ours: effectiveDateTime in place of the connector's effectivePeriod.</summary>
    public required bool EffectiveDateTime { get; init; }
}
