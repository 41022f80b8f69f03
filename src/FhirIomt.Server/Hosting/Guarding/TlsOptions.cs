using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FhirIomt.Server.Hosting.Guarding;

/// <summary>Settings of section <c>Tls</c>: for https addresses in <c>Urls</c>, where no proxy does TLS.</summary>
internal sealed class TlsOptions
{
    /// <summary>PEM file with the server's certificate, and those between it and the root.</summary>
    public string? Certificate { get; set; }

    /// <summary>PEM file with its private key.</summary>
    public string? Key { get; set; }

    /// <summary>
    /// Whether devices may show a certificate (mTLS). Off by default: the server then asks every client for one, and browsers that have some show a choice.
    /// </summary>
    public bool DeviceCertificates { get; set; }

    public IEnumerable<string> Problems(string urls)
    {
        var isHttps = urls.Split(';').Any(url => url.StartsWith("https://", StringComparison.OrdinalIgnoreCase));
        if (isHttps && (string.IsNullOrEmpty(Certificate) || string.IsNullOrEmpty(Key)))
        {
            yield return "Tls:Certificate and Tls:Key must name PEM files when Urls has an https address.";
        }
        else if (!string.IsNullOrEmpty(Certificate) && Load() is null)
        {
            yield return "Tls:Certificate and Tls:Key must be PEM files that can be read and belong together.";
        }

        if (DeviceCertificates && !isHttps)
        {
            yield return "Tls:DeviceCertificates needs an https address in Urls: certificates that a proxy forwards in a header are not taken.";
        }
    }

    /// <summary>Null when the files cannot be read or do not belong together.</summary>
    public (X509Certificate2 Certificate, X509Certificate2Collection Chain)? Load()
    {
        try
        {
            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(Certificate!);
            return (X509Certificate2.CreateFromPemFile(Certificate!, Key), chain);
        }
        catch (Exception exception) when (exception is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}

/// <summary>Settings of section <c>Proxies</c>.</summary>
internal sealed class ProxyOptions
{
    /// <summary>Addresses or networks (<c>10.0.0.5</c>, <c>10.1.0.0/16</c>), separated by commas, whose X-Forwarded-For is believed. Empty: nobody's.</summary>
    public string? Known { get; set; }

    public IEnumerable<string> Problems() =>
        Entries().Where(entry => Parse(entry) is null).Select(entry => $"Proxies:Known: '{entry}' is not an address or a network such as 10.0.0.5 or 10.1.0.0/16.");

    public IReadOnlyList<System.Net.IPNetwork> Networks() => [.. Entries().Select(entry => Parse(entry)!.Value)];

    private IEnumerable<string> Entries() => (Known ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static System.Net.IPNetwork? Parse(string entry) => System.Net.IPAddress.TryParse(entry, out var address)
        ? new System.Net.IPNetwork(address, address.GetAddressBytes().Length * 8)
        : System.Net.IPNetwork.TryParse(entry, out var network) ? network : null;
}
