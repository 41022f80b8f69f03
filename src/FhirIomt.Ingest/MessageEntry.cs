using FhirIomt.Core;

namespace FhirIomt.Ingest;

/// <summary>One message of a request: taken, or refused without harm to its neighbours.</summary>
public abstract record MessageEntry
{
    private MessageEntry(int index) => Index = index;

    /// <summary>Position in the request, from 0; blank lines do not count.</summary>
    public int Index { get; }

    /// <summary>A message in its envelope. The envelope may be a slice of the request's body: keep that unchanged while it is in use.</summary>
    public sealed record Taken(DeviceReading Reading) : MessageEntry(Reading.Index);

    /// <summary>A message that could not be taken, and its own text as far as it is known, for the quarantine.</summary>
    public sealed record Refused(int Position, ReadOnlyMemory<byte> Payload, Issue Issue) : MessageEntry(Position);
}
