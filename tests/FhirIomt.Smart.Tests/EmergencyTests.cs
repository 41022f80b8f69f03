using FhirIomt.Tests;

namespace FhirIomt.Smart.Tests;

/// <summary>An emergency from the login page to the record of another clinic's patient (abuse case 164); it moves the clock, so it has a server of its own.</summary>
public sealed class EmergencyTests(Accounts accounts) : IClassFixture<Accounts>
{
    private const string Reason = """{"resourceType":"Parameters","parameter":[{"name":"reason","valueString":"unconscious in the emergency room"}]}""";

    [Fact]
    public async Task J164_whoever_has_just_logged_in_opens_another_clinics_record_for_an_hour_and_the_patient_sees_it()
    {
        var stranger = accounts.Public.Caller(await accounts.Public.TokensAsync("openid user/*.rs", Accounts.OtherClinician));
        Assert.Equal(404, (await stranger.GetAsync($"Patient/{accounts.Ada}")).Status);

        var opened = await stranger.PostAsync($"Patient/{accounts.Ada}/$break-glass", Reason);
        Assert.True(opened.Status == 201, opened.Body);
        Assert.Equal(200, (await stranger.GetAsync($"Patient/{accounts.Ada}")).Status);
        Assert.Equal(404, (await stranger.GetAsync($"Patient/{accounts.Ben}")).Status);

        var patient = accounts.Public.Caller(await accounts.Public.TokensAsync("openid patient/*.rs", Accounts.PatientName));
        var seen = await patient.GetAsync($"Patient/{accounts.Ada}/$emergency-access");
        Assert.True(seen.Status == 200, seen.Body);
        Assert.Contains("unconscious in the emergency room", seen.Body, StringComparison.Ordinal);

        accounts.Server.Time.Offset += TimeSpan.FromMinutes(59);
        Assert.Equal(200, (await stranger.GetAsync($"Patient/{accounts.Ada}")).Status);
        accounts.Server.Time.Offset += TimeSpan.FromMinutes(2);
        var again = accounts.Public.Caller(await accounts.Public.TokensAsync("openid user/*.rs", Accounts.OtherClinician));
        Assert.Equal(404, (await again.GetAsync($"Patient/{accounts.Ada}")).Status);
    }

    [Fact]
    public async Task J164_a_login_of_some_time_ago_opens_nothing()
    {
        var tokens = await accounts.Public.TokensAsync("openid offline_access user/*.rs", Accounts.OtherClinician);
        accounts.Server.Time.Offset += TimeSpan.FromMinutes(6);
        var fresh = await accounts.Public.RefreshAsync(tokens.GetProperty("refresh_token").GetString()).AssertGrantedAsync();
        var refused = await accounts.Public.Caller(fresh).PostAsync($"Patient/{accounts.Ben}/$break-glass", Reason);
        Assert.Equal(403, refused.Status);
        Assert.Equal("IOMT-0874", refused.IssueCode);
    }

    [Fact]
    public async Task The_end_of_a_grant_reaches_tokens_and_leaves_what_ingest_remembers()
    {
        var tokens = await accounts.Public.TokensAsync("openid offline_access user/*.rs");
        var caller = accounts.Public.Caller(tokens);
        Assert.Equal(200, (await caller.GetAsync($"Patient/{accounts.Ada}")).Status);
        var store = accounts.Server.Store;
        var (before, access) = (store.Generation, store.AccessGeneration);
        (await accounts.Public.SendAsync(accounts.Server.Root + "/auth/revoke", [("token", tokens.GetProperty("refresh_token").GetString()!)])).Dispose();
        Assert.Equal(401, (await caller.GetAsync($"Patient/{accounts.Ada}")).Status);
        Assert.Equal(before, store.Generation);
        Assert.True(store.AccessGeneration > access);
    }
}
