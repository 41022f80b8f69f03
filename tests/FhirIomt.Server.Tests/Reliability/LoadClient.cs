using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using FhirIomt.Server.Demo;

namespace FhirIomt.Server.Tests.Reliability;

/// <summary>Who may do what in a store under load: a backend service for everything, and a device of one patient.</summary>
internal sealed record Accounts(string ClientId, ECDsa Key, string Credential)
{
    public const string Device = "load-device";
    private const string Scopes = "system/*.cruds";

    /// <param name="server">Any server that has the store open.</param>
    public static async Task<Accounts> AddAsync(TestServer server)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var client = (await server.Registrar.AddClientAsync("load", ClientKeyFile.PublicSet(key), Scopes, CancellationToken.None)).Require();
        var (_, credential) = await server.AddDeviceAsync(Device, patient: await server.AddPatientAsync());
        return new Accounts(client.ClientId, key, credential);
    }

    /// <summary>A token as that server gives it; good for five minutes.</summary>
    public async Task<string> TokenAsync(string root)
    {
        using var http = new HttpClient();
        var endpoint = root + "/auth/token";
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["grant_type"] = "client_credentials",
            ["scope"] = Scopes,
            ["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ["client_assertion"] = ClientKeyFile.Assertion(Key, ClientId, endpoint, TimeProvider.System.GetUtcNow(), Convert.ToHexString(RandomNumberGenerator.GetBytes(16))),
        });
        using var response = await http.PostAsync(new Uri(endpoint), form);
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, body);
        return (string)JsonNode.Parse(body)!["access_token"]!;
    }
}

/// <summary>One connection's worth of requests to one server.</summary>
internal sealed class LoadClient(string root, string token, string credential) : IDisposable
{
    // More than this is a hang.
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(30) };

    public void Dispose() => _http.Dispose();

    public Task<Reply> FhirAsync(HttpMethod method, string path, string? body = null, string? ifNoneExist = null, string? ifMatch = null) =>
        SendAsync(method, $"{root}/fhir/{path}", token, body, "application/fhir+json", request =>
        {
            _ = ifNoneExist is null || request.Headers.TryAddWithoutValidation("If-None-Exist", ifNoneExist);
            _ = ifMatch is null || request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        });

    public Task<Reply> DeviceAsync(string body) =>
        SendAsync(HttpMethod.Post, root + "/devices/messages", credential, body, "application/x-ndjson", static _ => { });

    private async Task<Reply> SendAsync(HttpMethod method, string address, string bearer, string? body, string contentType, Action<HttpRequestMessage> adjust)
    {
        using var request = new HttpRequestMessage(method, address) { Content = body is null ? null : new StringContent(body, null, contentType) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        adjust(request);
        try
        {
            using var response = await _http.SendAsync(request);
            var id = response.Headers.Location?.OriginalString.Split('/') is [.., var last, "_history", _] ? last : null;
            return new Reply((int)response.StatusCode, await response.Content.ReadAsStringAsync(), id, response.Headers.RetryAfter is not null);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return Reply.Gone;
        }
        catch (TaskCanceledException)
        {
            return new Reply(-1, $"no answer within 30 s: {method} {address}", null, false);
        }
    }
}

/// <param name="Status">0 when the server is not there, -1 when it does not answer.</param>
/// <param name="Id">From Location.</param>
internal sealed record Reply(int Status, string Text, string? Id, bool SaysWhenToRetry)
{
    public static Reply Gone { get; } = new(0, "", null, false);

    /// <summary>The store could not be written, nothing of it was stored, and the client is told when to come again.</summary>
    public bool IsToRetry => Status == 503 && SaysWhenToRetry && Text.Contains("IOMT-0903", StringComparison.Ordinal);

    /// <summary>The store went away while it was writing.</summary>
    public bool IsUnknown => Status == 503 && Text.Contains("IOMT-0908", StringComparison.Ordinal);

    public JsonNode Json => JsonNode.Parse(Text)!;
}
