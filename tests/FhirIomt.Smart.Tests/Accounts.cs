using System.Buffers.Text;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FhirIomt.Access;
using FhirIomt.Smart.Clients;
using FhirIomt.Smart.Users;
using FhirIomt.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Smart.Tests;

/// <summary>A server with people, patients and apps.</summary>
public sealed class Accounts : IAsyncLifetime
{
    public const string Clinician = "dr.who";
    public const string OtherClinician = "dr.no";
    public const string PatientName = "ada";
    public const string Password = "correct horse battery";
    public const string Redirect = "https://app.example/callback";
    public const string AppScopes =
        "openid fhirUser profile launch launch/patient launch/encounter online_access offline_access patient/*.cruds user/*.cruds";

    internal TestServer Server { get; private set; } = null!;

    internal ClientDirectory Clients => Server.Services.GetRequiredService<ClientDirectory>();

    internal UserDirectory Users => Server.Services.GetRequiredService<UserDirectory>();

    internal string Ada { get; private set; } = "";

    internal string Ben { get; private set; } = "";

    /// <summary>Of another clinician.</summary>
    internal string Cleo { get; private set; } = "";

    internal string Practitioner { get; private set; } = "";

    internal TestClient Ehr { get; private set; } = null!;

    internal App Public { get; private set; } = null!;

    internal App Secret { get; private set; } = null!;

    internal App Signing { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Server = await TestServer.StartAsync();
        Ehr = await Server.RegisterAsync("system/*.cruds __launch __introspect");
        var caller = new FhirCaller(Server, await Ehr.TokenAsync());
        Practitioner = await caller.CreateAsync("""{"resourceType":"Practitioner","name":[{"family":"Who"}]}""");
        var other = await caller.CreateAsync("""{"resourceType":"Practitioner","name":[{"family":"No"}]}""");
        Ada = await caller.CreateAsync(PatientJson("Ada", "Ünal", "1958-03-14", "mrn-1", Practitioner));
        Ben = await caller.CreateAsync(PatientJson("Ben", "<b>Berg</b>", "1971-11-02", "mrn-2", Practitioner));
        Cleo = await caller.CreateAsync(PatientJson("Cleo", "Okafor", "1990-06-27", "mrn-3", other));
        await AddUserAsync(Clinician, UserRole.Clinician, $"Practitioner/{Practitioner}");
        await AddUserAsync(OtherClinician, UserRole.Clinician, $"Practitioner/{other}");
        await AddUserAsync(PatientName, UserRole.Patient, $"Patient/{Ada}");
        Public = await RegisterAsync(ClientType.Public);
        Secret = await RegisterAsync(ClientType.Secret);
        Signing = await RegisterAsync(ClientType.Jwks);
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    internal async Task<UserEntry> AddUserAsync(string name, UserRole role, string? fhirUser) =>
        (await Users.AddAsync(new NewUser(name, role, fhirUser, Password), CancellationToken.None)).Require();

    internal async Task<App> RegisterAsync(ClientType type, string scopes = AppScopes, params string[] redirects)
    {
        var key = type == ClientType.Jwks ? ClientKey.Ec() : null;
        var client = new NewClient("Vitals & more", type, scopes) { Keys = key?.JwkSet(), RedirectUris = redirects.Length == 0 ? [Redirect] : redirects };
        var (registration, secret) = (await Clients.AddAsync(client, CancellationToken.None)).Require();
        return new App(this, registration.ClientId, type, secret, key);
    }

    /// <summary>A patient's word against one app.</summary>
    internal async Task RefuseAsync(string patient, App app) =>
        await new FhirCaller(Server, await Ehr.TokenAsync()).CreateAsync($$"""
            {"resourceType":"Consent","status":"active","scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]},
            "category":[{"coding":[{"system":"http://loinc.org","code":"59284-0"}]}],"patient":{"reference":"Patient/{{patient}}"},"policyRule":{"text":"x"},
            "provision":{"type":"deny","actor":[{"role":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-RoleClass","code":"AGNT"}]},"reference":{"identifier":{"value":"{{app.Id}}"} } }] } }
            """);

    internal static string PatientJson(string given, string family, string birthDate, string identifier, string practitioner) => JsonSerializer.Serialize(new
    {
        resourceType = "Patient",
        name = new[] { new { family, given = new[] { given } } },
        birthDate,
        identifier = new[] { new { system = "urn:test:mrn", value = identifier } },
        generalPractitioner = new[] { new { reference = $"Practitioner/{practitioner}" } },
    });
}

/// <summary>A registered app: it makes authorization requests and speaks to the token endpoint as its type does.</summary>
internal sealed record App(Accounts Accounts, string Id, ClientType Type, string? Secret, ClientKey? Key)
{
    public const string Verifier = "0123456789-0123456789-0123456789-0123456789-abcdef";

    private static int _assertions;

