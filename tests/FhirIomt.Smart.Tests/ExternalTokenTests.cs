using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FhirIomt.Access;
using FhirIomt.Smart.Issuers;
using FhirIomt.Smart.Users;
using FhirIomt.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Smart.Tests;

/// <summary>JWT access tokens of other issuers at the FHIR API: facts §10 D 65 to 78.</summary>
public sealed class ExternalTokenTests(Issuers issuers) : IClassFixture<Issuers>
{
    [Fact]
    public async Task A_token_of_a_trusted_issuer_reads_what_its_person_may()
    {
        await issuers.AssertTakenAsync(issuers.Token());
        await issuers.AssertTakenAsync(issuers.Token(("fhirUser", $"{issuers.Server.FhirBase}/Practitioner/{issuers.Practitioner}")));
        await issuers.AssertTakenAsync(issuers.Token(("aud", new[] { "account", issuers.Server.FhirBase })));
        await issuers.AssertTakenAsync(issuers.Token(("scope", null), ("scp", "user/Patient.rs")));
        await issuers.AssertTakenAsync(issuers.Token(("scope", null), ("scp", new[] { "user/Patient.rs" })));
        await issuers.AssertTakenAsync(issuers.Key.Sign(issuers.Header(null, ("typ", "JWT")), issuers.Claims()));
        Assert.Equal(404, (await issuers.ReadAsync(issuers.Token(), $"Patient/{issuers.Cleo}")).Status);
    }

    [Fact]
    public async Task D65_a_token_without_signature_is_none()
    {
        foreach (var algorithm in (string[])["none", "None", "nOnE", ""])
        {
            var unsigned = ClientKey.Signed(JsonSerializer.Serialize(issuers.Header(null, ("alg", algorithm))), JsonSerializer.Serialize(issuers.Claims()));
            await issuers.AssertRefusedAsync(unsigned + ".");
            await issuers.AssertRefusedAsync(unsigned + ".AA");
        }
    }

    [Fact]
    public async Task D66_a_public_key_is_no_shared_secret()
    {
        foreach (var secret in (byte[][])[issuers.Key.PublicPem(), Encoding.UTF8.GetBytes(issuers.Key.Jwk()), Encoding.UTF8.GetBytes(issuers.Key.JwkSet())])
        {
            var signed = ClientKey.Signed(JsonSerializer.Serialize(issuers.Header(null, ("alg", "HS256"))), JsonSerializer.Serialize(issuers.Claims()));
            await issuers.AssertRefusedAsync($"{signed}.{ClientKey.Text(HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(signed)))}");
        }
    }

    [Fact]
    public async Task D67_algorithm_key_and_curve_belong_together()
    {
        foreach (var algorithm in (string[])["ES384", "ES256", "PS384", "RS512", "RS256"])
        {
            await issuers.AssertRefusedAsync(issuers.Key.Sign(issuers.Header(null, ("alg", algorithm)), issuers.Claims()), algorithm);
        }

        var claims = issuers.Claims(("iss", Issuers.Hardly), ("aud", "urn:ward"));
        await issuers.AssertTakenAsync(issuers.OtherKey.Sign(issuers.Header(issuers.OtherKey), claims));
        var signed = ClientKey.Signed(JsonSerializer.Serialize(issuers.Header(issuers.OtherKey)), JsonSerializer.Serialize(claims));
        await issuers.AssertRefusedAsync($"{signed}.{ClientKey.Text(new byte[96])}", "zeros");
        await issuers.AssertRefusedAsync($"{signed}.{ClientKey.Text(issuers.OtherKey.DerSignature(Encoding.ASCII.GetBytes(signed)))}", "DER");
        await issuers.AssertRefusedAsync(ClientKey.P256("h-1").Sign(issuers.Header(issuers.OtherKey), claims), "P-256");

        // Good at the one issuer, not in the other's list.
        await issuers.AssertRefusedAsync(issuers.Key.Sign(issuers.Header(null, ("kid", "h-1")), claims), "RS384");
    }

