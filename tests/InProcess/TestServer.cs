using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FhirIomt.Access;
using FhirIomt.Server.Devices;
using FhirIomt.Server.Hosting;
using FhirIomt.Smart;
using FhirIomt.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Tests;

/// <summary>The whole server in this process, on a free loopback port and a store of its own.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly string _folder;
    private readonly string? _schema;
    private readonly TestTokens _tokens;

    private TestServer(WebApplication app, TestTokens tokens, string folder, string? schema, AdjustableTime time, string root)
    {
        _app = app;
        _tokens = tokens;
        _folder = folder;
        _schema = schema;
        Time = time;
        Root = root;
        Http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, MaxConnectionsPerServer = 64 }) { BaseAddress = new Uri(root + "/fhir/") };
    }

    public string Root { get; }

    public string FhirBase => Root + "/fhir";

    public string TokenEndpoint => Root + "/auth/token";

    public AdjustableTime Time { get; }

    /// <summary>Relative addresses are below the FHIR base.</summary>
    public HttpClient Http { get; }

    public IStore Store => _app.Services.GetRequiredService<IStore>();

    public IServiceProvider Services => _app.Services;

    /// <summary>The tests that include this file run on the embedded store, and with FHIRIOMT_TEST_ENGINE=postgres all of them on PostgreSQL.</summary>
    private static bool OnPostgreSql => Environment.GetEnvironmentVariable("FHIRIOMT_TEST_ENGINE") == "postgres";

    /// <param name="configure">Changes options before the server starts. Limits on requests are off: tests ask as fast as they can, all from one address.</param>
    public static async Task<TestServer> StartAsync(Action<ServerOptions>? configure = null)
    {
        // Between finding a free port and taking it somebody else may take it.
        for (var attempt = 0; ; attempt++)
        {
            var root = $"http://127.0.0.1:{FreePort()}";
            var folder = Directory.CreateTempSubdirectory("fhiriomt-server-").FullName;
            var time = new AdjustableTime();
            var schema = OnPostgreSql ? PostgresCluster.NewSchema() : null;
            var options = new ServerOptions { Urls = root, Data = folder, Postgres = schema };
            options.Limits.Enabled = false;
            configure?.Invoke(options);
            var app = ServerHost.Build(options, time);
            var tokens = new TestTokens(app.Services);
            app.Use(next => context => tokens.RememberAsync(context, next));
            try
            {
                await app.StartAsync();
                return new TestServer(app, tokens, folder, schema, time, options.PublicUrl ?? options.Urls);
            }
            catch (IOException) when (attempt < 5)
            {
                await app.DisposeAsync();
            }
        }
    }

    public Task<TestClient> RegisterAsync(string scopes, ClientKey? key = null) => RegisterAsync(scopes, key ??= ClientKey.Ec(), key.JwkSet());

    public async Task<TestClient> RegisterAsync(string scopes, ClientKey key, string jwksOrUrl)
    {
        var outcome = await _app.Services.GetRequiredService<Registrar>().AddClientAsync("test", jwksOrUrl, scopes, CancellationToken.None);
        return new TestClient(this, outcome.Require().ClientId, key, scopes);
    }

    /// <summary>A client with these scopes and a token for all of them.</summary>
    public async Task<FhirCaller> CallerAsync(string scopes)
    {
        var client = await RegisterAsync(scopes);
        return new FhirCaller(this, await client.TokenAsync());
    }

    /// <summary>Somebody with a token for these scopes: a person, an app with a patient in context, or both.</summary>
    public FhirCaller Caller(string scopes, AccessUser? user = null, string? patient = null, string client = "test-app", string? self = null) =>
        new(this, _tokens.For(_tokens.Scope(scopes, user, patient, client) with { ReadableSelf = self }));

    public Task DeleteClientAsync(string clientId) => DeleteRecordAsync(RecordKind.Client, clientId);

    public Task DeleteRecordAsync(string kind, string id) => Store.WriteAsync([new DeleteRecord(kind, id)], CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        if (_schema is not null)
        {
            PostgresCluster.GiveBack(_schema);
        }
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private sealed class DeleteRecord(string kind, string id) : WriteOperation
    {
        public override void Run(IWriteTransaction transaction) => transaction.DeleteRecord(kind, id);
    }
}

