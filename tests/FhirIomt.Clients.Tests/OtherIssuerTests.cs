using System.Text.Json;
using FhirIomt.Smart.Issuers;
using FhirIomt.Tests;

namespace FhirIomt.Clients.Tests;

/// <summary>A real OpenID provider in place of the server's own authorization server (oidc-provider), found by its discovery document.</summary>
public sealed class OtherIssuerTests
{
    [Fact]
    public async Task D77_tokens_of_an_OpenID_provider_are_taken_and_its_rotated_keys_found()
    {
        var issuer = $"http://127.0.0.1:{TestServer.FreePort()}";
        await using var server = await TestServer.StartAsync(options => options.Issuers = [new IssuerOptions { Issuer = issuer, AllowedScopes = "system/Patient.rs user/Patient.rs" }]);
        var all = await server.CallerAsync("system/*.cruds");
        var practitioner = await all.CreateAsync("""{"resourceType":"Practitioner","name":[{"family":"Who"}]}""");
        var world = JsonSerializer.Serialize(new
        {
            issuer,
            fhir = server.FhirBase,
            fhirUser = $"Practitioner/{practitioner}",
            patient = await all.CreateAsync($$"""{"resourceType":"Patient","generalPractitioner":[{"reference":"Practitioner/{{practitioner}}"}]}"""),
            hidden = await all.CreateAsync("""{"resourceType":"Patient"}"""),
        });
        Assert.Equal(4, (await RunAsync(world)).Count);

        // The provider starts again with another key.
        server.Time.Offset += TimeSpan.FromSeconds(11);
        Assert.Equal(4, (await RunAsync(world)).Count);
    }

    private static Task<IReadOnlyList<string>> RunAsync(string world) =>
        NodeProgram.RunAsync(Path.Combine(NodeProgram.Root, "tests", "FhirIomt.Clients.Tests", "clients"), "node", ["oidc-provider.mjs"], world);
}