    [Fact]
    public async Task D68_a_kid_is_a_name_and_nothing_else()
    {
        foreach (var kid in (object?[])["../../dev/null", "' OR 1=1 --", "https://evil.example/key", new string('k', 5000), "", 7, null, "T-1", "t-1\u0000"])
        {
            await issuers.AssertRefusedAsync(issuers.Key.Sign(issuers.Header(null, ("kid", kid)), issuers.Claims()), $"{kid}");
        }
    }

    [Fact]
    public async Task D69_no_key_comes_from_a_token_and_nothing_it_names_is_fetched()
    {
        await using var evil = await KeySite.StartAsync();
        var key = ClientKey.Rsa("t-1");
        evil.Body = key.JwkSet();
        foreach (var (name, value) in ((string, object)[])[("jku", evil.Address), ("x5u", evil.Address), ("jwk", JsonSerializer.Deserialize<JsonElement>(key.Jwk())), ("x5c", new[] { Convert.ToBase64String(new byte[64]) })])
        {
            await issuers.AssertRefusedAsync(key.Sign(issuers.Header(key, (name, value)), issuers.Claims()), name);
        }

        Assert.Equal(0, evil.Fetches);
    }

    [Fact]
    public async Task D70_an_extension_that_must_be_understood_is_not()
    {
        await issuers.AssertRefusedAsync(issuers.Key.Sign(issuers.Header(null, ("crit", new[] { "exp" })), issuers.Claims()));
        await issuers.AssertRefusedAsync(issuers.Key.Sign(issuers.Header(null, ("b64", false)), issuers.Claims()));
    }

    [Fact]
    public async Task D71_times_are_whole_seconds_that_are_not_over_and_not_to_come()
    {
        var now = issuers.Server.Time.GetUtcNow().ToUnixTimeSeconds();
        foreach (var exp in (object?[])[now - 70, null, $"{now + 300}", now + 300.5, 1e300, -1, 0, long.MaxValue, true])
        {
            await issuers.AssertRefusedAsync(issuers.Token(("exp", exp)), $"exp {exp}");
        }

        foreach (var name in (string[])["nbf", "iat"])
        {
            await issuers.AssertRefusedAsync(issuers.Token((name, now + 90)), name);
            await issuers.AssertRefusedAsync(issuers.Token((name, "now")), name);
            await issuers.AssertTakenAsync(issuers.Token((name, now + 40)));
        }

        await issuers.AssertTakenAsync(issuers.Token(("exp", now - 30)));
        await issuers.AssertTakenAsync(issuers.Token(("iat", null)));
    }

    [Fact]
    public async Task D72_an_issuer_is_who_it_is_called_exactly()
    {
        foreach (var issuer in (object?[])[Issuers.Trusted + "/", Issuers.Trusted.ToUpperInvariant(), "https://IDP.example/realms/ward", "http://idp.example/realms/ward", "https://idp.еxample/realms/ward", " " + Issuers.Trusted, "", null, 1, new[] { Issuers.Trusted }, issuers.Server.FhirBase])
        {
            await issuers.AssertRefusedAsync(issuers.Token(("iss", issuer)), $"{issuer}");
        }
    }

    [Fact]
    public async Task D73_a_token_for_somebody_else_is_not_for_this_server()
    {
        foreach (var audience in (object?[])[null, "", "https://elsewhere.example/fhir", issuers.Server.FhirBase + "/", issuers.Server.Root, new[] { "a", "b" }, Array.Empty<string>(), "urn:ward", new Dictionary<string, string> { ["aud"] = issuers.Server.FhirBase }])
        {
            await issuers.AssertRefusedAsync(issuers.Token(("aud", audience)), $"{audience}");
        }
    }

