using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FhirIomt.Tests;

namespace FhirIomt.Smart.Tests;

/// <summary>One server for all tests of a class.</summary>
public sealed class ServerFixture : IAsyncLifetime
{
    internal TestServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}

internal static class TokenAnswers
{
    /// <summary>The one assertion on refusals: 400 or 401, JSON with that error, kept by no cache, and no token.</summary>
    public static async Task AssertRefusedAsync(this Task<HttpResponseMessage> request, string error = "invalid_client")
    {
        using var answer = await request;
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode is 400 or 401, $"{(int)answer.StatusCode} {body}");
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal(error, JsonDocument.Parse(body).RootElement.GetProperty("error").GetString());
        Assert.False(JsonDocument.Parse(body).RootElement.TryGetProperty("access_token", out _));
        AssertNotCached(answer);
    }

    public static async Task<JsonElement> AssertGrantedAsync(this Task<HttpResponseMessage> request)
    {
        using var answer = await request;
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode == 200, $"{(int)answer.StatusCode} {body}");
        AssertNotCached(answer);
        return JsonDocument.Parse(body).RootElement;
    }

    private static void AssertNotCached(HttpResponseMessage answer)
    {
        Assert.Contains("no-store", answer.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
        Assert.Contains(answer.Headers.Pragma, value => value.Name == "no-cache");
    }
}

