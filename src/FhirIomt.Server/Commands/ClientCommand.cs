using System.CommandLine;
using System.Text.Json;
using FhirIomt.Server.Devices;

namespace FhirIomt.Server.Commands;

/// <summary><c>fhiriomt client add NAME --jwks FILE|URL --scopes "…"</c>.</summary>
internal static class ClientCommand
{
    public static Command Build(Option<string> data)
    {
        var name = new Argument<string>("NAME") { Description = "What people call it" };
        var jwks = new Option<string>("--jwks") { Description = "Its public keys: a file with a JWK Set, or an https address of one", HelpName = "FILE|URL", Required = true };
        var scopes = new Option<string>("--scopes") { Description = "What it may ask for, such as \"system/*.rs\"", Required = true };
        var add = new Command("add", "Register a backend-service client; prints its client_id") { name, jwks, scopes };
        add.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(
            parsed.GetValue(data)!,
            async (services, token) =>
            {
                var keys = parsed.GetValue(jwks)!;
                var text = File.Exists(keys) ? await File.ReadAllTextAsync(keys, token).ConfigureAwait(false) : keys;
                var outcome = await services.GetRequiredService<Registrar>().AddClientAsync(parsed.GetValue(name)!, text, parsed.GetValue(scopes)!, token).ConfigureAwait(false);
                if (!outcome.TryGetValue(out var client, out var issues))
                {
                    return StoreSession.Refuse(issues);
                }

                Console.WriteLine(JsonSerializer.Serialize(new Dictionary<string, string>(StringComparer.Ordinal) { ["client_id"] = client.ClientId }));
                return 0;
            },
            cancellationToken));
        return new Command("client", "SMART clients") { add };
    }
}
