using FhirIomt.Access;
using FhirIomt.Ingest;

namespace FhirIomt.Server.Devices;

/// <summary>Messages that came together, and what is known about them beside their text.</summary>
/// <param name="Origin">Where they came from; null for the server's own demonstration.</param>
internal sealed record IngestRequest(Sender Sender, RequestOrigin? Origin, ActiveMapping Mapping, IReadOnlyList<MessageEntry> Entries)
{
    /// <summary>Of times that name none; null when nobody declared one.</summary>
    public TimeZoneInfo? Zone { get; init; }

    /// <summary>Under it the server remembers that it has these messages, in the transaction that stores them; null: nobody will ask.</summary>
    public string? RepeatKey { get; init; }

    public TimeSpan RepeatsKnown { get; init; }

    /// <summary>By place among the entries: under which it is remembered that a message waits in quarantine, so that it does not wait there twice when it is sent again.</summary>
    public IReadOnlyList<string?> KeptKeys { get; init; } = [];

    /// <summary>The transport cannot tell its sender that a message is refused: what only the sender can mend waits in quarantine too.</summary>
    public bool KeepsRefused { get; init; }

    /// <summary>When the messages came, where that was not now.</summary>
    public DateTimeOffset? Enqueued { get; init; }

    /// <summary>The only message is one that waited; it leaves the quarantine when all of it is stored.</summary>
    public Quarantine.QuarantinedMessage? Replayed { get; init; }
}
