using System.CommandLine;
using System.Text.Json;
using FhirIomt.Smart.Keys;

namespace FhirIomt.Server.Commands;

/// <summary><c>fhiriomt key rotate|list</c>: the keys that sign id tokens.</summary>
internal static class KeyCommand
{
    public static Command Build(StoreOptions store)
    {
        var rotate = new Command("rotate", "Sign with a new key from now on, and print its kid; the old ones stay published until what they signed is over");
        rotate.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(
            store.Of(parsed),
            async (services, token) =>
            {
                var kid = await services.GetRequiredService<IssuerKeys>().RotateAsync(token).ConfigureAwait(false);
                Console.WriteLine(JsonSerializer.Serialize(new Dictionary<string, string>(StringComparer.Ordinal) { ["kid"] = kid }));
                return 0;
            },
            cancellationToken));
        var list = new Command("list", "Print each published key as one line of JSON, the one that signs first");
        list.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(
            store.Of(parsed),
            async (services, token) =>
            {
                foreach (var key in await services.GetRequiredService<IssuerKeys>().ListAsync(token).ConfigureAwait(false))
                {
                    Console.WriteLine(JsonSerializer.Serialize(new { kid = key.Kid, created = key.Created, retired = key.Retired, encrypted = key.IsEncrypted }));
                }

                return 0;
            },
            cancellationToken));
        return new Command("key", "Keys that sign id tokens") { rotate, list };
    }
}
