using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FhirIomt.Access;
using FhirIomt.Fhir.Json;
using FhirIomt.Repository;
using FhirIomt.Server.Demo;
using FhirIomt.Server.Devices;
using FhirIomt.Server.Hosting;
using FhirIomt.Smart.Tokens;
using FhirIomt.Tests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FhirIomt.Server.Tests;

/// <summary>The whole server in this process, on a free loopback port and a data folder of its own. Spoken to over HTTP, as devices and EHRs do.</summary>
public sealed class TestServer : IAsyncLifetime
{
    private readonly List<string> _log = [];
    private WebApplication? _app;
    private string? _schema;
    private int _names;

    /// <summary>Changes options before the server starts.</summary>
    internal Action<ServerOptions> Configure { get; init; } = static _ => { };

    /// <summary>With FHIRIOMT_TEST_ENGINE=postgres all of them run on PostgreSQL, but those that name a store of their own.</summary>
    public static bool OnPostgreSql => Environment.GetEnvironmentVariable("FHIRIOMT_TEST_ENGINE") == "postgres";

    public HttpClient Http { get; } = new() { Timeout = TimeSpan.FromMinutes(5) };

    public string Data { get; } = Directory.CreateTempSubdirectory("fhiriomt-test-").FullName;

    /// <summary>What makes a command work on this server's store.</summary>
    public IReadOnlyList<string> StoreArguments => _schema is null ? ["--data", Data] : ["--postgres", _schema];

    public IServiceProvider Services => _app!.Services;

    /// <summary>Every line that the server logged, with its exception.</summary>
    public string LogText
    {
        get
        {
            lock (_log)
            {
                return string.Join('\n', _log);
            }
        }
    }

    internal ResourceRepository Repository => Services.GetRequiredService<ResourceRepository>();

    internal Registrar Registrar => Services.GetRequiredService<Registrar>();

    public async ValueTask InitializeAsync()
    {
        var options = new ServerOptions { Urls = "http://127.0.0.1:0", Data = Data };
        options.Limits.Enabled = false;
        Configure(options);
        if (OnPostgreSql && options.Postgres is null && options.Data == Data)
        {
            options.Postgres = _schema = PostgresCluster.NewSchema();
        }

        _app = ServerHost.Build(options, TimeProvider.System);
        Services.GetRequiredService<ILoggerFactory>().AddProvider(new Capture(_log));
        await _app.StartAsync();
        Http.BaseAddress = new Uri(Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/");
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app!.StopAsync();
        await _app.DisposeAsync();
        Directory.Delete(Data, recursive: true);
        if (_schema is not null)
        {
            PostgresCluster.GiveBack(_schema);
        }
    }

    /// <summary>A name that no other test of this server has.</summary>
    public string Name(string what) => $"{what}-{Interlocked.Increment(ref _names)}";

    public async Task<string> AddVendorAsync(string? name = null, string? mapping = null) =>
        (await Registrar.AddVendorAsync(name ?? Name("vendor"), mapping, CancellationToken.None)).Require();

    public async Task<(string Id, string Credential)> AddDeviceAsync(string identifier, string? vendor = null, string? patient = null, string? from = null, string? mapping = "vitals", string system = "urn:test") =>
        (await Registrar.AddDeviceAsync(new NewDevice(system, identifier, vendor, patient, from, mapping), CancellationToken.None)).Require();

    /// <summary>A device of its own patient, with the default mapping <c>vitals</c>.</summary>
    public async Task<(string Identifier, string Credential, string Patient, string Id)> AddWornDeviceAsync(string? vendor = null, string mapping = "vitals")
    {
        var identifier = Name("device");
        var patient = await AddPatientAsync();
        var (id, credential) = await AddDeviceAsync(identifier, vendor, patient, mapping: mapping);
        return (identifier, credential, patient, id);
    }

    public Task<string> AddPatientAsync(string family = "Test") =>
        CreateAsync("Patient", $$"""{"resourceType":"Patient","name":[{"family":"{{family}}"}]}""");

    public Task<string> AssignAsync(string device, string patient, string? start, string? end)
    {
        var period = new JsonObject();
        if (start is not null)
        {
            period["start"] = start;
        }

        if (end is not null)
        {
            period["end"] = end;
        }

        var timing = period.Count == 0 ? "" : $"\"timingPeriod\":{period.ToJsonString()},";
        return CreateAsync("DeviceUseStatement", $$$"""{"resourceType":"DeviceUseStatement","status":"active","subject":{"reference":"Patient/{{{patient}}}"},{{{timing}}}"device":{"reference":"Device/{{{device}}}"}}""");
    }

    public async Task<string> CreateAsync(string type, string json)
    {
        var result = await Services.GetRequiredService<ResourceWriter>().WriteAsync(new WriteRequest.Create(type, JsonTree.Parse(Encoding.UTF8.GetBytes(json)).Require(), null), AccessScope.Server, CancellationToken.None);
        return result is WriteResult.Created created ? created.Resource.Id : throw new InvalidOperationException(result.ToString());
    }

    public Task DeleteAsync(string type, string id) =>
        Services.GetRequiredService<ResourceWriter>().WriteAsync(new WriteRequest.Delete(type, new WriteTarget.Instance(id), default), AccessScope.Server, CancellationToken.None).AsTask();

    public async Task<string> TokenAsync(string scopes = "system/*.cruds")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var client = (await Registrar.AddClientAsync(Name("client"), ClientKeyFile.PublicSet(key), scopes, CancellationToken.None)).Require();
        return await Services.GetRequiredService<AccessTokens>().IssueAsync(client.ClientId, scopes, CancellationToken.None);
    }