    [Fact]
    public async Task D74_an_id_token_a_refresh_token_or_an_assertion_is_no_access_token()
    {
        foreach (var type in (object?[])["client-authentication+jwt", "logout+jwt", "secevent+jwt", "jwt+at", "", null, 1])
        {
            await issuers.AssertRefusedAsync(issuers.Key.Sign(issuers.Header(null, ("typ", type)), issuers.Claims()), $"{type}");
        }

        foreach (var (name, value) in ((string, object)[])[("nonce", "n"), ("at_hash", "h"), ("c_hash", "h"), ("events", new Dictionary<string, object>()), ("typ", "Refresh"), ("typ", "ID"), ("typ", "Offline")])
        {
            await issuers.AssertRefusedAsync(issuers.Key.Sign(issuers.Header(null, ("typ", "JWT")), issuers.Claims((name, value))), name);
        }

        await issuers.AssertTakenAsync(issuers.Key.Sign(issuers.Header(null, ("typ", "JWT")), issuers.Claims(("typ", "Bearer"))));
    }

    [Fact]
    public async Task D75_one_issuer_does_not_speak_for_another()
    {
        await issuers.AssertRefusedAsync(issuers.OtherKey.Sign(issuers.Header(issuers.OtherKey), issuers.Claims()));
        await issuers.AssertRefusedAsync(issuers.Key.Sign(issuers.Header(), issuers.Claims(("iss", Issuers.Hardly), ("aud", "urn:ward"))));
    }

    [Fact]
    public async Task D76_what_an_issuer_is_not_trusted_for_is_left_out()
    {
        var wide = issuers.Claims(("iss", Issuers.Hardly), ("aud", "urn:ward"), ("scope", "user/Patient.cruds user/*.rs user/Patient.rs patient/*.rs system/*.cruds __operator"), ("patient", issuers.Cleo));
        var token = issuers.OtherKey.Sign(issuers.Header(issuers.OtherKey), wide);
        Assert.Equal(200, (await issuers.ReadAsync(token)).Status);
        Assert.Equal(404, (await issuers.ReadAsync(token, $"Patient/{issuers.Cleo}")).Status);
        Assert.Equal(403, (await issuers.ReadAsync(token, "Observation")).Status);
        Assert.Equal(403, (await new FhirCaller(issuers.Server, token).PostAsync("Patient", """{"resourceType":"Patient"}""")).Status);
        Assert.Equal(403, (await new FhirCaller(issuers.Server, token).SendAsync(HttpMethod.Put, issuers.Server.Root + "/devices/mappings/x", "{}", ("Content-Type", "application/json"))).Status);

        // A patient in context is one more condition beside what the person may see.
        var ward = issuers.Token(("scope", "patient/*.rs"), ("patient", issuers.Ada));
        Assert.Equal(200, (await issuers.ReadAsync(ward)).Status);
        Assert.Equal(404, (await issuers.ReadAsync(issuers.Token(("scope", "patient/*.rs"), ("patient", issuers.Cleo)), $"Patient/{issuers.Cleo}")).Status);
    }

    [Fact]
    public async Task C59_without_a_person_or_a_patient_nothing_is_granted()
    {
        Assert.Equal(403, (await issuers.ReadAsync(issuers.Token(("fhirUser", null)))).Status);
        Assert.Equal(403, (await issuers.ReadAsync(issuers.Token(("fhirUser", null), ("scope", "patient/*.rs"), ("patient", issuers.Ada)))).Status);
        Assert.Equal(403, (await issuers.ReadAsync(issuers.Token(("scope", "patient/*.rs")))).Status);
        Assert.Equal(403, (await issuers.ReadAsync(issuers.Token(("scope", "openid fhirUser profile")))).Status);
        foreach (var nobody in (string[])["https://elsewhere.example/Practitioner/1", "Organization/1", "Practitioner", "Practitioner/1/../2", "Practitioner/a b"])
        {
            Assert.Equal(403, (await issuers.ReadAsync(issuers.Token(("fhirUser", nobody)))).Status);
        }

        // A patient needs no claim to be the patient.
        var own = issuers.Token(("fhirUser", $"Patient/{issuers.Ada}"), ("scope", "patient/*.rs"));
        Assert.Equal(200, (await issuers.ReadAsync(own)).Status);
        Assert.Equal(404, (await issuers.ReadAsync(own, $"Patient/{issuers.Cleo}")).Status);
    }

