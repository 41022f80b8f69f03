using FhirIomt.Core;
using FhirIomt.Ingest.Mqtt;
using FhirIomt.Server.Devices.Streaming;

namespace FhirIomt.Server.Devices.Mqtt;

/// <summary>Gives what was published to the pipeline, and says in the protocol's words what became of it.</summary>
internal sealed class MqttPublisher(MqttOptions options, PayloadReader reader, MessageIntake intake)
{
    /// <summary>Answers when the message has its place; the receipt is there when it is durable.</summary>
    public async ValueTask<Task<MqttReceipt>> SubmitAsync(Sender sender, string? address, MqttPacket.Publish publish, MqttVersion version, string? key, int lane, CancellationToken cancellationToken)
    {
        // MQTT 3.1.1 has no word for "refused" (3.3.5), and QoS 0 none at all: what HTTP would send back waits in quarantine.
        var keepsRefused = version == MqttVersion.V311 || publish.Qos == 0;
        var payload = new StreamPayload(publish.Topic, publish.Payload, publish.Properties.ContentType, publish.Properties.User);
        if (!(await reader.ReadAsync(sender, address, payload, keepsRefused, cancellationToken).ConfigureAwait(false)).TryGetValue(out var message, out var issues))
        {
            return Task.FromResult(Refused(issues[0]));
        }

        message = message with { RepeatKey = key, IsRepeated = publish.IsRepeated, RepeatsKnown = options.RepeatsKnown };
        return ReceiptAsync(await intake.SubmitAsync(message, lane, cancellationToken).ConfigureAwait(false), publish.IsRetained);
    }

    private static async Task<MqttReceipt> ReceiptAsync(Task<IReadOnlyList<MessageReceipt>> stored, bool isRetained)
    {
        IReadOnlyList<MessageReceipt> receipts;
        try
        {
            receipts = await stored.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return new MqttReceipt(MqttReason.ServerShuttingDown, null) { EndsConnection = true };
        }
        catch (Exception)
        {
            // The intake has logged it.
            return new MqttReceipt(MqttReason.ImplementationSpecificError, null) { EndsConnection = true };
        }

        if (receipts is [{ Status: MessageStatus.Stored, Issues.Count: 0 }])
        {
            return isRetained ? new MqttReceipt(MqttReason.Success, Text(StreamIssues.NotRetained())) : MqttReceipt.Success;
        }

        // The sender still has it, and shall keep it: an acknowledgement with a reason would make most clients forget it.
        if (receipts.Any(receipt => receipt.Issues.Any(issue => issue.Code == "IOMT-0590")))
        {
            return new MqttReceipt(MqttReason.QuotaExceeded, null) { EndsConnection = true };
        }

        var found = receipts.Where(receipt => receipt.Status is (MessageStatus.Refused or MessageStatus.Quarantined or MessageStatus.Partial) && receipt.Issues.Count > 0)
            .Select(receipt => (receipt.Id, Issue: receipt.Issues.FirstOrDefault(issue => issue.Refuses) ?? receipt.Issues[0])).FirstOrDefault();
        return receipts.Count > 0 && receipts.All(receipt => receipt.Status == MessageStatus.Refused) ? Refused(found.Issue)
            : found.Issue is not null ? new MqttReceipt(MqttReason.Success, $"{found.Id}: {Text(found.Issue)}")
            : isRetained ? new MqttReceipt(MqttReason.Success, Text(StreamIssues.NotRetained())) : MqttReceipt.Success;
    }

    private static MqttReceipt Refused(Issue issue) => new(
        issue.Code switch
        {
            "IOMT-0520" => MqttReason.NotAuthorized,
            "IOMT-0530" or "IOMT-0531" => MqttReason.TopicNameInvalid,
            _ => MqttReason.PayloadFormatInvalid,
        },
        Text(issue));

    private static string Text(Issue issue) => $"{issue.Code} {issue.Message} {issue.Fix}".TrimEnd();
}
