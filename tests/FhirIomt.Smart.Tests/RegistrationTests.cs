using System.Security.Cryptography;
using FhirIomt.Core;
using FhirIomt.Smart.Clients;
using FhirIomt.Smart.Keys;
using FhirIomt.Smart.Pages;
using FhirIomt.Storage;
using FhirIomt.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Smart.Tests;

/// <summary>Registering clients, keys at rest, and the words of the pages.</summary>
public sealed class RegistrationTests(Accounts accounts) : IClassFixture<Accounts>
{
    [Theory]
    [InlineData("https://app.example/cb", true)]
    [InlineData("http://127.0.0.1/cb", true)]
    [InlineData("http://localhost:3000/cb", true)]
    [InlineData("http://[::1]:3000/cb", true)]
    [InlineData("org.example.app:/done", true)]
    [InlineData("http://app.example/cb", false)]
    [InlineData("https://app.example/cb#x", false)]
    [InlineData("https://user@app.example/cb", false)]
    [InlineData("javascript:alert(1)", false)]
    [InlineData("data:text/html,x", false)]
    [InlineData("myapp:/done", false)]
    [InlineData("/cb", false)]
    [InlineData("https://app.example/ cb", false)]
    [InlineData("https://app.example;x/cb", false)]
    [InlineData("https://аpp.example/cb", false)]
    public async Task E107_redirect_uris_are_checked_when_they_are_registered(string uri, bool isGood)
    {
        var outcome = await AddAsync(new NewClient("x", ClientType.Public, "openid") { RedirectUris = [uri] });
        Assert.Equal(isGood ? [] : ["IOMT-0822"], outcome.Issues.Select(issue => issue.Code));
    }

    [Theory]
    [InlineData(ClientType.Public, "system/Patient.rs", "IOMT-0825")]
    [InlineData(ClientType.Public, "__launch", "IOMT-0825")]
    [InlineData(ClientType.Public, "__introspect", "IOMT-0825")]
    [InlineData(ClientType.Secret, "system/Patient.rs", "IOMT-0825")]
    [InlineData(ClientType.Secret, "__operator", "IOMT-0825")]
    [InlineData(ClientType.Secret, "", "IOMT-0813")]
    [InlineData(ClientType.Secret, "patient/Nonsense.rs", "IOMT-0800")]
    [InlineData(ClientType.Jwks, "openid", "IOMT-0824")]
    public async Task What_a_client_of_a_type_cannot_have_is_refused(ClientType type, string scopes, string code)
    {
        var outcome = await AddAsync(new NewClient("x", type, scopes) { RedirectUris = [Accounts.Redirect] });
        Assert.Contains(outcome.Issues, issue => issue.Code == code);
    }

    [Theory]
    [InlineData("patient/Patient.rs")]
    [InlineData("openid")]
    [InlineData("launch")]
    public async Task A_client_without_redirect_uri_has_no_people(string scope)
    {
        var backend = await AddAsync(new NewClient("x", ClientType.Jwks, scope) { Keys = ClientKey.Ec().JwkSet() });
        Assert.Equal(["IOMT-0814"], backend.Issues.Select(issue => issue.Code));
        var app = await AddAsync(new NewClient("x", ClientType.Public, scope));
        Assert.Contains(app.Issues, issue => issue.Code == "IOMT-0823");
    }

    [Fact]
    public async Task A_registration_comes_back_from_the_store_as_it_was_made()
    {
        var key = ClientKey.Ec();
        var client = new NewClient("Näme <x>", ClientType.Jwks, "openid patient/*.rs system/Patient.rs __launch")
        {
            Keys = key.JwkSet(),
            RedirectUris = ["https://a.example/1", "https://a.example/2"],
            LaunchUri = "https://a.example/launch",
            AssertionAudience = AssertionAudience.Issuer,
        };
        var made = (await AddAsync(client)).Require().Client;
        var found = (await accounts.Clients.FindAsync(made.ClientId, CancellationToken.None))!;
        Assert.Equal((made.Name, made.Type, made.LaunchUri, made.AssertionAudience, made.IsDisabled), (found.Name, found.Type, found.LaunchUri, found.AssertionAudience, found.IsDisabled));
        Assert.Equal(made.Scopes, found.Scopes);
        Assert.Equal(made.RedirectUris, found.RedirectUris);
        Assert.Equal(System.Text.Json.JsonDocument.Parse(made.Jwks!).RootElement.ToString(), found.Jwks);
        Assert.Null(await accounts.Clients.RemoveAsync(made.ClientId, CancellationToken.None));
        Assert.Null(await accounts.Clients.FindAsync(made.ClientId, CancellationToken.None));
        Assert.Equal("IOMT-0827", (await accounts.Clients.RemoveAsync(made.ClientId, CancellationToken.None))?.Code);
        Assert.Equal("IOMT-0828", (await accounts.Clients.RotateSecretAsync(accounts.Public.Id, CancellationToken.None)).Issues.Single().Code);
    }

