using FhirIomt.Core;

namespace FhirIomt.Ingest;

/// <summary>One message of a request: taken, or refused without harm to its neighbours.</summary>
public abstract record MessageEntry
{
    private MessageEntry(int index) => Index = index;

    /// <summary>Position in the request, from 0; blank lines do not count.</summary>
    public int Index { get; }

    /// <summary>The same message at another place, among those of others.</summary>
    public abstract MessageEntry At(int index);

    /// <summary>A message in its envelope. The envelope may be a slice of the request's body: keep that unchanged while it is in use.</summary>
    public sealed record Taken(DeviceReading Reading) : MessageEntry(Reading.Index)
    {
        public override MessageEntry At(int index) => new Taken(Reading with { Index = index });
    }

    /// <summary>A message that cannot be read, from a transport that has no way of sending it back: kept as it came, with the reason.</summary>
    public sealed record Unreadable(DeviceReading Reading, Issue Issue) : MessageEntry(Reading.Index)
    {
        public override MessageEntry At(int index) => new Unreadable(Reading with { Index = index }, Issue);
    }

    /// <summary>A message that could not be taken.</summary>
    public sealed record Refused : MessageEntry
    {
        internal Refused(int index, ReadOnlyMemory<byte> payload, Issue issue)
            : base(index)
        {
            Payload = payload;
            Issue = issue;
        }

        /// <summary>The message's own text as far as it is known, for the quarantine: a slice of the request's body.</summary>
        public ReadOnlyMemory<byte> Payload { get; }

        public Issue Issue { get; }

        public override MessageEntry At(int index) => new Refused(index, Payload, Issue);
    }
}