    internal async Task AddMappingAsync(string name, string device, string fhir, IdentityMode identity = IdentityMode.Lookup) =>
        (await Services.GetRequiredService<MappingCatalog>().AddAsync(name, Encoding.UTF8.GetBytes(device), Encoding.UTF8.GetBytes(fhir), identity, CancellationToken.None)).Require();

    public Task<Answer> PostAsync(string? credential, string body, string? mapping = null, string contentType = "application/json") =>
        PostAsync(credential, Encoding.UTF8.GetBytes(body), mapping, contentType);

    public Task<Answer> PostAsync(string? credential, byte[] body, string? mapping = null, string contentType = "application/json")
    {
        var content = new ByteArrayContent(body);
        content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        return SendAsync(HttpMethod.Post, "devices/messages" + (mapping is null ? "" : "?mapping=" + Uri.EscapeDataString(mapping)), credential, content);
    }

    public Task<Answer> GetAsync(string path, string? credential) => SendAsync(HttpMethod.Get, path, credential, null);

    public async Task<Answer> SendAsync(HttpMethod method, string path, string? credential, HttpContent? content)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        if (credential is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", credential);
        }

        using var response = await Http.SendAsync(request);
        return new Answer((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private sealed class Capture(List<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (lines)
            {
                lines.Add(formatter(state, exception) + exception);
            }
        }
    }
}

/// <summary>An answer of the server.</summary>
public sealed record Answer(int Status, string Text)
{
    public JsonNode Json => JsonNode.Parse(Text)!;

    public IReadOnlyList<Receipt> Receipts => Status == 200 ? [.. Json["messages"]!.AsArray().Select(node => new Receipt(node!))] : throw new InvalidOperationException($"{Status} {Text}");

    /// <summary>The receipt of the only message.</summary>
    public Receipt Only => Receipts.Single();

    /// <summary>The codes of the issues of a refusal.</summary>
    public IReadOnlyList<string> Codes => [.. Json["issues"]!.AsArray().Select(issue => (string)issue!["code"]!)];
}

/// <summary>What the server said about one message.</summary>
public sealed record Receipt(JsonNode Json)
{
    public int Index => (int)Json["index"]!;

    public string Id => (string)Json["id"]!;

    public string Status => (string)Json["status"]!;

    public IReadOnlyList<string> Observations => [.. Json["observations"]!.AsArray().Select(node => (string)node!)];

    public IReadOnlyList<string> Codes => [.. Json["issues"]!.AsArray().Select(issue => (string)issue!["code"]!)];

    /// <summary>Status and codes in one line, so that a failed comparison shows both.</summary>
    public string Summary => string.Join(' ', Codes.Distinct(StringComparer.Ordinal).Prepend(Status));
}