    [Fact]
    public async Task A_client_registered_before_there_were_types_is_a_backend_service()
    {
        var body = $$"""{"client_id":"old","name":"old","jwks":{{ClientKey.Ec().JwkSet()}},"scope":"system/*.rs"}""";
        await accounts.Server.Store.WriteAsync([new Change([new StoredRecord(RecordKind.Client, "old", System.Text.Encoding.UTF8.GetBytes(body))])], CancellationToken.None);
        var client = (await accounts.Clients.FindAsync("old", CancellationToken.None))!;
        Assert.Equal((ClientType.Jwks, AssertionAudience.Both, false), (client.Type, client.AssertionAudience, client.IsDisabled));
    }

    [Fact]
    public async Task Signing_keys_lie_encrypted_when_a_key_is_configured_and_open_with_no_other()
    {
        var store = accounts.Server.Store;
        var options = new SmartOptions { KeyEncryptionKey = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)) };
        var keys = new IssuerKeys(store, options, IdSource.Random, accounts.Server.Time);
        await keys.RotateAsync(CancellationToken.None);
        Assert.True((await keys.ListAsync(CancellationToken.None))[0].IsEncrypted);
        Assert.Contains("\"kid\"", System.Text.Encoding.UTF8.GetString(await keys.PublicSetAsync(CancellationToken.None)), StringComparison.Ordinal);

        foreach (var wrong in (string?[])[null, Convert.ToBase64String(new byte[32])])
        {
            var other = new IssuerKeys(store, new SmartOptions { KeyEncryptionKey = wrong }, IdSource.Random, accounts.Server.Time);
            var refused = await Assert.ThrowsAsync<StoreUnusableException>(async () => await other.PublicSetAsync(CancellationToken.None));
            Assert.Contains("IOMT-0848", refused.Message, StringComparison.Ordinal);
        }

        // The next test of this class has its server's own keys again.
        await store.WriteAsync([new Change([], (RecordKind.SigningKeys, "issuer"))], CancellationToken.None);
    }

    [Theory]
    [InlineData("not base64", false)]
    [InlineData("c2hvcnQ=", false)]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", true)]
    [InlineData("", true)]
    public void The_key_encryption_key_is_checked_at_start(string key, bool isGood) =>
        Assert.Equal(isGood, !new SmartOptions { KeyEncryptionKey = key }.Problems().Any());

    [Fact]
    public void Every_text_that_the_pages_use_is_there()
    {
        var texts = Texts.For("xx");
        var pages = Directory.GetFiles(Path.Combine(RootOf(), "src", "FhirIomt.Smart"), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText);
        var keys = pages.SelectMany(source => System.Text.RegularExpressions.Regex.Matches(source, "(?:[tT]exts(?:\\.Format\\(|\\[))\"([a-z.\\-]+)\"").Select(match => match.Groups[1].Value)).Distinct(StringComparer.Ordinal).ToList();
        Assert.True(keys.Count > 30);
        Assert.All(keys, key => Assert.NotNull(texts.Find(key)));
    }

    [Fact]
    public void Markup_in_a_hole_is_text_unless_it_was_made_as_markup()
    {
        var inner = Html.Of($"<b>{"<i>"}</b>");
        Assert.Equal("<p title=\"&quot;&gt;&#x27;\"><b>&lt;i&gt;</b>é</p>", Html.Of($"""<p title="{"\">'"}">{inner}{"é"}</p>""").Markup);
    }

    private static string RootOf()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "FhirIomt.sln")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        return folder;
    }

    private Task<Outcome<(ClientRegistration Client, string? Secret)>> AddAsync(NewClient client) => accounts.Clients.AddAsync(client, CancellationToken.None);
}
