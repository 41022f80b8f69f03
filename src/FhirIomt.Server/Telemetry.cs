using System.Diagnostics;
using System.Diagnostics.Metrics;
using FhirIomt.Server.Devices;

namespace FhirIomt.Server;

/// <summary>The server's own activities and meters. Labels are small closed sets: nothing about a patient, a device or a sender.</summary>
internal static class Telemetry
{
    public const string Name = "FhirIomt";

    public static readonly ActivitySource Source = new(Name);

    private static readonly Meter Meter = new(Name);

    private static readonly Counter<long> Messages = Meter.CreateCounter<long>("fhiriomt.device.messages", "{message}", "Device messages by what became of them");

    private static Func<long> _waiting = static () => 0;

    static Telemetry() => Meter.CreateObservableGauge("fhiriomt.device.quarantine", () => _waiting(), "{message}", "Messages that wait in quarantine");

    /// <summary>Where the number of waiting messages is asked for.</summary>
    public static void ObserveQuarantine(Func<long> waiting) => _waiting = waiting;

    public static void CountMessages(IReadOnlyList<MessageReceipt> receipts)
    {
        if (!Messages.Enabled)
        {
            return;
        }

        foreach (var group in receipts.GroupBy(receipt => receipt.Status))
        {
            Messages.Add(group.Count(), new KeyValuePair<string, object?>("status", group.Key.ToString().ToLowerInvariant()));
        }
    }
}
