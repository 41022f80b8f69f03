using System.IO.Pipelines;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using FhirIomt.Server.Devices;
using FhirIomt.Server.Devices.Mllp;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Server.Tests;

/// <summary>HL7 v2 over TCP with TLS: who sends is known by the certificate that it shows.</summary>
public sealed class MllpTlsTests(MllpTlsTests.Fixture server) : IClassFixture<MllpTlsTests.Fixture>
{
    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task A_device_is_known_by_its_registered_certificate(SslProtocols protocol)
    {
        using var certificate = Certificate("CN=monitor");
        var (device, patient) = await server.AddAsync(certificate);
        Assert.Contains("MSA|AA|M1", await server.AskAsync(Message(device), certificate, protocol), StringComparison.Ordinal);
        Assert.Equal(1, await server.CountAsync(patient));
    }

    [Fact]
    public async Task With_its_certificate_it_sends_for_itself_only()
    {
        using var certificate = Certificate("CN=monitor");
        using var other = Certificate("CN=monitor");
        var (_, patient) = await server.AddAsync(certificate);
        var (victim, victimsPatient) = await server.AddAsync(other);
        Assert.Contains("MSA|AE|M1", await server.AskAsync(Message(victim), certificate), StringComparison.Ordinal);
        Assert.Equal((0, 0), (await server.CountAsync(patient), await server.CountAsync(victimsPatient)));
    }

    [Fact]
    public async Task Another_certificate_is_nobody_s_whatever_its_name_and_date()
    {
        using var registered = Certificate("CN=monitor");
        using var sameName = Certificate("CN=monitor");
        using var expired = Certificate("CN=old", days: -1);
        var (device, patient) = await server.AddAsync(registered);
        var (old, _) = await server.AddAsync(expired);
        Assert.Null(await server.AskAsync(Message(device), sameName));
        Assert.Null(await server.AskAsync(Message(old), expired));
        Assert.Equal(0, await server.CountAsync(patient));
    }

    [Fact]
    public async Task Without_a_certificate_a_sender_of_the_network_speaks_for_the_vendor()
    {
        var (device, patient) = await server.AddAsync(certificate: null);
        Assert.Contains("MSA|AA|M1", await server.AskAsync(Message(device), certificate: null), StringComparison.Ordinal);
        Assert.Equal(1, await server.CountAsync(patient));
    }

    [Fact]
    public async Task Who_speaks_no_TLS_is_not_heard()
    {
        var (device, patient) = await server.AddAsync(certificate: null);
        using var client = new TcpClient("127.0.0.1", server.Port);
        await client.GetStream().WriteAsync(MllpFrames.Frame(Encoding.UTF8.GetBytes(Message(device))));
        Assert.Null(await ReadAsync(client.GetStream()));
        Assert.Equal(0, await server.CountAsync(patient));
    }

    private static string Message(string device) =>
        $"MSH|^~\\&|GATE|WARD|||20260314101500+0100||ORU^R01^ORU_R01|M1|P|2.6|||NE|AL\rPID|||\rOBR|1|A|B|182777000^monitoring^SCT|||20260314101500+0100\r"
        + $"OBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.1|97|262688^MDC_DIM_PERCENT^MDC|||||R|||||||{device}\r";

    // Null when the connection ends without a word.
    private static async Task<string?> ReadAsync(Stream stream)
    {
        try
        {
            return await new MllpFrames(PipeReader.Create(stream), 1 << 20, TimeSpan.FromMinutes(2)).ReadAsync(CancellationToken.None) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static X509Certificate2 Certificate(string name, int days = 1)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = new CertificateRequest(name, key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-2), now.AddDays(days));

        // A key that exists only in memory cannot be shown in a handshake everywhere; one read from PKCS#12 can.
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), password: null, X509KeyStorageFlags.Exportable);
    }

    public sealed class Fixture : IAsyncLifetime
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("fhiriomt-mllp-").FullName;
        private readonly X509Certificate2 _own = Certificate("CN=server");
        private readonly TestServer _server;

        public Fixture()
        {
            var (certificate, key) = (Path.Combine(_folder, "server.pem"), Path.Combine(_folder, "server.key"));
            File.WriteAllText(certificate, _own.ExportCertificatePem());
            File.WriteAllText(key, _own.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
            _server = new TestServer
            {
                Configure = options => (options.Mllp.Listen, options.Mllp.Vendor, options.Mllp.Certificate, options.Mllp.Key) = ("127.0.0.1:0", "ward", certificate, key),
            };
        }

        public int Port => _server.Services.GetRequiredService<MllpListener>().EndPoint!.Port;

        public async ValueTask InitializeAsync()
        {
            await _server.InitializeAsync();
            await _server.AddVendorAsync("ward");
        }

        public async ValueTask DisposeAsync()
        {
            await _server.DisposeAsync();
            _own.Dispose();
            Directory.Delete(_folder, recursive: true);
        }

        public async Task<(string Device, string Patient)> AddAsync(X509Certificate2? certificate)
        {
            var (device, patient) = (_server.Name("monitor"), await _server.AddPatientAsync());
            using var shown = certificate is null ? null : X509CertificateLoader.LoadCertificate(certificate.RawData);
            var added = new NewDevice("urn:test", device, certificate is null ? "ward" : null, patient, From: null, MappingCatalog.Hl7) { Certificate = shown };
            (await _server.Registrar.AddDeviceAsync(added, CancellationToken.None)).Require();
            return (device, patient);
        }

        public async Task<int> CountAsync(string patient) => (await _server.GetAsync($"fhir/Observation?patient={patient}&_summary=count", await _server.TokenAsync())).Json["total"]!.GetValue<int>();

        public async Task<string?> AskAsync(string message, X509Certificate2? certificate, SslProtocols protocol = SslProtocols.None)
        {
            using var client = new TcpClient("127.0.0.1", Port);
            await using var tls = new SslStream(client.GetStream(), leaveInnerStreamOpen: false, (_, shown, _, _) => shown?.GetCertHashString() == _own.GetCertHashString());
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                EnabledSslProtocols = protocol,
                ClientCertificates = certificate is null ? null : [certificate],
                LocalCertificateSelectionCallback = certificate is null ? null : (_, _, _, _, _) => certificate,
            });
            try
            {
                await tls.WriteAsync(MllpFrames.Frame(Encoding.UTF8.GetBytes(message)));
            }
            catch (IOException)
            {
                return null;
            }

            return await ReadAsync(tls);
        }
    }
}
