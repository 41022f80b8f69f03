using System.Buffers.Text;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FhirIomt.Smart.Keys;
using FhirIomt.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Smart.Tests;

/// <summary>Discovery and OpenID Connect: facts §1.2, §1.5, §2.3.</summary>
public sealed class OpenIdTests(Accounts accounts) : IClassFixture<Accounts>
{
    private HttpClient Http => accounts.Server.Http;

    [Fact]
    public async Task D2_D7_the_configuration_has_what_apps_look_for()
    {
        var root = await JsonAsync(".well-known/smart-configuration");
        foreach (var name in (string[])["issuer", "jwks_uri", "authorization_endpoint", "token_endpoint", "introspection_endpoint", "revocation_endpoint"])
        {
            Assert.StartsWith(accounts.Server.Root, root.GetProperty(name).GetString(), StringComparison.Ordinal);
        }

        Assert.All((string[])["authorization_code", "client_credentials", "refresh_token"], grant => Assert.Contains(grant, Texts(root, "grant_types_supported")));
        Assert.Equal(["S256"], Texts(root, "code_challenge_methods_supported"));
        Assert.All((string[])
        [
            "launch-standalone", "launch-ehr", "client-public", "client-confidential-symmetric", "client-confidential-asymmetric", "sso-openid-connect", "context-standalone-patient", "context-banner", "context-style",
            "context-ehr-patient", "context-ehr-encounter", "context-standalone-encounter", "permission-offline", "permission-patient", "permission-user", "authorize-post", "permission-v2", "permission-v1",
        ], capability => Assert.Contains(capability, Texts(root, "capabilities")));
    }

    [Fact]
    public async Task D3_D4_the_capability_statement_says_the_same_addresses()
    {
        var configuration = await JsonAsync(".well-known/smart-configuration");
        var security = (await JsonAsync("metadata")).GetProperty("rest")[0].GetProperty("security");
        Assert.Equal("SMART-on-FHIR", security.GetProperty("service")[0].GetProperty("coding")[0].GetProperty("code").GetString());
        var uris = security.GetProperty("extension").EnumerateArray().Single(one => one.GetProperty("url").GetString() == "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris")
            .GetProperty("extension").EnumerateArray().ToDictionary(one => one.GetProperty("url").GetString()!, one => one.GetProperty("valueUri").GetString()!, StringComparer.Ordinal);
        foreach (var (name, member) in ((string, string)[])[("authorize", "authorization_endpoint"), ("token", "token_endpoint"), ("introspect", "introspection_endpoint"), ("revoke", "revocation_endpoint")])
        {
            Assert.Equal(configuration.GetProperty(member).GetString(), uris[name]);
        }
    }

