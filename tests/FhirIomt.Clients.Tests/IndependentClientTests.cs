using FhirIomt.Access;

namespace FhirIomt.Clients.Tests;

/// <summary>Programs that others wrote to the standards, against the whole server. Each tells its checks by name.</summary>
public sealed class IndependentClientTests(World world) : IClassFixture<World>
{
    private static readonly string Folder = Path.Combine(NodeProgram.Root, "tests", "FhirIomt.Clients.Tests", "clients");

    [Theory]
    [InlineData("openid-client.mjs", 14)]
    [InlineData("oauth4webapi.mjs", 6)]
    [InlineData("jose.mjs", 13)]
    [InlineData("fhir-kit-client.mjs", 5)]
    public async Task A_client_that_others_wrote_passes_its_checks(string program, int checks)
    {
        var token = world.Server.Caller("patient/*.rs", new AccessUser("u", UserRole.Clinician, $"Practitioner/{world.Practitioner}"), world.Ada).Token;
        var passed = await NodeProgram.RunAsync(Folder, "node", [program], await world.DescribeAsync(token));
        Assert.Equal(checks, passed.Count);
    }

    [Fact]
    public async Task The_vitals_apps_own_tests_pass()
    {
        var folder = Path.Combine(NodeProgram.Root, "src", "FhirIomt.Web");
        await NodeProgram.RunAsync(folder, Path.Combine(folder, "node_modules", ".bin", "vitest"), ["run"], world: null);
    }
}