/// <summary>The machine's clock, with an offset that the test sets.</summary>
internal sealed class AdjustableTime : TimeProvider
{
    public TimeSpan Offset { get; set; }

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Offset;
}

/// <summary>A registered backend service.</summary>
internal sealed record TestClient(TestServer Server, string Id, ClientKey Key, string Scopes)
{
    public const string AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    private static int _assertions;

    /// <summary>The header of a good assertion.</summary>
    public Dictionary<string, object?> Header() => new() { ["alg"] = Key.Algorithm, ["typ"] = "JWT", ["kid"] = Key.Kid };

    /// <summary>The claims of a good assertion; each call has a jti of its own.</summary>
    public Dictionary<string, object?> Claims() => new()
    {
        ["iss"] = Id,
        ["sub"] = Id,
        ["aud"] = Server.TokenEndpoint,
        ["exp"] = Server.Time.GetUtcNow().ToUnixTimeSeconds() + 240,
        ["jti"] = $"jti-{Interlocked.Increment(ref _assertions)}",
    };

    public string Assertion() => Key.Sign(Header(), Claims());

    public Task<HttpResponseMessage> RequestAsync(string? assertion = null, string? scope = null) => PostAsync(Form(assertion, scope));

    public (string Name, string Value)[] Form(string? assertion = null, string? scope = null) =>
    [
        ("grant_type", "client_credentials"), ("scope", scope ?? Scopes), ("client_assertion_type", AssertionType), ("client_assertion", assertion ?? Assertion()),
    ];

    public async Task<HttpResponseMessage> PostAsync(params (string Name, string Value)[] form)
    {
        using var content = new FormUrlEncodedContent(form.Select(field => KeyValuePair.Create(field.Name, field.Value)));
        return await Server.Http.PostAsync(Server.TokenEndpoint, content);
    }

    public async Task<string> TokenAsync(string? scope = null)
    {
        using var answer = await RequestAsync(scope: scope);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, body);
        return JsonDocument.Parse(body).RootElement.GetProperty("access_token").GetString()!;
    }
}

/// <summary>A key pair of a client, and signing by hand so that every mistake can be made.</summary>
internal sealed class ClientKey
{
    private readonly RSA? _rsa;
    private readonly ECDsa? _ec;

    private ClientKey(string kid, RSA? rsa, ECDsa? ec)
    {
        Kid = kid;
        _rsa = rsa;
        _ec = ec;
    }

    public string Kid { get; }

    public string Algorithm => _rsa is null ? "ES384" : "RS384";

    public static ClientKey Rsa(string kid = "rsa-1", int bits = 2048) => new(kid, RSA.Create(bits), null);

    public static ClientKey Ec(string kid = "ec-1") => new(kid, null, ECDsa.Create(ECCurve.NamedCurves.nistP384));

    public static ClientKey P256(string kid = "ec-256") => new(kid, null, ECDsa.Create(ECCurve.NamedCurves.nistP256));

    public string JwkSet() => $$"""{"keys":[{{Jwk()}}]}""";

    public string Jwk() => _rsa is null ? EcJwk() : RsaJwk(_rsa.ExportParameters(includePrivateParameters: false), null);

    public string PrivateJwk() => _rsa is not null
        ? RsaJwk(_rsa.ExportParameters(includePrivateParameters: true), _rsa.ExportParameters(includePrivateParameters: true).D)
        : EcJwk().Replace("\"kty\"", $"\"d\":\"{Text(_ec!.ExportParameters(includePrivateParameters: true).D!)}\",\"kty\"", StringComparison.Ordinal);

    public byte[] PublicPem() => Encoding.ASCII.GetBytes(_rsa?.ExportSubjectPublicKeyInfoPem() ?? _ec!.ExportSubjectPublicKeyInfoPem());

    public string Sign(Dictionary<string, object?> header, Dictionary<string, object?> claims) => SignText(JsonSerializer.Serialize(header), JsonSerializer.Serialize(claims));

    public string SignText(string header, string claims)
    {
        var signed = Signed(header, claims);
        return $"{signed}.{Text(Signature(Encoding.ASCII.GetBytes(signed)))}";
    }

