using FhirIomt.Tests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Smart.Tests;

/// <summary>Keys at an address (A17, A18): served by a web server of the test's own.</summary>
public sealed class KeySetAddressTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private const string Scope = "system/Patient.rs";

    private TestServer Server => fixture.Server;

    [Fact]
    public async Task Keys_are_fetched_once_and_kept()
    {
        await using var site = await KeySite.StartAsync();
        var key = ClientKey.Ec();
        site.Body = key.JwkSet();
        var client = await Server.RegisterAsync(Scope, key, site.Address);
        await client.RequestAsync().AssertGrantedAsync();
        await client.RequestAsync().AssertGrantedAsync();
        Assert.Equal(1, site.Fetches);
    }

    [Fact]
    public async Task A17_a_new_kid_fetches_once_more_and_then_waits()
    {
        await using var site = await KeySite.StartAsync();
        var (first, second) = (ClientKey.Ec("first"), ClientKey.Ec("second"));
        site.Body = first.JwkSet();
        var client = await Server.RegisterAsync(Scope, first, site.Address);
        await client.RequestAsync().AssertGrantedAsync();

        site.Body = $$"""{"keys":[{{first.Jwk()}},{{second.Jwk()}}]}""";
        Server.Time.Offset += TimeSpan.FromSeconds(11);
        await (client with { Key = second }).RequestAsync().AssertGrantedAsync();
        Assert.Equal(2, site.Fetches);

        // Kids that nobody has do not make it fetch again and again.
        for (var number = 0; number < 5; number++)
        {
            await (client with { Key = ClientKey.Ec($"unknown-{number}") }).RequestAsync().AssertRefusedAsync();
        }

        Assert.Equal(2, site.Fetches);
    }

    [Fact]
    public async Task A17_a_key_that_was_taken_away_ends_with_the_cache()
    {
        await using var site = await KeySite.StartAsync();
        var (first, second) = (ClientKey.Ec("first"), ClientKey.Ec("second"));
        site.Body = first.JwkSet();
        site.CacheControl = "max-age=60";
        var client = await Server.RegisterAsync(Scope, first, site.Address);
        await client.RequestAsync().AssertGrantedAsync();
        site.Body = second.JwkSet();
        Server.Time.Offset += TimeSpan.FromSeconds(61);
        await client.RequestAsync().AssertRefusedAsync();
        await (client with { Key = second }).RequestAsync().AssertGrantedAsync();
    }

    [Theory]
    [InlineData("max-age=86400", 301)]
    [InlineData(null, 301)]
    [InlineData("max-age=20", 21)]
    [InlineData("no-store", 0)]
    public async Task A18_keys_are_kept_no_longer_than_allowed_and_never_beyond_five_minutes(string? cacheControl, int seconds)
    {
        await using var site = await KeySite.StartAsync();
        var key = ClientKey.Ec();
        site.Body = key.JwkSet();
        site.CacheControl = cacheControl;
        var client = await Server.RegisterAsync(Scope, key, site.Address);
        await client.RequestAsync().AssertGrantedAsync();
        Server.Time.Offset += TimeSpan.FromSeconds(seconds);
        await client.RequestAsync().AssertGrantedAsync();
        Assert.Equal(2, site.Fetches);
    }

    [Theory]
    [InlineData(404, "{}")]
    [InlineData(500, "{}")]
    [InlineData(200, "")]
    [InlineData(200, "<html/>")]
    [InlineData(200, "[]")]
    [InlineData(200, "null")]
    [InlineData(200, "1")]
    [InlineData(200, "{\"keys\":{}}")]
    [InlineData(200, "{\"keys\":[]}")]
    [InlineData(200, "{\"keys\":[null,1,\"x\",[],{}]}")]
    [InlineData(200, "{\"keys\":[{\"kty\":\"EC\",\"kid\":\"ec-1\",\"crv\":\"P-384\",\"x\":\"AAAA\",\"y\":\"AAAA\"}]}")]
    [InlineData(200, "{\"keys\":[{\"kty\":\"EC\",\"kid\":\"ec-1\",\"crv\":\"P-384\",\"x\":\"ZERO\",\"y\":\"ZERO\"}]}")]
    [InlineData(200, "{\"keys\":[{\"kty\":\"EC\",\"kid\":\"ec-1\",\"crv\":\"P-384\",\"x\":\"!\",\"y\":7}]}")]
    [InlineData(200, "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"ec-1\",\"n\":\"\",\"e\":\"\"}]}")]
    [InlineData(200, "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"ec-1\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}")]
    [InlineData(200, "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"ec-1\"}]}")]
    [InlineData(200, "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"ec-1\",\"k\":\"AAAA\"}]}")]
    public async Task A18_what_is_no_key_set(int status, string body)
    {
        await using var site = await KeySite.StartAsync();
        site.Status = status;
        site.Body = body.Replace("ZERO", ClientKey.Text(new byte[48]), StringComparison.Ordinal);
        var client = await Server.RegisterAsync(Scope, ClientKey.Ec(), site.Address);
        await client.RequestAsync().AssertRefusedAsync();
    }

    [Fact]
    public async Task A18_a_private_key_in_the_set_refuses_all_of_it()
    {
        await using var site = await KeySite.StartAsync();
        var key = ClientKey.Ec();
        site.Body = $$"""{"keys":[{{key.Jwk()}},{{ClientKey.Rsa("other").PrivateJwk()}}]}""";
        var client = await Server.RegisterAsync(Scope, key, site.Address);
        await client.RequestAsync().AssertRefusedAsync();
    }

    [Fact]
    public async Task A18_a_weak_key()
    {
        await using var site = await KeySite.StartAsync();
        var key = ClientKey.Rsa(bits: 1024);
        site.Body = key.JwkSet();
        var client = await Server.RegisterAsync(Scope, key, site.Address);
        await client.RequestAsync().AssertRefusedAsync();
    }

    [Fact]
    public async Task A18_a_huge_answer()
    {
        await using var site = await KeySite.StartAsync();
        var key = ClientKey.Ec();
        site.Body = key.JwkSet() + new string(' ', 400_000);
        var client = await Server.RegisterAsync(Scope, key, site.Address);
        await client.RequestAsync().AssertRefusedAsync();
    }

    [Fact]
    public async Task A18_a_redirect_is_not_followed()
    {
        await using var target = await KeySite.StartAsync();
        await using var site = await KeySite.StartAsync();
        var key = ClientKey.Ec();
        target.Body = key.JwkSet();
        site.Status = 302;
        site.Location = target.Address;
        var client = await Server.RegisterAsync(Scope, key, site.Address);
        await client.RequestAsync().AssertRefusedAsync();
        Assert.Equal((1, 0), (site.Fetches, target.Fetches));
    }

    [Fact]
    public async Task A18_an_address_that_does_not_answer_and_one_that_is_closed()
    {
        await using var site = await KeySite.StartAsync();
        site.Hangs = true;
        await (await Server.RegisterAsync(Scope, ClientKey.Ec(), site.Address)).RequestAsync().AssertRefusedAsync();
        await (await Server.RegisterAsync(Scope, ClientKey.Ec(), $"http://127.0.0.1:{TestServer.FreePort()}/jwks")).RequestAsync().AssertRefusedAsync();
    }

    [Fact]
    public async Task A_failing_refetch_does_not_take_away_the_keys_that_are_still_good()
    {
        await using var site = await KeySite.StartAsync();
        var key = ClientKey.Ec();
        site.Body = key.JwkSet();
        var client = await Server.RegisterAsync(Scope, key, site.Address);
        await client.RequestAsync().AssertGrantedAsync();
        site.Status = 500;
        Server.Time.Offset += TimeSpan.FromSeconds(11);
        await (client with { Key = ClientKey.Ec("unknown") }).RequestAsync().AssertRefusedAsync();
        await client.RequestAsync().AssertGrantedAsync();
    }

    [Fact]
    public async Task A_caller_who_hangs_up_does_not_shut_the_client_out()
    {
        await using var site = await KeySite.StartAsync();
        var key = ClientKey.Ec();
        site.Body = key.JwkSet();
        site.Hangs = true;
        var client = await Server.RegisterAsync(Scope, key, site.Address);
        using (var hangUp = new CancellationTokenSource())
        {
            using var form = new FormUrlEncodedContent(client.Form(ClientKey.Ec().Sign(client.Header(), client.Claims())).Select(field => KeyValuePair.Create(field.Name, field.Value)));
            var request = Server.Http.PostAsync(Server.TokenEndpoint, form, hangUp.Token);
            await site.Asked.WaitAsync();
            await hangUp.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
            await site.Left.WaitAsync();
        }

        site.Hangs = false;
        await client.RequestAsync().AssertGrantedAsync();
    }
}

