using System.Buffers;

namespace FhirIomt.Fhir;

/// <summary>
/// One reading after mapping: everything that is known before the device's and patient's resources are. The pipeline resolves these,
/// then lets <see cref="Write"/> produce the resource.
/// </summary>
public abstract class MappedReading
{
    /// <summary>The mapping's type name, for example <c>heartrate</c>.</summary>
    public abstract string Type { get; }

    /// <summary>The device's identifier value as the message gave it.</summary>
    public abstract string DeviceIdentifier { get; }

    /// <summary>The patient's identifier value as the message gave it, if the mapping extracts one.</summary>
    public abstract string? PatientIdentifier { get; }

    public abstract string? EncounterIdentifier { get; }

    /// <summary>The device's own time text, as it came in.</summary>
    public abstract string DeviceTime { get; }

    /// <summary>Start of the reading. Never guessed: a text without zone is mapped only when the mapping or the caller declared one.</summary>
    public abstract DateTimeOffset Start { get; }

    /// <summary>End of the reading, inclusive; equals <see cref="Start"/> for a single moment.</summary>
    public abstract DateTimeOffset End { get; }

    /// <summary>FHIR type of the resource, for example <c>Observation</c>.</summary>
    public abstract string ResourceType { get; }

    /// <summary>
    /// The deterministic key of this reading for those two resources: the value is never part of it. <paramref name="withFraction"/> asks for the
    /// longer form, used when another reading of the same second already owns the short one.
    /// </summary>
    public abstract SourceKey SourceKey(string patientId, string deviceId, bool withFraction);

    /// <summary>Writes the resource as JSON.</summary>
    public abstract void Write(IBufferWriter<byte> output, in ResolvedReading resolved);
}

/// <summary>A source key and the resource id derived from it.</summary>
/// <param name="System">Identifier system.</param>
/// <param name="Value">Identifier value.</param>
/// <param name="ResourceId">Logical id: lower-case hex SHA-256 of <c>{System}_{Value}</c>, as the IoMT connector makes it.</param>
public readonly record struct SourceKey(string System, string Value, string ResourceId);

/// <summary>What the pipeline found out about a reading.</summary>
/// <param name="Issued">When the server took it in.</param>
/// <param name="Amended">Whether it replaces a value already stored: FHIR status <c>amended</c> instead of <c>final</c>.</param>
public readonly record struct ResolvedReading(SourceKey Key, string PatientId, string DeviceId, string? EncounterId, DateTimeOffset Issued, bool Amended);