    [Fact]
    public async Task System_scopes_are_a_clients_own()
    {
        Assert.Equal(403, (await issuers.ReadAsync(issuers.Token(("scope", "system/Patient.rs")))).Status);
        Assert.Equal(403, (await issuers.ReadAsync(issuers.Token(("scope", "system/Patient.rs"), ("fhirUser", null)))).Status);
        await issuers.AssertTakenAsync(issuers.Token(("scope", "system/Patient.rs"), ("fhirUser", null), ("sub", "ward-app")));
    }

    [Fact]
    public async Task D78_whatever_is_changed_in_a_token_breaks_it()
    {
        var parts = issuers.Token().Split('.');
        var claims = JsonSerializer.Serialize(issuers.Claims(("fhirUser", $"Patient/{issuers.Cleo}")));
        foreach (var broken in (string[])[$"{parts[0]}.{ClientKey.Text(Encoding.UTF8.GetBytes(claims))}.{parts[2]}", $"{parts[0]}.{parts[1]}.{parts[2][..^4]}", $"{parts[0]}.{parts[1]}", $"{parts[0]}.{parts[1]}.{parts[2]}.", $"{parts[0]}.{parts[1]}.{parts[2]}.x.y", $"{parts[0]}.{parts[1]}.{parts[2]}=", "a.b.c", ".."])
        {
            await issuers.AssertRefusedAsync(broken, broken);
        }
    }

    [Fact]
    public async Task A_registered_link_says_who_somebody_is_whatever_the_token_says()
    {
        var users = issuers.Server.Services.GetRequiredService<UserDirectory>();
        (await users.AddAsync(new NewUser("dr.linked", UserRole.Clinician, $"Practitioner/{issuers.Practitioner}", Accounts.Password), CancellationToken.None)).Require();
        var token = issuers.Token(("sub", "linked"), ("fhirUser", $"Practitioner/stranger"));
        Assert.Equal(404, (await issuers.ReadAsync(token)).Status);
        Assert.Null(await users.LinkAsync("dr.linked", Issuers.Trusted, "linked", CancellationToken.None));
        Assert.Equal(200, (await issuers.ReadAsync(token)).Status);
        Assert.Null(await users.DisableAsync("dr.linked", disabled: true, CancellationToken.None));
        await issuers.AssertRefusedAsync(token, "disabled");
        Assert.Null(await users.UnlinkAsync("dr.linked", Issuers.Trusted, "linked", CancellationToken.None));
        Assert.Equal(404, (await issuers.ReadAsync(token)).Status);
        Assert.Equal("IOMT-0836", (await users.UnlinkAsync("dr.linked", Issuers.Trusted, "linked", CancellationToken.None))!.Code);
    }

    [Fact]
    public void Settings_of_an_issuer_that_cannot_work_are_told_by_their_keys()
    {
        var options = new Server.Hosting.ServerOptions { Issuers = [new IssuerOptions { Issuer = "http://idp.example", Jwks = "keys", Algorithms = "HS256", AllowedScopes = "__operator patient/*.rs" }, new IssuerOptions { Issuer = "https://idp.example" }] };
        Assert.Equal(["Issuers:0:Algorithms", "Issuers:0:AllowedScopes:", "Issuers:0:Issuer", "Issuers:0:Jwks", "Issuers:1:AllowedScopes"], options.Problems().Select(problem => problem.Split(' ')[0]).Order(StringComparer.Ordinal));
    }
}

