using System.Security.Cryptography;
using System.Text.Json;
using FhirIomt.Access;
using FhirIomt.Smart.Clients;
using FhirIomt.Smart.Users;
using FhirIomt.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Clients.Tests;

/// <summary>A server with two patients, readings, a clinician of both, an app of each type and a backend service.</summary>
public sealed class World : IAsyncLifetime
{
    public const string User = "dr.lovelace";
    public const string Password = "nine lives of a cat";
    public const string Redirect = "https://app.example/callback";
    public const int Readings = 7;

    private const string AppScopes = "openid fhirUser launch launch/patient online_access offline_access patient/*.rs user/*.rs";

    internal TestServer Server { get; private set; } = null!;

    internal FhirCaller Ehr { get; private set; } = null!;

    internal string Ada { get; private set; } = "";

    internal string Ben { get; private set; } = "";

    internal string Practitioner { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Server = await TestServer.StartAsync();
        Ehr = await Server.CallerAsync("system/*.cruds __launch");
        Practitioner = await Ehr.CreateAsync("""{"resourceType":"Practitioner","name":[{"family":"Lovelace"}]}""");
        Ada = await Ehr.CreateAsync(PatientJson("Ada", "1958-03-14"));
        Ben = await Ehr.CreateAsync(PatientJson("Ben", "1971-11-02"));
        for (var number = 0; number < Readings; number++)
        {
            await Ehr.CreateAsync(HeartRate(Ada, Server.Time.GetUtcNow().AddHours(-number), 60 + number));
        }

        await Ehr.CreateAsync(HeartRate(Ben, Server.Time.GetUtcNow(), 99));
        (await Server.Services.GetRequiredService<UserDirectory>().AddAsync(new NewUser(User, UserRole.Clinician, $"Practitioner/{Practitioner}", Password), CancellationToken.None)).Require();
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    /// <summary>Another patient of the clinician's.</summary>
    internal Task<string> PatientAsync(string name) => Ehr.CreateAsync(PatientJson(name, "1960-01-01"));

    /// <summary>What the programs need to know, as JSON.</summary>
    internal async Task<string> DescribeAsync(string? accessToken = null)
    {
        var backend = await AppAsync(ClientType.Jwks, "system/Observation.rs system/Patient.rs", redirect: false);
        return JsonSerializer.Serialize(new
        {
            root = Server.Root,
            issuer = Server.FhirBase,
            fhir = Server.FhirBase,
            token_endpoint = Server.TokenEndpoint,
            user = User,
            password = Password,
            patient = Ada,
            other_patient = Ben,
            fhirUser = $"Practitioner/{Practitioner}",
            observations = Readings,
            access_token = accessToken,
            backend,
            apps = new[] { await AppAsync(ClientType.Public, AppScopes), await AppAsync(ClientType.Secret, AppScopes), await AppAsync(ClientType.Jwks, AppScopes) },
        });
    }

    internal static string HeartRate(string patient, DateTimeOffset time, int value) => $$"""
        {"resourceType":"Observation","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],
        "code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},"subject":{"reference":"Patient/{{patient}}"},"effectiveDateTime":"{{time:yyyy-MM-ddTHH:mm:ssZ}}",
        "valueQuantity":{"value":{{value}},"unit":"/min","system":"http://unitsofmeasure.org","code":"/min"} }
        """;

    private async Task<object> AppAsync(ClientType type, string scopes, bool redirect = true)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var name = $"k-{type}";
        var app = new NewClient($"App {type}", type, scopes) { Keys = type == ClientType.Jwks ? JwkSet(key, name) : null, RedirectUris = redirect ? [Redirect] : [] };
        var (registration, secret) = (await Server.Services.GetRequiredService<ClientDirectory>().AddAsync(app, CancellationToken.None)).Require();
        return new { type = type.ToString().ToLowerInvariant(), client_id = registration.ClientId, secret, pem = key.ExportPkcs8PrivateKeyPem(), kid = name, redirect_uri = Redirect };
    }

    private static string JwkSet(ECDsa key, string kid)
    {
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        return $$$"""{"keys":[{"kty":"EC","crv":"P-384","alg":"ES384","use":"sig","kid":"{{{kid}}}","x":"{{{ClientKey.Text(point.X!)}}}","y":"{{{ClientKey.Text(point.Y!)}}}"}]}""";
    }

    private string PatientJson(string name, string born) =>
        $$"""{"resourceType":"Patient","name":[{"family":"Byron","given":["{{name}}"]}],"birthDate":"{{born}}","gender":"female","generalPractitioner":[{"reference":"Practitioner/{{Practitioner}}"}]}""";
}
