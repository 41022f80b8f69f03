using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Ingest;
using FhirIomt.Mapping;

namespace FhirIomt.Server.Devices.Streaming;

/// <summary>One message of a transport that has no requests: what one publish carried, which may be several device messages.</summary>
/// <param name="Bytes">Of the payload, for the limit on what waits.</param>
internal sealed record StreamMessage(Sender Sender, string? Address, ActiveMapping Mapping, IReadOnlyList<MessageEntry> Entries, int Bytes)
{
    /// <summary>Nobody can be told that it is refused: then it waits in quarantine.</summary>
    public bool KeepsRefused { get; init; }

    /// <summary>The same for the same message sent again; null where nobody sends again.</summary>
    public string? RepeatKey { get; init; }

    /// <summary>Its transport says that it may have been here before.</summary>
    public bool IsRepeated { get; init; }

    public TimeSpan RepeatsKnown { get; init; }

    /// <summary>Of who sends, where it was sent to and what it says: nothing that changes when it is sent again.</summary>
    public static string KeyOf(Sender sender, string topic, ReadOnlySpan<byte> payload)
    {
        var head = $"stream\n{sender.Id}\n{topic}\n";
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(head.Length) + payload.Length);
        var length = Encoding.UTF8.GetBytes(head, bytes);
        payload.CopyTo(bytes.AsSpan(length));
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes.AsSpan(0, length + payload.Length), hash);
        ArrayPool<byte>.Shared.Return(bytes);
        return Convert.ToHexStringLower(hash);
    }
}

/// <summary>Stands for a mapping that is not there: its messages wait in quarantine under its name, and can be replayed when it is.</summary>
internal sealed class MissingMapping(Issue issue) : IMessageMapper
{
    public string Version => "";

    public MapResult Map(JsonTree envelope, MappingContext context) => new([], [issue]);

    public static ActiveMapping Named(string? name) => new(name ?? "", 0, IdentityMode.Lookup, new MissingMapping(name is null ? DeviceIssues.NoMapping() : DeviceIssues.UnknownMapping(name)));
}

/// <summary>Refusals of messages that come by MQTT or RabbitMQ: IOMT-0940 to IOMT-0969.</summary>
internal static class StreamIssues
{
    public static Issue Fault() => Issue.Error(IssueKind.Exception, "IOMT-0940", "The server failed with this message; it is kept.", fix: "Report it with the message's id; replay it after an upgrade.");

    public static Issue NoSubscriptions() => Issue.Error(IssueKind.NotSupported, "IOMT-0941", "Devices publish here; nothing can be subscribed to.", fix: "Read receipts with GET /devices/messages/{id}.");

    public static Issue CredentialUnknown() => Issue.Error(IssueKind.Login, "IOMT-0942", "The password is no credential that is known, and no certificate is.", fix: "Send as password what 'fhiriomt device add' or 'vendor add' printed, or connect with a registered certificate.");

    public static Issue NoAuthenticationMethods() => Issue.Error(IssueKind.NotSupported, "IOMT-0943", "There are no authentication methods beside password and certificate.", fix: "Leave out the property Authentication Method.");

    public static Issue NoClientId() => Issue.Error(IssueKind.Required, "IOMT-0944", "A session that is kept needs a client identifier.", fix: "Send one, or set Clean Session.");

    public static Issue NotRetained() => new(IssueSeverity.Information, IssueKind.Informational, "IOMT-0945", "The retained flag counts for nothing: nobody subscribes here.");

    public static Issue UnknownContentType(string type) => Issue.Error(IssueKind.NotSupported, "IOMT-0946", $"The content type '{(type.Length <= 64 ? type : type[..64] + "…")}' is not taken.", fix: "Send application/json, application/x-ndjson, text/csv or application/hl7-v2, or json, ndjson, csv or hl7.");

    public static Issue NoIdentity() => Issue.Error(IssueKind.Login, "IOMT-0950", "The message does not prove who sent it.", fix: "Publish with the header 'credential', or as a broker's user whom RabbitMq:TrustUsers names, or to a topic that RabbitMq:TrustTopics believes.");
}
