using FhirIomt.Access.Consents;
using FhirIomt.Repository.Auditing;
using FhirIomt.Smart.Account;
using FhirIomt.Smart.Authorize;
using FhirIomt.Smart.Clients;
using FhirIomt.Smart.Issuers;
using FhirIomt.Smart.Keys;
using FhirIomt.Smart.Pages;
using FhirIomt.Smart.Passkeys;
using FhirIomt.Smart.Tokens;
using FhirIomt.Smart.Users;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Smart;

/// <summary>The SMART authorization server.</summary>
public static class SmartModule
{
    /// <summary>What the command line works with too.</summary>
    public static IServiceCollection AddSmartDirectories(this IServiceCollection services) => services
        .AddSingleton<ClientDirectory>()
        .AddSingleton<IClientOrganizations>(services => services.GetRequiredService<ClientDirectory>())
        .AddSingleton<UserDirectory>()
        .AddSingleton<IssuerKeys>();

    public static IServiceCollection AddSmart(this IServiceCollection services)
    {
        services.AddHttpClient(ClientKeys.HttpClientName, ClientKeys.Configure)
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
        services.AddSingleton<ClientKeys>();
        services.AddSingleton<AssertionAuthenticator>();
        services.AddSingleton<ClientAuthenticator>();
        services.AddSingleton<ExternalTokens>();
        services.AddSingleton<AccessTokens>();
        services.AddSingleton<TokenParts>();
        services.AddSingleton<TokenAnswers>();
        services.AddSingleton<TokenEndpoint>();
        services.AddSingleton<TokenInformation>();
        services.AddSingleton<Discovery>();
        services.AddSingleton<Style>();
        services.AddSingleton<PageWriter>();
        services.AddSingleton<BrowserCookies>();
        services.AddSingleton<Sessions>();
        services.AddSingleton<RelyingParty>();
        services.AddSingleton<PasskeyDirectory>();
        services.AddSingleton<PatientChoice>();
        services.AddSingleton<EncounterChoice>();
        services.AddSingleton<LaunchChoices>();
        services.AddSingleton<AuthorizeRequests>();
        services.AddSingleton<AuthorizeEndpoint>();
        services.AddSingleton<SignIns>();
        services.AddSingleton<SignInParts>();
        services.AddSingleton<SignInPages>();
        services.AddSingleton<SignInEndpoints>();
        services.AddSingleton<LogoutEndpoint>();
        services.AddSingleton<Sharing>();
        services.AddSingleton<RecordLooks>();
        services.AddSingleton<LooksReader>();
        services.AddSingleton<AccountReader>();
        services.AddSingleton<AccountParts>();
        services.AddSingleton<AccountEndpoints>();
        services.AddSingleton<LaunchParts>();
        services.AddSingleton<LaunchEndpoint>();
        return services;
    }

    public static void MapSmart(this IEndpointRouteBuilder routes)
    {
        MapDiscovery(routes);
        routes = routes.MapGroup("").AddEndpointFilter<SmartAudit>();
        routes.MapMethods("/auth/authorize", ["GET", "POST"], (HttpContext context, AuthorizeEndpoint endpoint) => endpoint.HandleAsync(context));
        routes.MapGet("/auth/continue", (HttpContext context, SignInEndpoints endpoints) => endpoints.ContinueAsync(context));
        routes.MapPost("/auth/login", (HttpContext context, SignInEndpoints endpoints) => endpoints.LogInAsync(context));
        routes.MapPost("/auth/passkey", (HttpContext context, SignInEndpoints endpoints) => endpoints.LogInWithPasskeyAsync(context));
        routes.MapPost("/auth/patient", (HttpContext context, SignInEndpoints endpoints) => endpoints.ChoosePatientAsync(context));
        routes.MapPost("/auth/encounter", (HttpContext context, SignInEndpoints endpoints) => endpoints.ChooseEncounterAsync(context));
        routes.MapPost("/auth/consent", (HttpContext context, SignInEndpoints endpoints) => endpoints.ConsentAsync(context));
        routes.MapGet("/auth/logout", (HttpContext context, LogoutEndpoint endpoint) => endpoint.AskAsync(context));
        routes.MapPost("/auth/logout", (HttpContext context, LogoutEndpoint endpoint) => endpoint.LogOutAsync(context));
        routes.MapGet("/account", (HttpContext context, AccountEndpoints endpoints) => endpoints.ShowAsync(context));
        routes.MapPost("/account/login", (HttpContext context, AccountEndpoints endpoints) => endpoints.LogInAsync(context));
        routes.MapPost("/account/passkey", (HttpContext context, AccountEndpoints endpoints) => endpoints.LogInWithPasskeyAsync(context));
        routes.MapPost("/account/passkeys", (HttpContext context, AccountEndpoints endpoints) => endpoints.AddPasskeyAsync(context));
        routes.MapPost("/account/passkeys/remove", (HttpContext context, AccountEndpoints endpoints) => endpoints.RemovePasskeyAsync(context));
        routes.MapPost("/account/revoke", (HttpContext context, AccountEndpoints endpoints) => endpoints.RevokeAsync(context));
        routes.MapPost("/account/sharing", (HttpContext context, AccountEndpoints endpoints) => endpoints.ShareAsync(context));
        routes.MapPost("/account/password", (HttpContext context, AccountEndpoints endpoints) => endpoints.SetPasswordAsync(context));
        routes.MapPost("/auth/launches", (HttpContext context, LaunchEndpoint endpoint) => endpoint.HandleAsync(context));
        routes.MapPost("/auth/token", (HttpContext context, TokenEndpoint endpoint) => endpoint.HandleAsync(context));
        routes.MapPost("/auth/introspect", (HttpContext context, TokenInformation endpoint) => endpoint.IntrospectAsync(context));
        routes.MapPost("/auth/revoke", (HttpContext context, TokenInformation endpoint) => endpoint.RevokeAsync(context));
        routes.MapMethods("/auth/userinfo", ["GET", "POST"], (HttpContext context, TokenInformation endpoint) => endpoint.UserInfoAsync(context));
    }

    // The issuer has a path. OpenID Connect puts the well-known part behind it, RFC 8414 before it.
    private static void MapDiscovery(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/fhir/.well-known/smart-configuration", (HttpContext context, Discovery discovery) => discovery.SmartAsync(context));
        foreach (var path in (ReadOnlySpan<string>)["/fhir/.well-known/openid-configuration", "/.well-known/openid-configuration/fhir", "/.well-known/oauth-authorization-server/fhir"])
        {
            routes.MapGet(path, (HttpContext context, Discovery discovery) => discovery.OpenIdAsync(context));
        }

        routes.MapGet("/auth/jwks", (HttpContext context, Discovery discovery) => discovery.KeysAsync(context));
        routes.MapGet("/auth/style.css", (HttpContext context, Style style) => style.CssAsync(context));
        routes.MapGet("/auth/passkeys.js", Style.ScriptAsync);
        routes.MapGet("/auth/smart-style.json", Style.SmartAsync);
    }
}
