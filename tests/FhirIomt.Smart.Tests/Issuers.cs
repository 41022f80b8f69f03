using FhirIomt.Smart.Issuers;
using FhirIomt.Tests;

namespace FhirIomt.Smart.Tests;

/// <summary>A server that trusts two other issuers: one far, one hardly. Each signs with a key of the test's own.</summary>
public sealed class Issuers : IAsyncLifetime
{
    public const string Trusted = "https://idp.example/realms/ward";
    public const string Hardly = "https://other.example";

    private int _tokens;

    internal TestServer Server { get; private set; } = null!;

    internal KeySite TrustedKeys { get; private set; } = null!;

    internal KeySite HardlyKeys { get; private set; } = null!;

    internal ClientKey Key { get; } = ClientKey.Rsa("t-1");

    internal ClientKey OtherKey { get; } = ClientKey.Ec("h-1");

    internal string Practitioner { get; private set; } = "";

    internal string Ada { get; private set; } = "";

    /// <summary>Nobody's whom the practitioner may see.</summary>
    internal string Cleo { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        (TrustedKeys, HardlyKeys) = (await KeySite.StartAsync(), await KeySite.StartAsync());
        (TrustedKeys.Body, HardlyKeys.Body) = (Key.JwkSet(), OtherKey.JwkSet());
        Server = await TestServer.StartAsync(options => options.Issuers =
        [
            new IssuerOptions { Issuer = Trusted, Jwks = TrustedKeys.Address, AllowedScopes = "fhirUser patient/*.cruds user/*.rs system/Patient.rs", MayAssertPatient = true },
            new IssuerOptions { Issuer = Hardly, Jwks = HardlyKeys.Address, AllowedScopes = "user/Patient.rs", Audience = "urn:ward", Algorithms = "ES384" },
        ]);
        var all = await Server.CallerAsync("system/*.cruds");
        Practitioner = await all.CreateAsync("""{"resourceType":"Practitioner","name":[{"family":"Who"}]}""");
        Ada = await all.CreateAsync(Accounts.PatientJson("Ada", "Lovelace", "1958-03-14", "mrn-1", Practitioner));
        Cleo = await all.CreateAsync(Accounts.PatientJson("Cleo", "Okafor", "1990-06-27", "mrn-3", "nobody"));
        await all.CreateAsync($$"""{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/{{Ada}}"} }""");
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await TrustedKeys.DisposeAsync();
        await HardlyKeys.DisposeAsync();
    }

    internal Dictionary<string, object?> Header(ClientKey? key = null, params (string Name, object? Value)[] changes) =>
        Changed(new() { ["alg"] = (key ?? Key).Algorithm, ["typ"] = "at+jwt", ["kid"] = (key ?? Key).Kid }, changes);

    /// <summary>Of a good token of the trusted issuer for a clinician; a change with a null value leaves the claim out.</summary>
    internal Dictionary<string, object?> Claims(params (string Name, object? Value)[] changes)
    {
        var now = Server.Time.GetUtcNow().ToUnixTimeSeconds();
        return Changed(
            new()
            {
                ["iss"] = Trusted,
                ["sub"] = "person-1",
                ["aud"] = Server.FhirBase,
                ["client_id"] = "ward-app",
                ["exp"] = now + 300,
                ["iat"] = now,
                ["jti"] = $"jti-{Interlocked.Increment(ref _tokens)}",
                ["scope"] = "openid user/Patient.rs user/Observation.rs",
                ["fhirUser"] = $"Practitioner/{Practitioner}",
            },
            changes);
    }

    internal string Token(params (string Name, object? Value)[] changes) => Key.Sign(Header(), Claims(changes));

    internal Task<Answer> ReadAsync(string token, string? path = null) => new FhirCaller(Server, token).GetAsync(path ?? $"Patient/{Ada}");

    internal async Task AssertTakenAsync(string token)
    {
        var answer = await ReadAsync(token);
        Assert.True(answer.Status == 200, $"{answer.Status} {answer.Body}");
    }

    internal async Task AssertRefusedAsync(string token, string why = "")
    {
        var answer = await ReadAsync(token);
        Assert.True(answer.Status == 401, $"{why} {answer.Status} {answer.Body}");
        Assert.Contains("invalid_token", answer.Header("WWW-Authenticate"), StringComparison.Ordinal);
        Assert.Equal("IOMT-0821", answer.IssueCode);
    }

    private static Dictionary<string, object?> Changed(Dictionary<string, object?> values, (string Name, object? Value)[] changes)
    {
        foreach (var (name, value) in changes)
        {
            if (value is null)
            {
                values.Remove(name);
            }
            else
            {
                values[name] = value;
            }
        }

        return values;
    }
}
