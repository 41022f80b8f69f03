using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Ingest;
using FhirIomt.Ingest.Hl7;
using FhirIomt.Server.Devices.Listening;
using FhirIomt.Storage;

namespace FhirIomt.Server.Devices.Mllp;

/// <summary>
/// HL7 v2 over TCP. A message is acknowledged when what it says is durable: stored, or kept with the reason why it was not. A message that was received before, with the
/// same content, is acknowledged as it was then.
/// </summary>
internal sealed class MllpListener(
    MllpOptions options, IngestPipeline pipeline, SenderCredentials credentials, MappingCatalog mappings, IStore store, IdSource ids, TimeProvider time, ILogger<MllpListener> logger)
    : DeviceListener(options, logger)
{
    private static readonly string[] Versions = ["2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2"];

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (options is { IsOn: true, Vendor.Length: > 0 } && await store.FindRecordAsync(RecordKind.Vendor, options.Vendor, cancellationToken).ConfigureAwait(false) is null)
        {
            logger.UnknownVendor(options.Vendor);
        }

        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    protected override async Task ServeAsync(DeviceConnection connection, CancellationToken stopping)
    {
        if (await SenderOfAsync(connection, stopping).ConfigureAwait(false) is not { } sender)
        {
            return;
        }

        var frames = new MllpFrames(PipeReader.Create(connection.Stream), options.MaxMessageBytes, options.IdleTime);
        while (await frames.ReadAsync(stopping).ConfigureAwait(false) is { } bytes)
        {
            // Not the listener's token: a message in hand is brought to its end, so that its sender hears what became of it.
            foreach (var acknowledgement in await TakeAsync(sender, connection, bytes, CancellationToken.None).ConfigureAwait(false))
            {
                await connection.Stream.WriteAsync(MllpFrames.Frame(acknowledgement), CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask<Sender?> SenderOfAsync(DeviceConnection connection, CancellationToken cancellationToken)
    {
        if (connection.Certificate is { } certificate)
        {
            return await credentials.FindAsync(certificate, cancellationToken).ConfigureAwait(false);
        }

        return options.Vendor is { Length: > 0 } vendor && options.Admits(connection.Address) && await store.FindRecordAsync(RecordKind.Vendor, vendor, cancellationToken).ConfigureAwait(false) is not null
            ? new Sender.Vendor(vendor, MappingCatalog.Hl7, string.IsNullOrEmpty(options.PatientSystem) ? null : options.PatientSystem) : null;
    }

    private async Task<IReadOnlyList<byte[]>> TakeAsync(Sender sender, DeviceConnection connection, byte[] bytes, CancellationToken cancellationToken)
    {
        if (!Hl7Message.Decode(bytes).TryGetValue(out var text, out var issues) || !Hl7Message.Parse(text).TryGetValue(out var message, out issues))
        {
            return [Hl7Acknowledgement.OfNoMessage(issues[0], ids, time.GetUtcNow())];
        }

        if (Refused(message) is { } refusal)
        {
            return Acknowledge(message, Hl7Receipt.Rejected, [refusal]);
        }

        try
        {
            var known = RepeatKey(sender, message, bytes);
            if (await FindBeforeAsync(known, cancellationToken).ConfigureAwait(false) is { } before)
            {
                return Acknowledge(message, before, []);
            }

            return await StoreAsync(sender, connection, message, bytes, known, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreBusyException)
        {
            return Acknowledge(message, Hl7Receipt.Rejected, [MllpIssues.Busy()], isOwnFault: true);
        }
        catch (Exception exception)
        {
            logger.NotTaken(exception);
            return Acknowledge(message, Hl7Receipt.Rejected, [MllpIssues.Fault()], isOwnFault: true);
        }
    }

    private async Task<IReadOnlyList<byte[]>> StoreAsync(Sender sender, DeviceConnection connection, Hl7Message message, byte[] bytes, string known, CancellationToken cancellationToken)
    {
        var mapping = (await mappings.FindAsync(sender.DefaultMapping ?? MappingCatalog.Hl7, cancellationToken).ConfigureAwait(false)) ?? (await mappings.FindAsync(MappingCatalog.Hl7, cancellationToken).ConfigureAwait(false))!;
        var request = new IngestRequest(sender, new RequestOrigin(connection.Address?.ToString(), ids.NewId()), mapping, [Hl7Envelope.Of(0, bytes)])
        {
            Zone = options.Zone,
            RepeatKey = known,
            RepeatsKnown = options.RepeatsKnown,
        };
        var receipt = (await pipeline.ProcessAsync(request, cancellationToken).ConfigureAwait(false))[0];
        // What a full quarantine did not keep is nowhere: the sender must come again.
        return receipt.Issues.Any(issue => issue.Code == "IOMT-0590") ? Acknowledge(message, Hl7Receipt.Rejected, receipt.Issues, isOwnFault: true)
            : receipt.Status == MessageStatus.Refused ? Acknowledge(message, Hl7Receipt.Error, receipt.Issues)
            : Acknowledge(message, Hl7Receipt.Accepted, receipt.Status is MessageStatus.Quarantined or MessageStatus.Partial ? receipt.Issues : []);
    }

    private async ValueTask<Hl7Receipt?> FindBeforeAsync(string key, CancellationToken cancellationToken) =>
        await store.FindRecordAsync(RecordKind.SeenMessage, key, cancellationToken).ConfigureAwait(false) is null ? null : Hl7Receipt.Accepted;

    // Monitors begin to count anew when they are switched on: the number alone does not make it the same message.
    private static string RepeatKey(Sender sender, Hl7Message message, byte[] bytes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{sender.Id}\n{message.Header[3]}\n{message.Header[4]}\n{message.ControlId}\n"));
        hash.AppendData(bytes);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static Issue? Refused(Hl7Message message)
    {
        var version = message.Header[12].Component(1).Text;
        return message.Type.Code != "ORU" ? MllpIssues.UnknownType()
            : message.Header[11].Component(1).Text is not ("P" or "D" or "T" or "") ? MllpIssues.UnknownProcessing()
            : version.Length > 0 && !Versions.Contains(version, StringComparer.Ordinal) ? MllpIssues.UnknownVersion()
            : null;
    }

    private IReadOnlyList<byte[]> Acknowledge(Hl7Message message, Hl7Receipt receipt, IReadOnlyList<Issue> issues, bool isOwnFault = false) =>
        [.. Hl7Acknowledgement.Of(message, receipt, issues, isOwnFault, ids, time.GetUtcNow())];
}

/// <summary>Why a message is not taken at all: IOMT-0582 to IOMT-0586.</summary>
internal static class MllpIssues
{
    public static Issue UnknownType() => Issue.Error(IssueKind.NotSupported, "IOMT-0582", "Messages of this type are not taken.", "MSH-9", "Send ORU.");

    public static Issue UnknownProcessing() => Issue.Error(IssueKind.CodeInvalid, "IOMT-0583", "The processing id is none of P, D and T.", "MSH-11", "Send P.");

    public static Issue UnknownVersion() => Issue.Error(IssueKind.CodeInvalid, "IOMT-0584", "The version is not taken.", "MSH-12", "Send 2.3 to 2.8.");

    public static Issue Busy() => Issue.Error(IssueKind.Transient, "IOMT-0585", "The store does not answer.", fix: "Send the message again later.");

    public static Issue Fault() => Issue.Error(IssueKind.Exception, "IOMT-0586", "The server failed.", fix: "Send the message again later.");
}

internal static partial class MllpLog
{
    [LoggerMessage(EventId = 72, Level = LogLevel.Warning, Message = "Mllp:Vendor names '{Vendor}', which is not registered yet: run 'fhiriomt vendor add'")]
    public static partial void UnknownVendor(this ILogger logger, string vendor);

    [LoggerMessage(EventId = 73, Level = LogLevel.Error, Message = "A message could not be taken")]
    public static partial void NotTaken(this ILogger logger, Exception exception);
}