    public byte[] Signature(byte[] signed) => _rsa is not null
        ? _rsa.SignData(signed, HashAlgorithmName.SHA384, RSASignaturePadding.Pkcs1)
        : _ec!.SignData(signed, HashAlgorithmName.SHA384, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    public byte[] RsaSignature(byte[] signed, HashAlgorithmName hash, RSASignaturePadding padding) => _rsa!.SignData(signed, hash, padding);

    public byte[] DerSignature(byte[] signed) => _ec!.SignData(signed, HashAlgorithmName.SHA384, DSASignatureFormat.Rfc3279DerSequence);

    public static string Signed(string header, string claims) => $"{Text(Encoding.UTF8.GetBytes(header))}.{Text(Encoding.UTF8.GetBytes(claims))}";

    public static string Text(byte[] bytes) => Base64Url.EncodeToString(bytes);

    private string RsaJwk(RSAParameters key, byte[]? secret) =>
        $$"""{"kty":"RSA","kid":"{{Kid}}","use":"sig","alg":"RS384","n":"{{Text(key.Modulus!)}}","e":"{{Text(key.Exponent!)}}"{{(secret is null ? "" : $",\"d\":\"{Text(secret)}\"")}}}""";

    private string EcJwk()
    {
        var key = _ec!.ExportParameters(includePrivateParameters: false);
        return $$"""{"kty":"EC","kid":"{{Kid}}","use":"sig","crv":"{{(key.Q.X!.Length == 48 ? "P-384" : "P-256")}}","x":"{{Text(key.Q.X!)}}","y":"{{Text(key.Q.Y!)}}"}""";
    }
}

/// <summary>Somebody with a token, speaking FHIR.</summary>
internal sealed class FhirCaller(TestServer server, string token)
{
    public string Token { get; } = token;

    public Task<Answer> GetAsync(string path, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Get, path, body: null, headers);

    public Task<Answer> PostAsync(string path, string body, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Post, path, body, headers);

    public Task<Answer> PutAsync(string path, string body, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Put, path, body, headers);

    /// <summary>Creates a resource and answers its id.</summary>
    public async Task<string> CreateAsync(string json)
    {
        using var document = JsonDocument.Parse(json);
        var answer = await PostAsync(document.RootElement.GetProperty("resourceType").GetString()!, json);
        Assert.True(answer.Status == 201, answer.Body);
        return answer.Json.GetProperty("id").GetString()!;
    }

    public async Task<Answer> SendAsync(HttpMethod method, string path, string? body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.TryAddWithoutValidation("Content-Type", headers.FirstOrDefault(header => header.Name == "Content-Type").Value ?? "application/fhir+json");
        }

        foreach (var (name, value) in headers.Where(header => header.Name != "Content-Type"))
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await Answer.OfAsync(await server.Http.SendAsync(request));
    }
}

/// <summary>What came back, read whole.</summary>
internal sealed record Answer(int Status, string Body, HttpResponseMessage Response)
{
    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    public string? Header(string name) =>
        Response.Headers.TryGetValues(name, out var values) || Response.Content.Headers.TryGetValues(name, out values) ? string.Join(", ", values) : null;

    /// <summary>The IOMT code of the first issue of an OperationOutcome.</summary>
    public string? IssueCode => Json.GetProperty("issue")[0].GetProperty("details").GetProperty("coding")[0].GetProperty("code").GetString();

    /// <summary>The ids of the matches of a search bundle.</summary>
    public List<string> Matches => Entries("match");

    public List<string> Included => Entries("include");

    public string? Link(string relation) => Json.GetProperty("link").EnumerateArray()
        .Where(link => link.GetProperty("relation").GetString() == relation).Select(link => link.GetProperty("url").GetString()).SingleOrDefault();

    public static async Task<Answer> OfAsync(HttpResponseMessage response) => new((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response);

    private List<string> Entries(string mode) => !Json.TryGetProperty("entry", out var entries) ? [] :
        [.. entries.EnumerateArray().Where(entry => entry.GetProperty("search").GetProperty("mode").GetString() == mode).Select(entry => entry.GetProperty("resource").GetProperty("id").GetString()!)];
}
