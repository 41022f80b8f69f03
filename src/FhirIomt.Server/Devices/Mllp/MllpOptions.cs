using System.Net;
using FhirIomt.Server.Devices.Listening;

namespace FhirIomt.Server.Devices.Mllp;

/// <summary>Settings of section <c>Mllp</c>: HL7 v2 over TCP, as hospital gateways speak it.</summary>
internal sealed class MllpOptions : ListenerOptions
{
    /// <summary>The vendor whose devices speak here when the connection shows no registered certificate. Empty: only certificates count.</summary>
    public string? Vendor { get; set; }

    /// <summary>Addresses and networks that may speak for <see cref="Vendor"/>, separated by commas.</summary>
    public string From { get; set; } = "127.0.0.0/8,::1";

    /// <summary>
    /// The readings are of the patients whom PID-3 names, without an assignment of the device: by identifiers of this system (a URI), because the same number means another person
    /// elsewhere. Empty: only assignments say whose they are.
    /// </summary>
    public string? PatientSystem { get; set; }

    /// <summary>IANA zone of times without offset, such as Europe/Berlin; empty: such readings wait in quarantine.</summary>
    public string? TimeZone { get; set; }

    /// <summary>Largest message, in bytes; 1 kB to 64 MiB.</summary>
    public int MaxMessageBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>How long a connection may say nothing, and how long a message may take to come in; 1 second to 1 day.</summary>
    public TimeSpan IdleTime { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>How long the same message is known and acknowledged again without being stored again; 1 minute to 30 days.</summary>
    public TimeSpan RepeatsKnown { get; set; } = TimeSpan.FromDays(7);

    public TimeZoneInfo? Zone => string.IsNullOrEmpty(TimeZone) ? null : TimeZoneInfo.FindSystemTimeZoneById(TimeZone);

    /// <summary>Whether that address may speak for the vendor.</summary>
    public bool Admits(IPAddress? address)
    {
        var plain = address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;
        return plain is not null && Networks().Any(network => network is { } known && known.Contains(plain));
    }

    public IEnumerable<string> Problems()
    {
        foreach (var problem in Problems("Mllp"))
        {
            yield return problem;
        }

        if (Networks().Any(network => network is null))
        {
            yield return "Mllp:From must list addresses or networks such as 10.0.0.5 or 10.1.0.0/16.";
        }

        if (!string.IsNullOrEmpty(TimeZone) && !TimeZoneInfo.TryFindSystemTimeZoneById(TimeZone, out _))
        {
            yield return "Mllp:TimeZone is not a zone such as Europe/Berlin.";
        }

        if (IsOn && string.IsNullOrEmpty(Vendor) && !IsTls)
        {
            yield return "Mllp:Vendor must name whose devices speak here, or Mllp:Certificate must be there so that senders show certificates.";
        }

        if (MaxMessageBytes is < 1024 or > 64 * 1024 * 1024)
        {
            yield return "Mllp:MaxMessageBytes must be from 1024 to 67108864.";
        }

        if (IdleTime < TimeSpan.FromSeconds(1) || IdleTime > TimeSpan.FromDays(1))
        {
            yield return "Mllp:IdleTime must be from 00:00:01 to 1.00:00:00.";
        }

        if (RepeatsKnown < TimeSpan.FromMinutes(1) || RepeatsKnown > TimeSpan.FromDays(30))
        {
            yield return "Mllp:RepeatsKnown must be from 00:01:00 to 30.00:00:00.";
        }
    }

    private IEnumerable<IPNetwork?> Networks() => From.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .Select(entry => IPAddress.TryParse(entry, out var address) ? new IPNetwork(address, address.GetAddressBytes().Length * 8) : IPNetwork.TryParse(entry, out var network) ? network : (IPNetwork?)null);
}
