using FhirIomt.Smart.Clients;
using FhirIomt.Smart.Tokens;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Smart;

/// <summary>The SMART authorization server.</summary>
public static class SmartModule
{
    public static IServiceCollection AddSmart(this IServiceCollection services)
    {
        services.AddHttpClient(ClientKeys.HttpClientName, ClientKeys.Configure)
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
        services.AddSingleton<ClientKeys>();
        services.AddSingleton<ClientAuthenticator>();
        services.AddSingleton<AccessTokens>();
        services.AddSingleton<TokenEndpoint>();
        return services;
    }

    public static void MapSmart(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/fhir/.well-known/smart-configuration", Configuration);
        routes.MapPost("/auth/token", (HttpContext context, TokenEndpoint endpoint) => endpoint.HandleAsync(context));
    }

    private static IResult Configuration(ServerAddress address, HttpContext context)
    {
        context.Response.Headers.AccessControlAllowOrigin = "*";
        var configuration = new SmartConfiguration(
            address.Issuer,
            address.TokenEndpoint,
            ["client_credentials"],
            ["private_key_jwt"],
            ["RS384", "ES384"],
            ["system/*.cruds", "system/*.rs", "system/Patient.rs", "system/Device.rs", "system/Observation.rs"],
            [],
            ["S256"],
            ["client-confidential-asymmetric", "permission-v1", "permission-v2"]);
        return Results.Json(configuration, SmartJson.Default.SmartConfiguration, "application/json");
    }
}
