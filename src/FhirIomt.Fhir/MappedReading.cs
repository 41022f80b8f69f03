using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using FhirIomt.Fhir.Json;

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

    /// <summary>From a credential of one device it is that device's, whatever the message calls itself: services of wearables name no device that could be registered.</summary>
    public virtual bool IsOfSender => false;

    /// <summary>The patient's identifier value as the message gave it, if the mapping extracts one.</summary>
    public abstract string? PatientIdentifier { get; }

    public abstract string? EncounterIdentifier { get; }

    /// <summary>Which of the people who share the device, by the number it has for them: a device identifier with <c>#2</c> behind it is for the second.</summary>
    public virtual int? UserSlot => null;

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

    /// <summary>
    /// Null for a reading with a resource of its own. Readings of one batch with equal values here (and of one device, patient and encounter) share
    /// resources and are placed together by <see cref="Place"/>.
    /// </summary>
    public virtual object? Window => null;

    /// <summary>The key under which a window's resource is looked for first; null without <see cref="Window"/>.</summary>
    public virtual SourceKey? WindowKey(string patientId, string deviceId) => null;

    /// <summary>Puts readings of one <see cref="Window"/> into its resources.</summary>
    public virtual IReadOnlyList<PlacedReading> Place(IReadOnlyList<MappedReading> readings, in ResolvedReading resolved, IWindowShelf shelf) =>
        throw new InvalidOperationException("This reading has a resource of its own.");

    /// <summary>The mapping asks that readings of one second share a resource, as in the IoMT connector.</summary>
    public virtual bool SharesSecond => false;

    /// <summary>The mapping asks that a value which was absent at first is refused later, as in the IoMT connector.</summary>
    public virtual bool AbsentStaysAbsent => false;

    /// <summary>Tells of a stretch of something that lasts, such as an alarm: <see cref="Update"/> says what becomes of the resource that is there.</summary>
    public virtual bool IsEpisode => false;

    /// <summary>Writes the resource as it is once this reading is known too; of an episode only.</summary>
    public virtual void Update(ResourceNode stored, in ResolvedReading resolved, IBufferWriter<byte> output) =>
        throw new InvalidOperationException("This reading is no part of an episode.");

    /// <summary>Writes the resource of this reading alone as JSON.</summary>
    public abstract void Write(IBufferWriter<byte> output, in ResolvedReading resolved);
}

/// <summary>A source key and the resource id derived from it.</summary>
/// <param name="System">Identifier system.</param>
/// <param name="Value">Identifier value.</param>
/// <param name="ResourceId">Logical id: <see cref="IdOf"/> of both, as the IoMT connector makes it.</param>
public readonly record struct SourceKey(string System, string Value, string ResourceId)
{
    /// <summary>Identifier system of the IoMT connector: readings keep it, so that what the connector wrote is found again.</summary>
    public const string ConnectorSystem = "https://azure.microsoft.com/en-us/services/iomt-fhir-connector/";

    /// <summary>The key with the connector's system.</summary>
    public static SourceKey OfConnector(string value) => new(ConnectorSystem, value, IdOf(ConnectorSystem, value));

    /// <summary>Lower-case hex SHA-256 of <c>{system}_{value}</c>.</summary>
    public static string IdOf(string system, string value)
    {
        var length = Encoding.UTF8.GetMaxByteCount(system.Length) + 1 + Encoding.UTF8.GetMaxByteCount(value.Length);
        Span<byte> input = length <= 1024 ? stackalloc byte[1024] : new byte[length];
        var used = Encoding.UTF8.GetBytes(system, input);
        input[used++] = (byte)'_';
        used += Encoding.UTF8.GetBytes(value, input[used..]);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(input[..used], hash);
        return Convert.ToHexStringLower(hash);
    }
}

/// <summary>What the pipeline found out about a reading.</summary>
/// <param name="Issued">When the server took it in.</param>
/// <param name="Amended">Whether it replaces a value already stored: FHIR status <c>amended</c> instead of <c>final</c>.</param>
public readonly record struct ResolvedReading(SourceKey Key, string PatientId, string DeviceId, string? EncounterId, DateTimeOffset Issued, bool Amended);