/// <summary>The issuer's keys come, change and fail (D77): each test has a server of its own, because it moves the clock.</summary>
public sealed class ExternalKeyTests(Issuers issuers) : IClassFixture<Issuers>
{
    [Fact]
    public async Task D77_keys_are_fetched_once_rotated_by_kid_and_not_fetched_more_often_than_every_ten_seconds()
    {
        await issuers.AssertTakenAsync(issuers.Token());
        await issuers.AssertTakenAsync(issuers.Token());
        Assert.Equal(1, issuers.TrustedKeys.Fetches);

        var next = ClientKey.Rsa("t-2");
        issuers.TrustedKeys.Body = next.JwkSet();
        issuers.Server.Time.Offset += TimeSpan.FromSeconds(11);
        await issuers.AssertTakenAsync(next.Sign(issuers.Header(next), issuers.Claims()));
        Assert.Equal(2, issuers.TrustedKeys.Fetches);
        await issuers.AssertRefusedAsync(issuers.Token(), "the old key");
        for (var number = 0; number < 20; number++)
        {
            await issuers.AssertRefusedAsync(next.Sign(issuers.Header(null, ("kid", $"none-{number}")), issuers.Claims()));
        }

        Assert.Equal(2, issuers.TrustedKeys.Fetches);

        // Duplicate kids: which of them is nobody's to guess.
        issuers.TrustedKeys.Body = $$"""{"keys":[{{next.Jwk()}},{{ClientKey.Rsa("t-2").Jwk()}}]}""";
        issuers.Server.Time.Offset += TimeSpan.FromMinutes(6);
        await issuers.AssertRefusedAsync(next.Sign(issuers.Header(next), issuers.Claims()), "duplicate");

        foreach (var bad in (string[])["", "[]", "{\"keys\":{}}", $$"""{"keys":[{{next.PrivateJwk()}}]}""", $$"""{"keys":[{{string.Join(',', Enumerable.Range(0, 10_000).Select(number => next.Jwk().Replace("t-2", $"k-{number}", StringComparison.Ordinal)))}},{{next.Jwk()}}]}"""])
        {
            issuers.TrustedKeys.Body = bad;
            issuers.Server.Time.Offset += TimeSpan.FromHours(2);
            await issuers.AssertRefusedAsync(next.Sign(issuers.Header(next), issuers.Claims()), bad.Length > 100 ? bad[..100] : bad);
        }

        issuers.TrustedKeys.Body = next.JwkSet();
        issuers.Server.Time.Offset += TimeSpan.FromSeconds(11);
        await issuers.AssertTakenAsync(next.Sign(issuers.Header(next), issuers.Claims()));

        // Out of reach: the last keys serve for an hour.
        issuers.TrustedKeys.Status = 500;
        issuers.Server.Time.Offset += TimeSpan.FromMinutes(50);
        await issuers.AssertTakenAsync(next.Sign(issuers.Header(next), issuers.Claims()));
        issuers.Server.Time.Offset += TimeSpan.FromMinutes(11);
        await issuers.AssertRefusedAsync(next.Sign(issuers.Header(next), issuers.Claims()), "too long out of reach");
    }

    [Fact]
    public async Task D77_redirects_are_not_followed_and_a_token_is_verified_again_after_five_minutes()
    {
        await using var elsewhere = await KeySite.StartAsync();
        elsewhere.Body = issuers.OtherKey.JwkSet();
        (issuers.HardlyKeys.Status, issuers.HardlyKeys.Location) = (302, elsewhere.Address);
        var claims = issuers.Claims(("iss", Issuers.Hardly), ("aud", "urn:ward"));
        claims["exp"] = issuers.Server.Time.GetUtcNow().ToUnixTimeSeconds() + 7200;
        var token = issuers.OtherKey.Sign(issuers.Header(issuers.OtherKey), claims);
        await issuers.AssertRefusedAsync(token);
        Assert.Equal(0, elsewhere.Fetches);

        (issuers.HardlyKeys.Status, issuers.HardlyKeys.Location) = (200, null);
        issuers.Server.Time.Offset += TimeSpan.FromSeconds(11);
        await issuers.AssertTakenAsync(token);
        issuers.HardlyKeys.Body = ClientKey.Ec("h-2").JwkSet();
        issuers.Server.Time.Offset += TimeSpan.FromMinutes(6);
        await issuers.AssertRefusedAsync(token, "the key was withdrawn");
    }
}
