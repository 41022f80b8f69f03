namespace FhirIomt.Mapping.Measurements;

/// <summary>A code with its system, as FHIR's Coding.</summary>
public readonly record struct CodedConcept(string System, string Code, string? Display = null)
{
    public const string Mdc = "urn:iso:std:iso:11073:10101";
    public const string Loinc = "http://loinc.org";

    public static CodedConcept OfMdc(string code) => new(Mdc, code, CodeTable.Standard.NameOf(code));
}

/// <summary>What was measured, or why nothing was. A closed set.</summary>
public abstract record MeasuredValue
{
    private MeasuredValue()
    {
    }

    /// <param name="Number">In digits, with the decimals it was sent with.</param>
    /// <param name="Unit">UCUM where known.</param>
    /// <param name="UnitText">What the sender called it, when UCUM is not known.</param>
    /// <param name="Comparator">&lt; or &gt; beyond what the sensor can measure.</param>
    public sealed record Quantity(string Number, string? Unit, string? UnitText = null, string? Comparator = null) : MeasuredValue;

    public sealed record Concept(CodedConcept Code, string? Text = null) : MeasuredValue;

    public sealed record PlainText(string Value) : MeasuredValue;

    public sealed record Flag(bool Value) : MeasuredValue;

    /// <summary>A stretch of a signal: each sample · <paramref name="Factor"/> + <paramref name="Origin"/>.</summary>
    /// <param name="Period">Between two samples, in ms, in digits.</param>
    /// <param name="Data">Samples with a space between two; <c>E</c> where there is none.</param>
    public sealed record Samples(string Origin, string? Unit, string Period, string Factor, string Data) : MeasuredValue;

    /// <param name="Reason">A code of FHIR's data-absent-reason.</param>
    public sealed record Absent(string Reason) : MeasuredValue;
}

/// <summary>A part of a measurement that has several, such as the diastolic pressure.</summary>
public sealed record MeasuredPart(CodedConcept Code, MeasuredValue Value);

/// <summary>One measurement of a device as a decoder found it, before anybody's resources are known.</summary>
public sealed record Measurement
{
    /// <summary>What was measured; of MDC wherever the sender has such a code.</summary>
    public required CodedConcept Code { get; init; }

    /// <summary>Further codings that the sender gave.</summary>
    public IReadOnlyList<CodedConcept> Translations { get; init; } = [];

    public string? CodeText { get; init; }

    public required string DeviceIdentifier { get; init; }

    public string? PatientIdentifier { get; init; }

    public string? EncounterIdentifier { get; init; }

    /// <summary>Which of the people who share the device, by the number it has for them; null when it knows one only.</summary>
    public int? UserSlot { get; init; }

    /// <summary>As the device said it.</summary>
    public required string DeviceTime { get; init; }

    public required DateTimeOffset Start { get; init; }

    /// <summary>Equals <see cref="Start"/> for a moment.</summary>
    public required DateTimeOffset End { get; init; }

    /// <summary>Null where the parts are what was measured.</summary>
    public MeasuredValue? Value { get; init; }

    public IReadOnlyList<MeasuredPart> Parts { get; init; } = [];

    /// <summary>Tells apart what one device measures of one kind at one time: a channel, a sequence number; never the value.</summary>
    public string? Channel { get; init; }

    public string Status { get; init; } = "final";

    public IReadOnlyList<CodedConcept> Interpretations { get; init; } = [];

    public CodedConcept? BodySite { get; init; }

    public CodedConcept? Method { get; init; }

    public string? Note { get; init; }

    /// <summary>Limits that were in force, such as of an alarm: low and high in digits, either null.</summary>
    public (string? Low, string? High)? Limits { get; init; }

    /// <summary>From a test or a demonstration: marked so that nobody takes it for a patient's.</summary>
    public bool IsTest { get; init; }

    /// <summary>The device says it of itself: battery, power. It is the subject then.</summary>
    public bool IsOfDevice { get; init; }

    /// <summary>By how much the device's clock was corrected; null when it was taken as it is.</summary>
    public TimeSpan? ClockOffset { get; init; }

    /// <summary>What handed the message over, by its identifier.</summary>
    public string? GatewayIdentifier { get; init; }

    /// <summary>A code of iomt-source-formats.</summary>
    public required string Format { get; init; }
}
