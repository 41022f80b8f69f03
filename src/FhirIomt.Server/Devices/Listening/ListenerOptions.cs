using System.Net;
using FhirIomt.Server.Hosting.Guarding;

namespace FhirIomt.Server.Devices.Listening;

/// <summary>Where devices are listened to besides HTTP; settings that all such listeners share.</summary>
internal abstract class ListenerOptions
{
    /// <summary>Address and port, such as <c>127.0.0.1:2575</c>; empty: off.</summary>
    public string? Listen { get; set; }

    /// <summary>PEM files of the certificate and its key: with them connections are TLS 1.2 or 1.3.</summary>
    public string? Certificate { get; set; }

    public string? Key { get; set; }

    /// <summary>Connections at the same time; 1 to 100,000.</summary>
    public int MaxConnections { get; set; } = 10_000;

    public bool IsOn => !string.IsNullOrEmpty(Listen);

    public bool IsTls => !string.IsNullOrEmpty(Certificate);

    public TlsOptions Tls => new() { Certificate = Certificate, Key = Key };

    public IPEndPoint EndPoint => IPEndPoint.Parse(Listen!);

    protected IEnumerable<string> Problems(string section)
    {
        if (!IsOn)
        {
            yield break;
        }

        if (!IPEndPoint.TryParse(Listen!, out var endPoint) || !Listen!.Contains(':', StringComparison.Ordinal))
        {
            yield return $"{section}:Listen must be an address with a port, such as 127.0.0.1:2575.";
        }
        else if (!IsTls && !IPAddress.IsLoopback(endPoint.Address) && !AllowPlain)
        {
            yield return $"{section}:Listen is not loopback: give it {section}:Certificate and {section}:Key, or say {section}:AllowPlain=true when the network itself is protected.";
        }

        if (IsTls && Tls.Load() is null)
        {
            yield return $"{section}:Certificate and {section}:Key must be PEM files that can be read and belong together.";
        }

        if (MaxConnections is < 1 or > 100_000)
        {
            yield return $"{section}:MaxConnections must be from 1 to 100000.";
        }
    }

    /// <summary>Without TLS everybody on the way reads along: only loopback, unless somebody says that the network is protected.</summary>
    public bool AllowPlain { get; set; }

}