/// <summary>Where a client publishes its keys.</summary>
internal sealed class KeySite : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _fetches;

    private KeySite(WebApplication app, string address)
    {
        _app = app;
        Address = address;
    }

    public string Address { get; }

    public string Body { get; set; } = "";

    public int Status { get; set; } = 200;

    public string? CacheControl { get; set; }

    public string? Location { get; set; }

    /// <summary>Answers nothing until the caller has gone.</summary>
    public bool Hangs { get; set; }

    public int Fetches => _fetches;

    public SemaphoreSlim Asked { get; } = new(0);

    public SemaphoreSlim Left { get; } = new(0);

    public static async Task<KeySite> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        var root = $"http://127.0.0.1:{TestServer.FreePort()}";
        builder.WebHost.UseUrls(root);
        var app = builder.Build();
        var site = new KeySite(app, root + "/jwks.json");
        app.Run(site.AnswerAsync);
        await app.StartAsync();
        return site;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        Asked.Dispose();
        Left.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        Interlocked.Increment(ref _fetches);
        Asked.Release();
        if (Hangs)
        {
            var gone = new TaskCompletionSource();
            await using var registration = context.RequestAborted.Register(gone.SetResult);
            await gone.Task;
            Left.Release();
            return;
        }

        context.Response.StatusCode = Status;
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = CacheControl;
        context.Response.Headers.Location = Location;
        await context.Response.WriteAsync(Body);
    }
}
