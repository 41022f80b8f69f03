using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FhirIomt.Server.Devices;
using FhirIomt.Server.Hosting;
using FhirIomt.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Smart.Tests;

/// <summary>TLS, certificates of devices, and what is open to anybody: facts §10 J 159 to 161.</summary>
public sealed class PlatformTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fhiriomt-tls-").FullName;
    private TestServer _server = null!;
    private string _thumbprint = "";

    public async ValueTask InitializeAsync()
    {
        using var certificate = Certificate("CN=localhost", 1);
        _thumbprint = certificate.GetCertHashString();
        var (pem, key) = (Path.Combine(_folder, "server.pem"), Path.Combine(_folder, "server.key"));
        await File.WriteAllTextAsync(pem, certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(key, certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        _server = await TestServer.StartAsync(options =>
        {
            options.Urls = options.Urls.Replace("http://", "https://", StringComparison.Ordinal);
            (options.Tls.Certificate, options.Tls.Key, options.Tls.DeviceCertificates) = (pem, key, true);
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task J159_only_TLS_1_2_and_1_3_are_spoken_and_browsers_are_told_to_stay_with_https()
    {
        Assert.Equal(SslProtocols.Tls12, await HandshakeAsync(SslProtocols.Tls12));
        Assert.Equal(SslProtocols.Tls13, await HandshakeAsync(SslProtocols.Tls13));
#pragma warning disable SYSLIB0039, CA5397 // What is out of use is what is asked for here.
        await Assert.ThrowsAnyAsync<Exception>(() => HandshakeAsync(SslProtocols.Tls11));
        await Assert.ThrowsAnyAsync<Exception>(() => HandshakeAsync(SslProtocols.Tls));
#pragma warning restore SYSLIB0039, CA5397
        var answer = await AskAsync(certificate: null, "/fhir/metadata");
        Assert.Equal(200, answer.Status);
        Assert.Equal("max-age=31536000", answer.Header("Strict-Transport-Security"));
        Assert.Contains("\"issuer\":\"https://", (await AskAsync(certificate: null, "/fhir/.well-known/smart-configuration")).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task J159_a_device_is_known_by_its_registered_certificate_and_by_no_other()
    {
        using var registered = Certificate("CN=pump-1", 1);
        using var expired = Certificate("CN=pump-2", -1);
        using var sameName = Certificate("CN=pump-1", 1);
        using var authority = Certificate("CN=Some Authority", 2, isAuthority: true);
        using var issued = Certificate("CN=pump-1", 1, authority);
        var device = await AddDeviceAsync("one", registered);
        await AddDeviceAsync("two", expired);

        var known = await AskAsync(registered, "/devices/self");
        Assert.Equal(200, known.Status);
        Assert.Equal(device, known.Json.GetProperty("device").GetString());
        foreach (var other in (X509Certificate2?[])[expired, sameName, issued, null])
        {
            Assert.Equal(401, (await AskAsync(other, "/devices/self")).Status);
        }
    }

    [Fact]
    public async Task J159_a_certificate_in_a_header_or_its_thumbprint_as_a_secret_is_no_credential()
    {
        using var registered = Certificate("CN=pump-3", 1);
        await AddDeviceAsync("three", registered);
        foreach (var name in (string[])["X-Client-Cert", "X-SSL-Client-Cert", "X-Forwarded-Client-Cert", "X-ARR-ClientCert", "Client-Cert"])
        {
            foreach (var value in (string[])[Uri.EscapeDataString(registered.ExportCertificatePem()), Convert.ToBase64String(registered.RawData), $":{Convert.ToBase64String(registered.RawData)}:"])
            {
                Assert.Equal(401, (await AskAsync(certificate: null, "/devices/self", (name, value))).Status);
            }
        }

        var thumbprint = Convert.ToHexStringLower(registered.GetCertHash(HashAlgorithmName.SHA256));
        Assert.Equal(401, (await AskAsync(certificate: null, "/devices/self", ("Authorization", $"Bearer x5t-{thumbprint}"))).Status);
        Assert.Equal(401, (await AskAsync(registered, "/devices/self", ("Authorization", $"Bearer {thumbprint}"))).Status);
    }

    [Fact]
    public async Task J159_a_device_added_again_without_its_certificate_record_is_unknown()
    {
        using var registered = Certificate("CN=pump-4", 1);
        await AddDeviceAsync("four", registered);
        Assert.Equal(200, (await AskAsync(registered, "/devices/self")).Status);
        var record = "x5t-" + Convert.ToHexStringLower(registered.GetCertHash(HashAlgorithmName.SHA256));
        await _server.DeleteRecordAsync(Storage.RecordKind.Credential, record);
        Assert.Equal(401, (await AskAsync(registered, "/devices/self")).Status);
    }

    [Fact]
    public async Task J160_nothing_but_health_and_what_the_server_is_is_open_to_anybody()
    {
        foreach (var path in (string[])["/metrics", "/swagger", "/swagger/index.html", "/openapi/v1.json", "/debug", "/debug/pprof", "/admin", "/actuator", "/health", "/health/details", "/.env", "/appsettings.json"])
        {
            Assert.Equal(404, (await AskAsync(certificate: null, path)).Status);
        }

        Assert.Equal("ok", (await AskAsync(certificate: null, "/health/ready")).Body);
        Assert.Equal("ok", (await AskAsync(certificate: null, "/health/live")).Body);
        foreach (var path in (string[])["/fhir/Patient", "/fhir/$status", "/devices/self", "/devices/messages/x-0"])
        {
            Assert.Equal(401, (await AskAsync(certificate: null, path)).Status);
        }
    }

    [Fact]
    public async Task J161_no_answer_lets_another_origin_send_credentials()
    {
        foreach (var path in (string[])["/fhir/metadata", "/fhir/.well-known/smart-configuration", "/auth/jwks", "/auth/token", "/auth/authorize", "/fhir/Patient", "/auth/logout"])
        {
            var answer = await AskAsync(certificate: null, path, ("Origin", "https://evil.example"));
            Assert.Null(answer.Header("Access-Control-Allow-Credentials"));
            Assert.NotEqual("https://evil.example", answer.Header("Access-Control-Allow-Origin"));
        }
    }

    [Fact]
    public void Settings_of_TLS_and_proxies_that_cannot_work_are_told_by_their_keys()
    {
        var options = new ServerOptions { Urls = "https://127.0.0.1:8443" };
        Assert.Contains(options.Problems(), problem => problem.StartsWith("Tls:Certificate", StringComparison.Ordinal));
        (options.Tls.Certificate, options.Tls.Key) = (Path.Combine(_folder, "server.key"), Path.Combine(_folder, "server.key"));
        Assert.Contains(options.Problems(), problem => problem.StartsWith("Tls:Certificate", StringComparison.Ordinal));
        options = new ServerOptions();
        options.Tls.DeviceCertificates = true;
        options.Proxies.Known = "10.0.0.1, proxy.example";
        options.Limits.PerUser = -1;
        options.Limits.RequestTime = TimeSpan.Zero;
        Assert.Equal(["Limits:PerUser", "Limits:RequestTime", "Proxies:Known:", "Tls:DeviceCertificates"], options.Problems().Select(problem => problem.Split(' ')[0]).Order(StringComparer.Ordinal));
    }

    private async Task<string> AddDeviceAsync(string name, X509Certificate2 certificate)
    {
        using var shown = X509CertificateLoader.LoadCertificate(certificate.RawData);
        var device = new NewDevice("urn:test:serial", name, Vendor: null, PatientId: null, From: null, Mapping: "vitals") { Certificate = shown };
        return (await _server.Services.GetRequiredService<Registrar>().AddDeviceAsync(device, CancellationToken.None)).Require().DeviceId;
    }

    private async Task<Answer> AskAsync(X509Certificate2? certificate, string path, params (string Name, string Value)[] headers)
    {
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.GetCertHashString() == _thumbprint;
        handler.SslOptions.ClientCertificates = certificate is null ? null : [certificate];
        handler.SslOptions.LocalCertificateSelectionCallback = certificate is null ? null : (_, _, _, _, _) => certificate;
        using var http = new HttpClient(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, _server.Root + path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await Answer.OfAsync(await http.SendAsync(request));
    }

    private async Task<SslProtocols> HandshakeAsync(SslProtocols protocol)
    {
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, new Uri(_server.Root).Port);
        await using var tls = new SslStream(client.GetStream(), leaveInnerStreamOpen: false, (_, shown, _, _) => shown?.GetCertHashString() == _thumbprint);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", EnabledSslProtocols = protocol });
        return tls.SslProtocol;
    }

    private static X509Certificate2 Certificate(string name, int years, X509Certificate2? issuer = null, bool isAuthority = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, critical: true));
        var now = TimeProvider.System.GetUtcNow();
        var (from, to) = (now.AddYears(-2), now.AddYears(years));
        using var certificate = issuer is null
            ? request.CreateSelfSigned(from, to)
            : request.Create(issuer, from, to < issuer.NotAfter ? to : issuer.NotAfter, [1, 2, 3, 4]).CopyWithPrivateKey(key);

        // A key that exists only in memory cannot be shown in a handshake everywhere; one read from PKCS#12 can.
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), password: null, X509KeyStorageFlags.Exportable);
    }
}
