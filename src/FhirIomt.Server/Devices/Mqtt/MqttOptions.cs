using FhirIomt.Server.Devices.Listening;

namespace FhirIomt.Server.Devices.Mqtt;

/// <summary>Settings of section <c>Mqtt</c>: MQTT 3.1.1 and 5 for devices that publish readings.</summary>
internal sealed class MqttOptions : ListenerOptions
{
    /// <summary>Also over WebSocket, at <c>/mqtt</c> of the HTTP addresses (subprotocol <c>mqtt</c>).</summary>
    public bool WebSocket { get; set; }

    /// <summary>Largest packet, in bytes; 1 kB to 16 MiB. 256 kB holds 1,000 messages of a gateway.</summary>
    public int MaxPacketBytes { get; set; } = 256 * 1024;

    /// <summary>Messages of one connection that are under way at once (Receive Maximum); 1 to 10,000. A commit takes milliseconds: a hundred keep even a gateway at full speed.</summary>
    public int InFlight { get; set; } = 100;

    /// <summary>Longest silence of a connection, whatever keep-alive it asks for; 1 second to 18 hours.</summary>
    public TimeSpan MaxKeepAlive { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Longest time that a session is kept without its connection; 0 to 30 days. Devices that were off for longer send again what was not acknowledged, and nothing is stored twice.</summary>
    public TimeSpan SessionsKept { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Sessions at the same time, with and without connection; 1 to 1,000,000. Beyond it new ones are not kept without their connection.</summary>
    public int MaxSessions { get; set; } = 100_000;

    /// <summary>How long a message that waits in quarantine is known when it is sent again; 1 minute to 30 days.</summary>
    public TimeSpan RepeatsKnown { get; set; } = TimeSpan.FromDays(7);

    public IEnumerable<string> Problems()
    {
        foreach (var problem in Problems("Mqtt"))
        {
            yield return problem;
        }

        if (MaxPacketBytes is < 1024 or > 16 * 1024 * 1024)
        {
            yield return "Mqtt:MaxPacketBytes must be from 1024 to 16777216.";
        }

        if (InFlight is < 1 or > 10_000)
        {
            yield return "Mqtt:InFlight must be from 1 to 10000.";
        }

        if (MaxKeepAlive < TimeSpan.FromSeconds(1) || MaxKeepAlive > TimeSpan.FromHours(18))
        {
            yield return "Mqtt:MaxKeepAlive must be from 00:00:01 to 18:00:00.";
        }

        if (SessionsKept < TimeSpan.Zero || SessionsKept > TimeSpan.FromDays(30))
        {
            yield return "Mqtt:SessionsKept must be from 00:00:00 to 30.00:00:00.";
        }

        if (MaxSessions is < 1 or > 1_000_000)
        {
            yield return "Mqtt:MaxSessions must be from 1 to 1000000.";
        }

        if (RepeatsKnown < TimeSpan.FromMinutes(1) || RepeatsKnown > TimeSpan.FromDays(30))
        {
            yield return "Mqtt:RepeatsKnown must be from 00:01:00 to 30.00:00:00.";
        }
    }
}
