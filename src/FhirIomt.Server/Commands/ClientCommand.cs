using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Server.Demo;
using FhirIomt.Server.Devices;
using FhirIomt.Smart.Clients;

namespace FhirIomt.Server.Commands;

/// <summary><c>fhiriomt client add|list|disable|enable|remove|organization|rotate-secret</c> and, for trying out, <c>client token</c>.</summary>
internal static class ClientCommand
{
    public static Command Build(StoreOptions store) => new("client", "SMART clients: apps and backend services")
    {
        BuildAdd(store),
        BuildList(store),
        BuildChange(store, "disable", "Nothing that the client was given works any more, until it is enabled", (clients, id, token) => clients.DisableAsync(id, disabled: true, token)),
        BuildChange(store, "enable", "Take back a 'disable'", (clients, id, token) => clients.DisableAsync(id, disabled: false, token)),
        BuildChange(store, "remove", "Remove the client for good", (clients, id, token) => clients.RemoveAsync(id, token)),
        BuildOrganization(store),
        BuildRotate(store),
        BuildToken(),
    };

    private static Command BuildAdd(StoreOptions store)
    {
        var name = new Argument<string>("NAME") { Description = "What people call it; they read it when they are asked to allow it" };
        var type = new Option<string?>("--type") { Description = "How it shows who it is: public (it cannot), secret, jwks; default jwks when --jwks is given, else public" };
        type.AcceptOnlyFromAmong("public", "secret", "jwks");
        var jwks = new Option<string?>("--jwks") { Description = "Its public keys: a file with a JWK Set, or an https address of one", HelpName = "FILE|URL" };
        var redirect = new Option<string[]>("--redirect-uri") { Description = "Where it takes people back; may be repeated", HelpName = "URI", AllowMultipleArgumentsPerToken = true };
        var launch = new Option<string?>("--launch-uri") { Description = "Where an EHR starts it", HelpName = "URI" };
        var scopes = new Option<string>("--scopes") { Description = "What it may ask for, such as \"launch/patient openid fhirUser patient/Observation.rs\" or \"system/*.rs\"", Required = true };
        var audience = new Option<string>("--assertion-audience") { Description = "What the aud of its assertions must be", DefaultValueFactory = _ => "both" };
        audience.AcceptOnlyFromAmong("both", "issuer", "token_endpoint");
        var organization = new Option<string?>("--organization") { Description = "Whose it is, when it acts for itself: patients may refuse or allow an organization", HelpName = "Organization/ID" };
        var add = new Command("add", "Register a client; prints its client_id, and for type secret its client_secret, once") { name, type, jwks, redirect, launch, scopes, audience, organization };
        add.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(
            store.Of(parsed),
            async (services, token) =>
            {
                var keys = parsed.GetValue(jwks);
                if (keys is not null && !File.Exists(keys) && !Uri.TryCreate(keys, UriKind.Absolute, out _))
                {
                    return StoreSession.Refuse([RegistrarIssues.NoSuchKeys(keys)]);
                }

                return await AddAsync(services.GetRequiredService<ClientDirectory>(), new NewClient(parsed.GetValue(name)!, TypeOf(parsed.GetValue(type), keys), parsed.GetValue(scopes)!)
                {
                    Keys = keys is not null && File.Exists(keys) ? await File.ReadAllTextAsync(keys, token).ConfigureAwait(false) : keys,
                    RedirectUris = parsed.GetValue(redirect) ?? [],
                    LaunchUri = parsed.GetValue(launch),
                    Organization = parsed.GetValue(organization),
                    AssertionAudience = parsed.GetValue(audience) switch { "issuer" => AssertionAudience.Issuer, "token_endpoint" => AssertionAudience.TokenEndpoint, _ => AssertionAudience.Both },
                }, token).ConfigureAwait(false);
            },
            cancellationToken));
        return add;
    }

    private static ClientType TypeOf(string? type, string? keys) => type switch
    {
        "public" => ClientType.Public,
        "secret" => ClientType.Secret,
        "jwks" => ClientType.Jwks,
        _ => keys is null ? ClientType.Public : ClientType.Jwks,
    };

    private static async Task<int> AddAsync(ClientDirectory clients, NewClient client, CancellationToken cancellationToken)
    {
        if (!(await clients.AddAsync(client, cancellationToken).ConfigureAwait(false)).TryGetValue(out var added, out var issues))
        {
            return StoreSession.Refuse(issues);
        }

        var answer = new Dictionary<string, string>(StringComparer.Ordinal) { ["client_id"] = added.Client.ClientId };
        if (added.Secret is not null)
        {
            answer["client_secret"] = added.Secret;
        }

        Console.WriteLine(JsonSerializer.Serialize(answer));
        return 0;
    }

    private static Command BuildList(StoreOptions store)
    {
        var list = new Command("list", "Print each client as one line of JSON");
        list.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(
            store.Of(parsed),
            async (services, token) =>
            {
                foreach (var client in await services.GetRequiredService<ClientDirectory>().ListAsync(token).ConfigureAwait(false))
                {
                    Console.WriteLine(JsonSerializer.Serialize(new
                    {
                        client_id = client.ClientId,
                        name = client.Name,
                        type = client.Type.ToString().ToLowerInvariant(),
                        redirect_uris = client.RedirectUris,
                        launch_uri = client.LaunchUri,
                        scope = string.Join(' ', client.Scopes),
                        disabled = client.IsDisabled,
                        organization = client.Organization,
                    }));
                }

                return 0;
            },
            cancellationToken));
        return list;
    }

    private static Command BuildChange(StoreOptions store, string name, string description, Func<ClientDirectory, string, CancellationToken, Task<Issue?>> change)
    {
        var id = new Argument<string>("CLIENT_ID");
        var command = new Command(name, description) { id };
        command.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(
            store.Of(parsed),
            async (services, token) => await change(services.GetRequiredService<ClientDirectory>(), parsed.GetValue(id)!, token).ConfigureAwait(false) is { } issue ? StoreSession.Refuse([issue]) : 0,
            cancellationToken));
        return command;
    }

    private static Command BuildOrganization(StoreOptions store)
    {
        var id = new Argument<string>("CLIENT_ID");
        var reference = new Argument<string?>("ORGANIZATION") { Description = "Organization/ID; without it nobody knows whose it is", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("organization", "Say whose a client is that acts for itself: patients may refuse or allow an organization") { id, reference };
        command.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(
            store.Of(parsed),
            async (services, token) => await services.GetRequiredService<ClientDirectory>().SetOrganizationAsync(parsed.GetValue(id)!, parsed.GetValue(reference), token).ConfigureAwait(false) is { } issue ? StoreSession.Refuse([issue]) : 0,
            cancellationToken));
        return command;
    }

    private static Command BuildRotate(StoreOptions store)
    {
        var id = new Argument<string>("CLIENT_ID");
        var command = new Command("rotate-secret", "Give the client a new secret and print it, once; the old one ends at once") { id };
        command.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(
            store.Of(parsed),
            async (services, token) =>
            {
                var clientId = parsed.GetValue(id)!;
                if (!(await services.GetRequiredService<ClientDirectory>().RotateSecretAsync(clientId, token).ConfigureAwait(false)).TryGetValue(out var secret, out var issues))
                {
                    return StoreSession.Refuse(issues);
                }

                Console.WriteLine(JsonSerializer.Serialize(new Dictionary<string, string>(StringComparer.Ordinal) { ["client_id"] = clientId, ["client_secret"] = secret }));
                return 0;
            },
            cancellationToken));
        return command;
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
