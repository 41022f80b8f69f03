using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Server.Demo;
using FhirIomt.Server.Devices;

namespace FhirIomt.Server.Commands;

/// <summary><c>fhiriomt client add NAME --jwks FILE|URL --scopes "…"</c> and, for trying out, <c>client token</c>.</summary>
internal static class ClientCommand
{
    public static Command Build(StoreOptions store) => new("client", "SMART clients") { BuildAdd(store), BuildToken() };

    private static Command BuildAdd(StoreOptions store)
    {
        var name = new Argument<string>("NAME") { Description = "What people call it" };
        var jwks = new Option<string>("--jwks") { Description = "Its public keys: a file with a JWK Set, or an https address of one", HelpName = "FILE|URL", Required = true };
        var scopes = new Option<string>("--scopes") { Description = "What it may ask for, such as \"system/*.rs\"", Required = true };
        var add = new Command("add", "Register a backend-service client; prints its client_id") { name, jwks, scopes };
        add.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(
            store.Of(parsed),
            async (services, token) =>
            {
                var keys = parsed.GetValue(jwks)!;
                if (!File.Exists(keys) && !Uri.TryCreate(keys, UriKind.Absolute, out _))
                {
                    return StoreSession.Refuse([RegistrarIssues.NoSuchKeys(keys)]);
                }

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
        return add;
    }

    private static Command BuildToken()
    {
        var id = new Option<string>("--client-id") { Description = "As 'client add' printed it", Required = true };
        var key = new Option<FileInfo>("--key") { Description = "Its private EC P-384 key (PEM, registered with kid k1)", Required = true };
        var scopes = new Option<string>("--scopes") { Description = "What to ask for", Required = true };
        var server = new Option<string>("--server") { Description = "Address of the server", DefaultValueFactory = _ => "http://127.0.0.1:8080" };
        key.AcceptExistingOnly();
        var token = new Command("token", "Get an access token by SMART Backend Services, as an EHR would; prints it") { id, key, scopes, server };
        token.SetAction((parsed, cancellationToken) => AskAsync(parsed.GetValue(id)!, parsed.GetValue(key)!, parsed.GetValue(scopes)!, parsed.GetValue(server)!.TrimEnd('/'), cancellationToken));
        return token;
    }

    private static async Task<int> AskAsync(string clientId, FileInfo keyFile, string scopes, string server, CancellationToken cancellationToken)
    {
        using var key = ECDsa.Create();
        using var http = new HttpClient();
        try
        {
            key.ImportFromPem(await File.ReadAllTextAsync(keyFile.FullName, cancellationToken).ConfigureAwait(false));
            var endpoint = $"{server}/auth/token";
            using var form = new FormUrlEncodedContent(new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["grant_type"] = "client_credentials",
                ["scope"] = scopes,
                ["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                ["client_assertion"] = ClientKeyFile.Assertion(key, clientId, endpoint, TimeProvider.System.GetUtcNow(), IdSource.Random.NewId()),
            });
            using var response = await http.PostAsync(new Uri(endpoint), form, cancellationToken).ConfigureAwait(false);
            using var answer = JsonDocument.Parse(await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false));
            if (answer.RootElement.TryGetProperty("access_token", out var token))
            {
                Console.WriteLine(token.GetString());
                return 0;
            }

            await Console.Error.WriteLineAsync(answer.RootElement.GetRawText()).ConfigureAwait(false);
            return 1;
        }
        catch (Exception exception) when (exception is HttpRequestException or JsonException or ArgumentException or CryptographicException)
        {
            await Console.Error.WriteLineAsync(exception.Message).ConfigureAwait(false);
            return 1;
        }
    }
}