/// <summary>SMART Backend Services: what is granted, and each refusal of facts §7.4 under its number.</summary>
public sealed class TokenEndpointTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private const string Scope = "system/Patient.rs";

    private static readonly ClientKey SharedRsa = ClientKey.Rsa();

    private TestServer Server => fixture.Server;

    [Theory]
    [InlineData("RS384")]
    [InlineData("ES384")]
    public async Task A_signed_assertion_gets_a_token_that_works(string algorithm)
    {
        var client = await Server.RegisterAsync("system/Patient.rs system/Observation.cruds", algorithm == "RS384" ? SharedRsa : ClientKey.Ec());
        var answer = await client.RequestAsync().AssertGrantedAsync();
        Assert.Equal("bearer", answer.GetProperty("token_type").GetString(), ignoreCase: true);
        Assert.InRange(answer.GetProperty("expires_in").GetInt32(), 1, 300);
        Assert.Equal(client.Scopes, answer.GetProperty("scope").GetString());
        Assert.False(answer.TryGetProperty("refresh_token", out _));

        var caller = new FhirCaller(Server, answer.GetProperty("access_token").GetString()!);
        Assert.Equal(200, (await caller.GetAsync("Patient")).Status);
        Assert.Equal(403, (await caller.GetAsync("Device")).Status);
    }

    [Fact]
    public async Task The_issuer_is_an_audience_as_well()
    {
        var client = await Server.RegisterAsync(Scope);
        await client.RequestAsync(With(client, claims: ("aud", Server.FhirBase))).AssertGrantedAsync();
    }

    [Fact]
    public async Task A_client_id_beside_the_assertion_is_taken_when_it_agrees()
    {
        var client = await Server.RegisterAsync(Scope);
        await client.PostAsync([.. client.Form(), ("client_id", client.Id)]).AssertGrantedAsync();
    }

    [Fact]
    public async Task A1_without_an_assertion_or_with_another_type_of_it()
    {
        var client = await Server.RegisterAsync(Scope);
        await client.PostAsync([.. client.Form().Where(field => field.Name != "client_assertion")]).AssertRefusedAsync();
        await client.PostAsync([.. client.Form().Where(field => field.Name != "client_assertion_type")]).AssertRefusedAsync();
        await client.PostAsync([.. client.Form().Select(field => field.Name == "client_assertion_type" ? (field.Name, "urn:ietf:params:oauth:client-assertion-type:saml2-bearer") : field)]).AssertRefusedAsync();
        await client.PostAsync([.. client.Form().Select(field => field.Name == "client_assertion_type" ? (field.Name, field.Value.ToUpperInvariant()) : field)]).AssertRefusedAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a.b")]
    [InlineData("a.b.c.d")]
    [InlineData("a.b.c.d.e")]
    [InlineData("e30.e30.e30")]
    [InlineData("W10.W10.AAAA")]
    [InlineData("bnVsbA.bnVsbA.AAAA")]
    [InlineData("eyJhbGciOiJFUzM4NCJ9..AAAA")]
    [InlineData("é.é.é")]
    public async Task A2_what_is_no_signed_JWT(string assertion)
    {
        var client = await Server.RegisterAsync(Scope);
        await client.RequestAsync(assertion).AssertRefusedAsync();
    }

    [Theory]
    [InlineData("none")]
    [InlineData("None")]
    [InlineData("nOnE")]
    [InlineData("NONE")]
    public async Task A3_alg_none(string algorithm)
    {
        var client = await Server.RegisterAsync(Scope);
        var header = client.Header();
        header["alg"] = algorithm;
        var signed = ClientKey.Signed(JsonSerializer.Serialize(header), JsonSerializer.Serialize(client.Claims()));
        await client.RequestAsync(signed + ".").AssertRefusedAsync();
        await client.RequestAsync(signed + ".AAAA").AssertRefusedAsync();
    }

    [Theory]
    [InlineData("HS256")]
    [InlineData("HS384")]
    public async Task A4_the_public_key_used_as_a_shared_secret(string algorithm)
    {
        var client = await Server.RegisterAsync(Scope, SharedRsa);
        var header = client.Header();
        header["alg"] = algorithm;
        var signed = ClientKey.Signed(JsonSerializer.Serialize(header), JsonSerializer.Serialize(client.Claims()));
        foreach (var secret in (byte[][])[SharedRsa.PublicPem(), Encoding.UTF8.GetBytes(SharedRsa.Jwk())])
        {
            var code = algorithm == "HS384" ? HMACSHA384.HashData(secret, Encoding.ASCII.GetBytes(signed)) : HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(signed));
            await client.RequestAsync($"{signed}.{ClientKey.Text(code)}").AssertRefusedAsync();
        }
    }

    [Theory]
    [InlineData("RS256")]
    [InlineData("RS512")]
    [InlineData("PS384")]
    public async Task A5_algorithms_that_are_not_offered(string algorithm)
    {
        var client = await Server.RegisterAsync(Scope, SharedRsa);
        var header = client.Header();
        header["alg"] = algorithm;
        var signed = ClientKey.Signed(JsonSerializer.Serialize(header), JsonSerializer.Serialize(client.Claims()));
        var hash = algorithm switch { "RS256" => HashAlgorithmName.SHA256, "RS512" => HashAlgorithmName.SHA512, _ => HashAlgorithmName.SHA384 };
        var signature = SharedRsa.RsaSignature(Encoding.ASCII.GetBytes(signed), hash, algorithm == "PS384" ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);
        await client.RequestAsync($"{signed}.{ClientKey.Text(signature)}").AssertRefusedAsync();
    }

    [Fact]
    public async Task A6_an_algorithm_that_does_not_fit_the_key()
    {
        var rsa = await Server.RegisterAsync(Scope, SharedRsa);
        await rsa.RequestAsync(With(rsa, header: ("alg", "ES384"))).AssertRefusedAsync();

        var ec = await Server.RegisterAsync(Scope);
        await ec.RequestAsync(With(ec, header: ("alg", "RS384"))).AssertRefusedAsync();

        var curve = ClientKey.P256();
        var mixed = await Server.RegisterAsync(Scope, ClientKey.Ec(), $$"""{"keys":[{{ClientKey.Ec().Jwk()}},{{curve.Jwk()}}]}""");
        await mixed.RequestAsync(curve.Sign(new() { ["alg"] = "ES384", ["typ"] = "JWT", ["kid"] = curve.Kid }, mixed.Claims())).AssertRefusedAsync();
    }

    [Theory]
    [InlineData("other")]
    [InlineData("")]
    [InlineData("EC-1")]
    [InlineData("../../dev/null")]
    [InlineData("' OR 1=1 --")]
    [InlineData("http://127.0.0.1:1/keys")]
    public async Task A7_an_unknown_kid(string kid)
    {
        var client = await Server.RegisterAsync(Scope);
        await client.RequestAsync(With(client, header: ("kid", kid))).AssertRefusedAsync();
    }

    [Fact]
    public async Task A7_no_kid_a_kid_that_is_no_text_and_a_very_long_one()
    {
        var client = await Server.RegisterAsync(Scope);
        await client.RequestAsync(With(client, header: ("kid", null))).AssertRefusedAsync();
        await client.RequestAsync(With(client, header: ("kid", 1))).AssertRefusedAsync();
        await client.RequestAsync(With(client, header: ("kid", new string('k', 5000)))).AssertRefusedAsync();
        var header = client.Header();
        header.Remove("kid");
        await client.RequestAsync(client.Key.Sign(header, client.Claims())).AssertRefusedAsync();
    }

    [Fact]
    public async Task A7_two_keys_with_one_kid()
    {
        var key = ClientKey.Ec("same");
        var client = await Server.RegisterAsync(Scope, key, $$"""{"keys":[{{key.Jwk()}},{{ClientKey.Ec("same").Jwk()}}]}""");
        await client.RequestAsync().AssertRefusedAsync();
    }

    [Fact]
    public async Task A7_one_kid_for_two_kinds_of_keys_is_told_apart_by_the_kind()
    {
        var key = ClientKey.Ec(SharedRsa.Kid);
        var client = await Server.RegisterAsync(Scope, key, $$"""{"keys":[{{SharedRsa.Jwk()}},{{key.Jwk()}}]}""");
        await client.RequestAsync().AssertGrantedAsync();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("at+jwt")]
    [InlineData("JWE")]
    [InlineData("jose")]
    public async Task A8_another_typ(string? typ)
    {
        var client = await Server.RegisterAsync(Scope);
        await client.RequestAsync(With(client, header: ("typ", typ))).AssertRefusedAsync();
    }

    [Fact]
    public async Task A9_keys_and_addresses_in_the_header_are_not_used()
    {
        var client = await Server.RegisterAsync(Scope);
        var attacker = ClientKey.Ec();
        using var jwk = JsonDocument.Parse(attacker.Jwk());
        foreach (var (name, value) in new (string, object)[] { ("jwk", jwk.RootElement), ("jku", "http://127.0.0.1:1/jwks"), ("x5u", "http://127.0.0.1:1/x5"), ("x5c", new[] { "MIIB" }) })
        {
            var header = client.Header();
            header[name] = value;
            await client.RequestAsync(attacker.Sign(header, client.Claims())).AssertRefusedAsync();
        }
    }

    [Theory]
    [InlineData("exp")]
    [InlineData("b64")]
    public async Task A10_critical_extensions_of_the_header(string extension)
    {
        var client = await Server.RegisterAsync(Scope);
        await client.RequestAsync(With(client, header: ("crit", new[] { extension }))).AssertRefusedAsync();
        await client.RequestAsync(With(client, header: ("crit", Array.Empty<string>()))).AssertRefusedAsync();
    }

    [Fact]
    public async Task A11_issuers_that_are_not_the_client()
    {
        var client = await Server.RegisterAsync(Scope);
        var other = await Server.RegisterAsync(Scope);
        await client.RequestAsync(With(client, claims: ("sub", other.Id))).AssertRefusedAsync();
        await client.RequestAsync(With(client, claims: ("iss", other.Id))).AssertRefusedAsync();
        await client.RequestAsync(With(client, claims: ("iss", null))).AssertRefusedAsync();
        await client.RequestAsync(With(client, claims: ("sub", null))).AssertRefusedAsync();
        await client.RequestAsync(With(client, claims: ("iss", new[] { client.Id }))).AssertRefusedAsync();
        foreach (var id in (string[])[other.Id, "nobody", "", new string('x', 3000), client.Id + "\0"])
        {
            var claims = client.Claims();
            claims["iss"] = claims["sub"] = id;
            await client.RequestAsync(client.Key.Sign(client.Header(), claims)).AssertRefusedAsync();
        }

        await client.PostAsync([.. client.Form(), ("client_id", other.Id)]).AssertRefusedAsync();
    }

    [Fact]
    public async Task A12_other_audiences()
    {
        var client = await Server.RegisterAsync(Scope);
        object?[] audiences =
        [
            null, "", "https://elsewhere.example/auth/token", Server.Root, Server.FhirBase + "/Patient", Server.FhirBase + "/", Server.TokenEndpoint + "/", Server.TokenEndpoint.ToUpperInvariant(),
            new[] { Server.TokenEndpoint, "https://elsewhere.example/auth/token" }, new[] { Server.TokenEndpoint }, 1, Server.TokenEndpoint.Replace("127.0.0.1", "localhost", StringComparison.Ordinal),
        ];
        foreach (var audience in audiences)
        {
            await client.RequestAsync(With(client, claims: ("aud", audience))).AssertRefusedAsync();
        }

        var claims = client.Claims();
        claims.Remove("aud");
        await client.RequestAsync(client.Key.Sign(client.Header(), claims)).AssertRefusedAsync();
    }

    [Theory]
    [InlineData("null")]
    [InlineData("\"SOON\"")]
    [InlineData("SOON.5")]
    [InlineData("SOON.0")]
    [InlineData("SOONe0")]
    [InlineData("-1")]
    [InlineData("0")]
    [InlineData("1e300")]
    [InlineData("99999999999999999999999999")]
    [InlineData("9223372036854775807")]
    [InlineData("253402300800")]
    [InlineData("true")]
    [InlineData("{}")]
    [InlineData("[SOON]")]
    public async Task A13_exp_that_is_no_near_time_in_whole_seconds(string exp)
    {
        var client = await Server.RegisterAsync(Scope);
        var soon = Server.Time.GetUtcNow().ToUnixTimeSeconds() + 100;
        await client.RequestAsync(WithRaw(client, "exp", exp.Replace("SOON", $"{soon}", StringComparison.Ordinal))).AssertRefusedAsync();
    }

    [Theory]
    [InlineData(-3600)]
    [InlineData(-60)]
    [InlineData(600)]
    [InlineData(86_400)]
    public async Task A13_exp_in_the_past_or_too_far_ahead(int seconds)
    {
        var client = await Server.RegisterAsync(Scope);
        await client.RequestAsync(With(client, claims: ("exp", Server.Time.GetUtcNow().ToUnixTimeSeconds() + seconds))).AssertRefusedAsync();
    }

    [Fact]
    public async Task A13_without_exp()
    {
        var client = await Server.RegisterAsync(Scope);
        var claims = client.Claims();
        claims.Remove("exp");
        await client.RequestAsync(client.Key.Sign(client.Header(), claims)).AssertRefusedAsync();
    }

    [Theory]
    [InlineData("nbf")]
    [InlineData("iat")]
    public async Task A14_nbf_and_iat_in_the_future_or_of_another_kind(string claim)
    {
        var client = await Server.RegisterAsync(Scope);
        var now = Server.Time.GetUtcNow().ToUnixTimeSeconds();
        await client.RequestAsync(With(client, claims: (claim, now + 120))).AssertRefusedAsync();
        await client.RequestAsync(With(client, claims: (claim, $"{now}"))).AssertRefusedAsync();
        await client.RequestAsync(WithRaw(client, claim, "1e300")).AssertRefusedAsync();
        await client.RequestAsync(With(client, claims: (claim, now))).AssertGrantedAsync();
    }

    [Fact]
    public async Task A15_jti_missing_empty_too_long_or_of_another_kind()
    {
        var client = await Server.RegisterAsync(Scope);
        foreach (var jti in (object?[])[null, "", new string('j', 257), 1, new[] { "x" }])
        {
            await client.RequestAsync(With(client, claims: ("jti", jti))).AssertRefusedAsync();
        }

        var claims = client.Claims();
        claims.Remove("jti");
        await client.RequestAsync(client.Key.Sign(client.Header(), claims)).AssertRefusedAsync();
    }

    [Fact]
    public async Task A15_an_assertion_is_good_once()
    {
        var client = await Server.RegisterAsync(Scope);
        var assertion = client.Assertion();
        await client.RequestAsync(assertion).AssertGrantedAsync();
        await client.RequestAsync(assertion).AssertRefusedAsync();

        // Nor another one with its jti, while another client may use the same text.
        var claims = client.Claims();
        claims["jti"] = "shared";
        await client.RequestAsync(client.Key.Sign(client.Header(), claims)).AssertGrantedAsync();
        claims["exp"] = (long)claims["exp"]! - 1;
        await client.RequestAsync(client.Key.Sign(client.Header(), claims)).AssertRefusedAsync();
        var other = await Server.RegisterAsync(Scope);
        await other.RequestAsync(With(other, claims: ("jti", "shared"))).AssertGrantedAsync();
    }

    [Fact]
    public async Task A15_of_thirty_replays_at_once_one_wins()
    {
        var client = await Server.RegisterAsync(Scope);
        var assertion = client.Assertion();
        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => client.RequestAsync(assertion)));
        Assert.Single(answers, answer => answer.IsSuccessStatusCode);
        Assert.All(answers.Where(answer => !answer.IsSuccessStatusCode), answer => Assert.Equal(401, (int)answer.StatusCode));
    }

    [Fact]
    public async Task A15_a_forged_assertion_does_not_use_up_the_jti_of_a_good_one()
    {
        var client = await Server.RegisterAsync(Scope);
        var claims = client.Claims();
        await client.RequestAsync(ClientKey.Ec().Sign(client.Header(), claims)).AssertRefusedAsync();
        await client.RequestAsync(client.Key.Sign(client.Header(), claims)).AssertGrantedAsync();
    }

    [Theory]
    [InlineData("RS384")]
    [InlineData("ES384")]
    public async Task A16_signatures_that_are_not_the_clients(string algorithm)
    {
        var client = await Server.RegisterAsync(Scope, algorithm == "RS384" ? SharedRsa : ClientKey.Ec());
        var parts = client.Assertion().Split('.');
        var length = algorithm == "RS384" ? 256 : 96;
        var payload = JsonSerializer.Serialize(With(client.Claims(), ("scope", "system/*.cruds")));
        string[] forged =
        [
            $"{parts[0]}.{ClientKey.Text(Encoding.UTF8.GetBytes(payload))}.{parts[2]}",
            $"{parts[0]}.{parts[1]}.{parts[2][..^4]}",
            $"{parts[0]}.{parts[1]}.{parts[2]}AAAA",
            $"{parts[0]}.{parts[1]}.{ClientKey.Text(new byte[length])}",
            $"{parts[0]}.{parts[1]}.{ClientKey.Text([.. Enumerable.Repeat((byte)0xff, length)])}",
            $"{parts[0]}.{parts[1]}.AA",
            $"{parts[0]}.{parts[1]}.",
            $"{parts[0]}.{parts[1]}.{parts[2]}.",
            $"{parts[0]}.{parts[1]}.{parts[2]}=",
            $"{parts[0]}.{parts[1]}.{parts[2]}==",
            $"{parts[0]}.{parts[1]}.{parts[2]} ",
            $" {parts[0]}.{parts[1]}.{parts[2]}",
            $"{parts[0]}.{parts[1]}.{parts[2]}\n",
            $"{parts[0]}=.{parts[1]}.{parts[2]}",
            string.Join('.', parts).Replace('-', '+').Replace('_', '/') + "+",
        ];
        foreach (var assertion in forged)
        {
            await client.RequestAsync(assertion).AssertRefusedAsync();
        }

        // Nothing of that used up the good one.
        await client.RequestAsync(string.Join('.', parts)).AssertGrantedAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A16_bits_left_over_in_the_last_character_do_not_fail_the_server(int part)
    {
        var client = await Server.RegisterAsync(Scope, SharedRsa);

        // RS384's 256 bytes end in a character with four unused bits; the other parts are padded to do so too.
        var claims = client.Claims();
        var header = client.Header();
        while (JsonSerializer.SerializeToUtf8Bytes(part == 0 ? header : claims).Length % 3 != 1)
        {
            (part == 0 ? header : claims)["pad"] = (part == 0 ? header : claims).TryGetValue("pad", out var pad) ? pad + "x" : "x";
        }

        var parts = client.Key.Sign(header, claims).Split('.');
        const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        parts[part] = parts[part][..^1] + Alphabet[Alphabet.IndexOf(parts[part][^1], StringComparison.Ordinal) | 1];
        await client.RequestAsync(string.Join('.', parts)).AssertRefusedAsync();
    }

    [Fact]
    public async Task A16_a_DER_signature()
    {
        var client = await Server.RegisterAsync(Scope);
        var signed = ClientKey.Signed(JsonSerializer.Serialize(client.Header()), JsonSerializer.Serialize(client.Claims()));
        await client.RequestAsync($"{signed}.{ClientKey.Text(client.Key.DerSignature(Encoding.ASCII.GetBytes(signed)))}").AssertRefusedAsync();
    }

    [Fact]
    public async Task A16_a_key_of_somebody_else()
    {
        var client = await Server.RegisterAsync(Scope);
        await client.RequestAsync(ClientKey.Ec(client.Key.Kid).Sign(client.Header(), client.Claims())).AssertRefusedAsync();
    }

    [Fact]
    public async Task A16_duplicate_members_in_header_or_claims()
    {
        var client = await Server.RegisterAsync(Scope);
        var (header, claims) = (JsonSerializer.Serialize(client.Header()), JsonSerializer.Serialize(client.Claims()));
        await client.RequestAsync(client.Key.SignText(header.Replace("{", "{\"alg\":\"none\",", StringComparison.Ordinal), claims)).AssertRefusedAsync();
        await client.RequestAsync(client.Key.SignText(header, claims.Replace("{", "{\"iss\":\"other\",", StringComparison.Ordinal))).AssertRefusedAsync();
    }

    [Fact]
    public async Task A19_a_client_that_was_deleted_gets_no_token_and_its_tokens_end_at_once()
    {
        var client = await Server.RegisterAsync(Scope);
        var caller = new FhirCaller(Server, await client.TokenAsync());
        Assert.Equal(200, (await caller.GetAsync("Patient")).Status);
        await Server.DeleteClientAsync(client.Id);
        Assert.Equal(401, (await caller.GetAsync("Patient")).Status);
        await client.RequestAsync().AssertRefusedAsync();
    }

    [Fact]
    public async Task A19_two_authentication_methods_at_once()
    {
        var client = await Server.RegisterAsync(Scope);
        using var request = new HttpRequestMessage(HttpMethod.Post, Server.TokenEndpoint) { Content = new FormUrlEncodedContent(client.Form().Select(field => KeyValuePair.Create(field.Name, field.Value))) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes($"{client.Id}:secret")));
        await Server.Http.SendAsync(request).AssertRefusedAsync("invalid_request");
    }

    [Theory]
    [InlineData("grant_type")]
    [InlineData("scope")]
    [InlineData("client_assertion")]
    [InlineData("client_assertion_type")]
    public async Task A20_a_parameter_given_twice(string name)
    {
        var client = await Server.RegisterAsync(Scope);
        var form = client.Form();
        await client.PostAsync([.. form, form.Single(field => field.Name == name)]).AssertRefusedAsync("invalid_request");
    }

    [Fact]
    public async Task A20_parameters_in_the_query_string()
    {
        var client = await Server.RegisterAsync(Scope);
        var query = string.Join('&', client.Form().Select(field => $"{field.Name}={Uri.EscapeDataString(field.Value)}"));
        using var empty = new FormUrlEncodedContent([]);
        await Server.Http.PostAsync($"{Server.TokenEndpoint}?{query}", empty).AssertRefusedAsync("invalid_request");
        using var form = new FormUrlEncodedContent(client.Form().Select(field => KeyValuePair.Create(field.Name, field.Value)));
        await Server.Http.PostAsync($"{Server.TokenEndpoint}?x=1", form).AssertRefusedAsync("invalid_request");
    }

    [Theory]
    [InlineData("application/json", "{\"grant_type\":\"client_credentials\"}")]
    [InlineData("text/plain", "grant_type=client_credentials")]
    [InlineData("multipart/form-data; boundary=x", "--x--")]
    [InlineData("multipart/form-data", "")]
    [InlineData("application/x-www-form-urlencoded", "")]
    [InlineData("application/x-www-form-urlencoded", "%ff%fe=%00&&&=")]
    public async Task A20_a_body_that_is_no_form(string contentType, string body)
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        await Server.Http.PostAsync(Server.TokenEndpoint, content).AssertRefusedAsync("invalid_request");
    }

    [Fact]
    public async Task A20_a_form_that_is_too_large_or_has_too_many_fields()
    {
        var client = await Server.RegisterAsync(Scope);
        await client.PostAsync([.. client.Form(), ("x", new string('x', 70_000))]).AssertRefusedAsync("invalid_request");
        await client.PostAsync([.. client.Form(), .. Enumerable.Range(0, 2000).Select(number => ($"x{number}", ""))]).AssertRefusedAsync("invalid_request");
    }

    [Theory]
    [InlineData("implicit")]
    [InlineData("urn:ietf:params:oauth:grant-type:device_code")]
    [InlineData("password")]
    [InlineData("Client_Credentials")]
    public async Task An_unknown_grant_is_refused_as_one(string grant)
    {
        var client = await Server.RegisterAsync(Scope);
        await client.PostAsync([.. client.Form().Select(field => field.Name == "grant_type" ? (field.Name, grant) : field)]).AssertRefusedAsync("unsupported_grant_type");
    }

    [Fact]
    public async Task A_missing_grant_is_an_invalid_request()
    {
        var client = await Server.RegisterAsync(Scope);
        await client.PostAsync([.. client.Form().Where(field => field.Name != "grant_type")]).AssertRefusedAsync("invalid_request");
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("patient/Patient.rs")]
    [InlineData("user/Patient.rs")]
    [InlineData("openid fhirUser")]
    [InlineData("system/Observation.rs")]
    [InlineData("system/*.rs")]
    [InlineData("system/Patient.c")]
    [InlineData("system/Patient.cruds")]
    [InlineData("system/Patient.sr")]
    [InlineData("__operator")]
    public async Task A21_scopes_that_a_client_cannot_have(string scope)
    {
        var client = await Server.RegisterAsync(Scope);
        await client.RequestAsync(scope: scope).AssertRefusedAsync("invalid_scope");
    }

    [Fact]
    public async Task A21_without_scope()
    {
        var client = await Server.RegisterAsync(Scope);
        await client.PostAsync([.. client.Form().Where(field => field.Name != "scope")]).AssertRefusedAsync("invalid_scope");
    }

    [Theory]
    [InlineData("system/*.cruds", "system/Patient.r", "system/Patient.r")]
    [InlineData("system/*.cruds", "system/Patient.read", "system/Patient.read")]
    [InlineData("system/Patient.rs", "system/Patient.rs system/Observation.rs", "system/Patient.rs")]
    [InlineData("system/Patient.rs", "system/Patient.rs patient/Patient.rs launch", "system/Patient.rs")]
    [InlineData("system/Patient.r system/Patient.s", "system/Patient.rs", "system/Patient.rs")]
    [InlineData("system/Patient.rs", "system/Patient.rs system/Patient.rs", "system/Patient.rs")]
    [InlineData("system/Observation.rs", "system/Observation.rs?category=vital-signs", "system/Observation.rs?category=vital-signs")]
    [InlineData("system/Observation.rs?category=vital-signs", "system/Observation.rs?category=vital-signs system/Observation.rs", "system/Observation.rs?category=vital-signs")]
    [InlineData("__operator system/Patient.rs", "system/Patient.r __operator", "system/Patient.r __operator")]
    public async Task A21_more_than_is_registered_is_left_out_and_less_is_granted(string registered, string asked, string granted)
    {
        var client = await Server.RegisterAsync(registered);
        Assert.Equal(granted, (await client.RequestAsync(scope: asked).AssertGrantedAsync()).GetProperty("scope").GetString());
    }

    [Fact]
    public async Task A_token_reduced_to_one_letter_grants_that_letter_only()
    {
        var client = await Server.RegisterAsync("system/*.cruds");
        var caller = new FhirCaller(Server, await client.TokenAsync("system/Patient.r"));
        Assert.Equal(404, (await caller.GetAsync("Patient/nobody")).Status);
        Assert.Equal(403, (await caller.GetAsync("Patient")).Status);
        Assert.Equal(403, (await caller.GetAsync("Observation/nobody")).Status);
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    public async Task Other_methods_are_not_offered(string method)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), Server.TokenEndpoint);
        Assert.Equal(405, (int)(await Server.Http.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task D1_the_configuration_is_JSON_whatever_is_accepted()
    {
        foreach (var accept in (string[])["application/json", "application/fhir+xml", "text/html"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, ".well-known/smart-configuration");
            request.Headers.TryAddWithoutValidation("Accept", accept);
            request.Headers.TryAddWithoutValidation("Origin", "https://app.example");
            using var answer = await Server.Http.SendAsync(request);
            Assert.Equal(200, (int)answer.StatusCode);
            Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
            Assert.Equal("*", Assert.Single(answer.Headers.GetValues("Access-Control-Allow-Origin")));
        }
    }

    [Fact]
    public async Task D2_the_configuration_says_what_backend_services_need()
    {
        using var document = JsonDocument.Parse(await Server.Http.GetStringAsync(".well-known/smart-configuration"));
        var root = document.RootElement;
        Assert.Equal(Server.TokenEndpoint, root.GetProperty("token_endpoint").GetString());
        Assert.Equal(Server.FhirBase, root.GetProperty("issuer").GetString());
        Assert.Contains("client_credentials", Texts(root, "grant_types_supported"));
        Assert.Contains("private_key_jwt", Texts(root, "token_endpoint_auth_methods_supported"));
        Assert.Equal(["ES384", "RS384"], Texts(root, "token_endpoint_auth_signing_alg_values_supported").Order(StringComparer.Ordinal));
        Assert.Contains("S256", Texts(root, "code_challenge_methods_supported"));
        Assert.DoesNotContain("plain", Texts(root, "code_challenge_methods_supported"));
        Assert.Contains("client-confidential-asymmetric", Texts(root, "capabilities"));
        Assert.All(Texts(root, "capabilities"), Assert.NotEmpty);
    }

    [Fact]
    public async Task Every_scope_that_the_configuration_lists_for_backend_services_can_be_had()
    {
        using var document = JsonDocument.Parse(await Server.Http.GetStringAsync(".well-known/smart-configuration"));
        var client = await Server.RegisterAsync("system/*.cruds");
        foreach (var scope in Texts(document.RootElement, "scopes_supported").Where(scope => scope.StartsWith("system/", StringComparison.Ordinal)))
        {
            Assert.Equal(scope, (await client.RequestAsync(scope: scope).AssertGrantedAsync()).GetProperty("scope").GetString());
        }
    }

    private static List<string> Texts(JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray().Select(one => one.GetString()!)];

    private static string With(TestClient client, (string Name, object? Value)? header = null, (string Name, object? Value)? claims = null) =>
        client.Key.Sign(With(client.Header(), header), With(client.Claims(), claims));

    private static Dictionary<string, object?> With(Dictionary<string, object?> members, (string Name, object? Value)? change)
    {
        if (change is { } made)
        {
            members[made.Name] = made.Value;
        }

        return members;
    }

    private static string WithRaw(TestClient client, string claim, string json)
    {
        var claims = client.Claims();
        claims.Remove(claim);
        return client.Key.SignText(JsonSerializer.Serialize(client.Header()), JsonSerializer.Serialize(claims).Replace("{", $"{{\"{claim}\":{json},", StringComparison.Ordinal));
    }
}