    [Theory]
    [InlineData("/fhir/metadata")]
    [InlineData("/fhir/.well-known/smart-configuration")]
    [InlineData("/fhir/.well-known/openid-configuration")]
    [InlineData("/auth/jwks")]
    [InlineData("/auth/smart-style.json")]
    public async Task D5_D6_anyone_may_read_what_the_server_is(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, accounts.Server.Root + path);
        request.Headers.TryAddWithoutValidation("Origin", "https://anywhere.example");
        using var answer = await Http.SendAsync(request);
        Assert.Equal(200, (int)answer.StatusCode);
        Assert.Equal("*", Assert.Single(answer.Headers.GetValues("Access-Control-Allow-Origin")));
    }

    [Fact]
    public async Task D8_every_scope_of_the_configuration_that_a_person_can_grant_is_granted()
    {
        foreach (var scope in Texts(await JsonAsync(".well-known/smart-configuration"), "scopes_supported").Where(scope => scope.StartsWith("patient/", StringComparison.Ordinal) || scope.StartsWith("user/", StringComparison.Ordinal)))
        {
            Assert.Equal(scope, (await accounts.Public.TokensAsync(scope, patient: accounts.Ada)).GetProperty("scope").GetString());
        }
    }

    [Fact]
    public async Task O1_to_O6_the_id_token_verifies_with_the_published_key()
    {
        var tokens = await accounts.Public.TokensAsync("openid fhirUser profile user/Patient.rs", changes: ("nonce", "n-1"));
        var parts = tokens.GetProperty("id_token").GetString()!.Split('.');
        var (header, claims) = (Decode(parts[0]), Decode(parts[1]));
        var configuration = await JsonAsync(claims.GetProperty("iss").GetString()! + "/.well-known/openid-configuration");
        Assert.Equal(configuration.GetProperty("issuer").GetString(), claims.GetProperty("iss").GetString());
        Assert.Contains("RS256", Texts(configuration, "id_token_signing_alg_values_supported"));
        Assert.All((string[])["response_types_supported", "subject_types_supported"], name => Assert.NotEmpty(Texts(configuration, name)));

        var key = (await JsonAsync(configuration.GetProperty("jwks_uri").GetString()!)).GetProperty("keys").EnumerateArray().Single(one => one.GetProperty("kid").GetString() == header.GetProperty("kid").GetString());
        Assert.Equal("RS256", header.GetProperty("alg").GetString());
        Assert.True(Verifies(key, parts));
        Assert.False(key.TryGetProperty("d", out _));

        var now = accounts.Server.Time.GetUtcNow().ToUnixTimeSeconds();
        Assert.Equal(accounts.Public.Id, claims.GetProperty("aud").GetString());
        Assert.Equal("n-1", claims.GetProperty("nonce").GetString());
        Assert.InRange(claims.GetProperty("exp").GetInt64(), now + 60, now + 3600);
        Assert.InRange(claims.GetProperty("iat").GetInt64(), now - 60, now);
        Assert.InRange(claims.GetProperty("auth_time").GetInt64(), now - 60, now);
        Assert.InRange(claims.GetProperty("sub").GetString()!.Length, 1, 255);
    }

    [Fact]
    public async Task O7_the_persons_own_resource_is_readable_with_scopes_of_a_patient_only()
    {
        var tokens = await accounts.Public.TokensAsync("launch/patient openid fhirUser patient/Patient.rs", patient: accounts.Ada);
        var fhirUser = Decode(tokens.GetProperty("id_token").GetString()!.Split('.')[1]).GetProperty("fhirUser").GetString()!;
        Assert.Equal($"{accounts.Server.FhirBase}/Practitioner/{accounts.Practitioner}", fhirUser);
        var answer = await accounts.Public.Caller(tokens).GetAsync(fhirUser, ("Origin", "https://app.example"));
        Assert.Equal(200, answer.Status);
        Assert.Equal("https://app.example", answer.Header("Access-Control-Allow-Origin"));

        var without = await accounts.Public.TokensAsync("launch/patient openid patient/Patient.rs", patient: accounts.Ada);
        Assert.Equal(403, (await accounts.Public.Caller(without).GetAsync(fhirUser)).Status);
        Assert.False(Decode(without.GetProperty("id_token").GetString()!.Split('.')[1]).TryGetProperty("fhirUser", out _));
    }

    [Fact]
    public async Task C58_identity_alone_reads_the_own_resource_and_nothing_else()
    {
        var caller = accounts.Public.Caller(await accounts.Public.TokensAsync("openid fhirUser"));
        Assert.Equal(200, (await caller.GetAsync($"Practitioner/{accounts.Practitioner}")).Status);
        Assert.Equal(403, (await caller.GetAsync("Practitioner")).Status);
        Assert.Equal(403, (await caller.GetAsync($"Patient/{accounts.Ada}")).Status);
        Assert.Equal(403, (await caller.GetAsync("Observation")).Status);
    }

    [Fact]
    public async Task Userinfo_says_who_the_person_is_to_a_token_with_openid()
    {
        var tokens = await accounts.Public.TokensAsync("openid fhirUser profile user/Patient.rs");
        var claims = Decode(tokens.GetProperty("id_token").GetString()!.Split('.')[1]);
        var answer = await UserInfoAsync(tokens.GetProperty("access_token").GetString());
        Assert.Equal(200, answer.Status);
        Assert.Equal(claims.GetProperty("sub").GetString(), answer.Json.GetProperty("sub").GetString());
        Assert.Equal(claims.GetProperty("fhirUser").GetString(), answer.Json.GetProperty("fhirUser").GetString());
        Assert.Equal(Accounts.Clinician, answer.Json.GetProperty("preferred_username").GetString());

        Assert.Equal(401, (await UserInfoAsync(null)).Status);
        Assert.Equal(401, (await UserInfoAsync("made-up")).Status);
        Assert.Equal(403, (await UserInfoAsync(await accounts.Ehr.TokenAsync())).Status);
        Assert.Equal(403, (await UserInfoAsync((await accounts.Public.TokensAsync("user/Patient.rs")).GetProperty("access_token").GetString())).Status);
    }

    [Fact]
    public async Task D74_an_id_token_or_a_refresh_token_is_no_access_token()
    {
        var tokens = await accounts.Public.TokensAsync("openid offline_access user/Patient.rs");
        foreach (var name in (string[])["id_token", "refresh_token"])
        {
            Assert.Equal(401, (await new FhirCaller(accounts.Server, tokens.GetProperty(name).GetString()!).GetAsync("Patient")).Status);
        }
    }

    [Fact]
    public async Task J166_after_a_rotation_the_new_key_signs_and_the_old_one_stays_until_its_tokens_are_over()
    {
        var keys = accounts.Server.Services.GetRequiredService<IssuerKeys>();
        var before = (await accounts.Public.TokensAsync("openid")).GetProperty("id_token").GetString()!.Split('.');
        var kid = await keys.RotateAsync(CancellationToken.None);
        var after = (await accounts.Public.TokensAsync("openid")).GetProperty("id_token").GetString()!.Split('.');
        Assert.Equal(kid, Decode(after[0]).GetProperty("kid").GetString());

        var published = (await JsonAsync(accounts.Server.Root + "/auth/jwks")).GetProperty("keys").EnumerateArray().ToList();
        foreach (var token in (string[][])[before, after])
        {
            Assert.True(Verifies(published.Single(key => key.GetProperty("kid").GetString() == Decode(token[0]).GetProperty("kid").GetString()), token));
        }

        accounts.Server.Time.Offset += TimeSpan.FromHours(3);
        Assert.Equal([kid], (await keys.ListAsync(CancellationToken.None)).Select(key => key.Kid));
    }

    private static bool Verifies(JsonElement key, string[] token)
    {
        using var rsa = RSA.Create(new RSAParameters { Modulus = Base64Url.DecodeFromChars(key.GetProperty("n").GetString()), Exponent = Base64Url.DecodeFromChars(key.GetProperty("e").GetString()) });
        return rsa.VerifyData(Encoding.ASCII.GetBytes($"{token[0]}.{token[1]}"), Base64Url.DecodeFromChars(token[2]), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }

    private static JsonElement Decode(string part) => JsonDocument.Parse(Base64Url.DecodeFromChars(part)).RootElement;

    private async Task<JsonElement> JsonAsync(string address)
    {
        using var answer = await Http.GetAsync(address);
        Assert.Equal(200, (int)answer.StatusCode);
        return JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
    }

    private async Task<Answer> UserInfoAsync(string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, accounts.Server.Root + "/auth/userinfo");
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        return await Answer.OfAsync(await Http.SendAsync(request));
    }

    private static HashSet<string> Texts(JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray().Select(one => one.GetString()!)];
}