    public static string Challenge { get; } = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));

    private TestServer Server => Accounts.Server;

    /// <summary>A good request; a change with a null value leaves the parameter out.</summary>
    public List<(string Name, string Value)> Request(string scope, params (string Name, string? Value)[] changes)
    {
        var parameters = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["response_type"] = "code",
            ["client_id"] = Id,
            ["redirect_uri"] = Smart.Tests.Accounts.Redirect,
            ["scope"] = scope,
            ["state"] = "st-1",
            ["aud"] = Server.FhirBase,
            ["code_challenge"] = Challenge,
            ["code_challenge_method"] = "S256",
        };
        foreach (var (name, value) in changes)
        {
            parameters[name] = value;
        }

        return [.. parameters.Where(parameter => parameter.Value is not null).Select(parameter => (parameter.Key, parameter.Value!))];
    }

    public static string Query(IEnumerable<(string Name, string Value)> parameters) =>
        string.Join('&', parameters.Select(parameter => $"{parameter.Name}={Uri.EscapeDataString(parameter.Value)}"));

    public Task<Page> AuthorizeAsync(Browser browser, string scope, params (string Name, string? Value)[] changes) =>
        browser.OpenAsync($"/auth/authorize?{Query(Request(scope, changes))}");

    /// <summary>Through login, picker where there is one, and consent to everything; answers the code.</summary>
    public async Task<string> CodeAsync(string scope, string user = Smart.Tests.Accounts.Clinician, string? patient = null, Browser? browser = null, params (string Name, string? Value)[] changes)
    {
        using var own = new Browser(Server);
        var page = await AuthorizeAsync(browser ?? own, scope, changes);
        var end = await ConsentAsync(browser ?? own, page, user, patient);
        return end["code"] ?? throw new InvalidOperationException(end.Left!.OriginalString);
    }

    public static async Task<Page> ConsentAsync(Browser browser, Page page, string user = Smart.Tests.Accounts.Clinician, string? patient = null)
    {
        if (page.Forms.Any(form => form.Action == "/auth/login"))
        {
            page = await browser.LogInAsync(page, user);
        }

        if (page.Forms.Any(form => form.Action == "/auth/patient"))
        {
            page = await browser.SubmitAsync(page, "/auth/patient", ("patient", patient!), ("action", "choose"));
        }

        return await browser.SubmitAsync(page, "/auth/consent", ("action", "allow"));
    }

    public async Task<JsonElement> TokensAsync(string scope, string user = Smart.Tests.Accounts.Clinician, string? patient = null, Browser? browser = null, params (string Name, string? Value)[] changes) =>
        await RedeemAsync(await CodeAsync(scope, user, patient, browser, changes)).AssertGrantedAsync();

    public Task<HttpResponseMessage> RedeemAsync(string code, params (string Name, string? Value)[] changes) =>
        TokenAsync([("grant_type", "authorization_code"), ("code", code), ("redirect_uri", Smart.Tests.Accounts.Redirect), ("code_verifier", Verifier)], changes);

    public Task<HttpResponseMessage> RefreshAsync(string? token, params (string Name, string? Value)[] changes) =>
        TokenAsync([("grant_type", "refresh_token"), ("refresh_token", token ?? "")], changes);

    public Task<HttpResponseMessage> TokenAsync((string Name, string Value)[] form, params (string Name, string? Value)[] changes) => SendAsync(Server.TokenEndpoint, form, changes);

    /// <summary>A form to one of the endpoints, authenticated as the type does.</summary>
    public async Task<HttpResponseMessage> SendAsync(string endpoint, (string Name, string Value)[] form, params (string Name, string? Value)[] changes)
    {
        var fields = form.ToDictionary(field => field.Name, field => (string?)field.Value, StringComparer.Ordinal);
        using var request = new HttpRequestMessage(HttpMethod.Post, endpoint);
        switch (Type)
        {
            case ClientType.Public:
                fields["client_id"] = Id;
                break;
            case ClientType.Secret:
                request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Id}:{Secret}")));
                break;
            default:
                fields["client_assertion_type"] = TestClient.AssertionType;
                fields["client_assertion"] = Assertion();
                break;
        }

        foreach (var (name, value) in changes)
        {
            fields[name] = value;
        }

        request.Content = new FormUrlEncodedContent(fields.Where(field => field.Value is not null).Select(field => KeyValuePair.Create(field.Key, field.Value!)));
        request.Headers.TryAddWithoutValidation("Origin", "https://app.example");
        return await Server.Http.SendAsync(request);
    }

    public string Assertion(string? audience = null) => Key!.Sign(
        new() { ["alg"] = Key.Algorithm, ["typ"] = "JWT", ["kid"] = Key.Kid },
        new() { ["iss"] = Id, ["sub"] = Id, ["aud"] = audience ?? Server.TokenEndpoint, ["exp"] = Server.Time.GetUtcNow().ToUnixTimeSeconds() + 240, ["jti"] = $"app-jti-{Interlocked.Increment(ref _assertions)}" });

    public FhirCaller Caller(JsonElement tokens) => new(Server, tokens.GetProperty("access_token").GetString()!);
}
