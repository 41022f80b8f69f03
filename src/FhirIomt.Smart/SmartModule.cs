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
        routes.Map<AuthorizeEndpoint>("GET POST", "/auth/authorize", (endpoint, context) => endpoint.HandleAsync(context));
        routes.Map<SignInEndpoints>("GET", "/auth/continue", (endpoints, context) => endpoints.ContinueAsync(context));
        routes.Map<SignInEndpoints>("POST", "/auth/login", (endpoints, context) => endpoints.LogInAsync(context));
        routes.Map<SignInEndpoints>("POST", "/auth/passkey", (endpoints, context) => endpoints.LogInWithPasskeyAsync(context));
        routes.Map<SignInEndpoints>("POST", "/auth/patient", (endpoints, context) => endpoints.ChoosePatientAsync(context));
        routes.Map<SignInEndpoints>("POST", "/auth/consent", (endpoints, context) => endpoints.ConsentAsync(context));
        routes.Map<LogoutEndpoint>("GET", "/auth/logout", (endpoint, context) => endpoint.AskAsync(context));
        routes.Map<LogoutEndpoint>("POST", "/auth/logout", (endpoint, context) => endpoint.LogOutAsync(context));
        routes.Map<AccountEndpoints>("GET", "/account", (endpoints, context) => endpoints.ShowAsync(context));
        routes.Map<AccountEndpoints>("POST", "/account/login", (endpoints, context) => endpoints.LogInAsync(context));
        routes.Map<AccountEndpoints>("POST", "/account/passkey", (endpoints, context) => endpoints.LogInWithPasskeyAsync(context));
        routes.Map<AccountEndpoints>("POST", "/account/passkeys", (endpoints, context) => endpoints.AddPasskeyAsync(context));
        routes.Map<AccountEndpoints>("POST", "/account/passkeys/remove", (endpoints, context) => endpoints.RemovePasskeyAsync(context));
        routes.Map<AccountEndpoints>("POST", "/account/revoke", (endpoints, context) => endpoints.RevokeAsync(context));
        routes.Map<AccountEndpoints>("POST", "/account/sharing", (endpoints, context) => endpoints.ShareAsync(context));
        routes.Map<AccountEndpoints>("POST", "/account/password", (endpoints, context) => endpoints.SetPasswordAsync(context));
        routes.Map<LaunchEndpoint>("POST", "/auth/launches", (endpoint, context) => endpoint.HandleAsync(context));
        routes.Map<TokenEndpoint>("POST", "/auth/token", (endpoint, context) => endpoint.HandleAsync(context));
        routes.Map<TokenInformation>("POST", "/auth/introspect", (endpoint, context) => endpoint.IntrospectAsync(context));
        routes.Map<TokenInformation>("POST", "/auth/revoke", (endpoint, context) => endpoint.RevokeAsync(context));
        routes.Map<TokenInformation>("GET POST", "/auth/userinfo", (endpoint, context) => endpoint.UserInfoAsync(context));
    }

    // The issuer has a path. OpenID Connect puts the well-known part behind it, RFC 8414 before it.
    private static void MapDiscovery(IEndpointRouteBuilder routes)
    {
        routes.Map<Discovery>("GET", "/fhir/.well-known/smart-configuration", (discovery, context) => discovery.SmartAsync(context));
        foreach (var path in (ReadOnlySpan<string>)["/fhir/.well-known/openid-configuration", "/.well-known/openid-configuration/fhir", "/.well-known/oauth-authorization-server/fhir"])
        {
            routes.Map<Discovery>("GET", path, (discovery, context) => discovery.OpenIdAsync(context));
        }

        routes.Map<Discovery>("GET", "/auth/jwks", (discovery, context) => discovery.KeysAsync(context));
        routes.Map<Style>("GET", "/auth/style.css", (style, context) => style.CssAsync(context));
        routes.MapGet("/auth/passkeys.js", Style.ScriptAsync);
        routes.MapGet("/auth/smart-style.json", Style.SmartAsync);
    }
}
