using FhirIomt.Api.Http;
using FhirIomt.Api.Interactions;
using FhirIomt.Fhir.Definitions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Api;

/// <summary>The FHIR REST API under <c>/fhir</c>.</summary>
public static class ApiModule
{
    public static IServiceCollection AddFhirApi(this IServiceCollection services)
    {
        services.AddSingleton<Capabilities>();
        services.AddSingleton<Search>();
        services.AddSingleton<Create>();
        services.AddSingleton<Update>();
        return services;
    }

    public static void MapFhirApi(this IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/fhir/metadata", ["GET", "HEAD"], (HttpContext context, Capabilities capabilities) => capabilities.HandleAsync(context));

        var fhir = routes.MapGroup("/fhir").AddEndpointFilter<TokenFilter>().AddEndpointFilter(CheckAddressAsync);
        fhir.MapMethods("/{type}/{id}", ["GET", "HEAD"], Read.CurrentAsync);
        fhir.MapMethods("/{type}/{id}/_history/{version}", ["GET", "HEAD"], Read.VersionAsync);
        fhir.MapMethods("/{type}", ["GET", "HEAD"], (HttpContext context, string type, Search search) => search.GetAsync(context, type));
        fhir.MapPost("/{type}/_search", (HttpContext context, string type, Search search) => search.PostAsync(context, type));
        fhir.MapPost("/{type}", (HttpContext context, string type, Create create) => create.HandleAsync(context, type));
        fhir.MapPut("/{type}/{id}", (HttpContext context, string type, string id, Update update) => update.HandleAsync(context, type, id));

        // After all others: an address that exists, asked for with a method that does not.
        routes.Map("/fhir/metadata", context => RefuseMethodAsync(context, "GET, HEAD"));
        fhir.Map("/{type}", (HttpContext context) => RefuseMethodAsync(context, "GET, HEAD, POST")).WithOrder(1);
        fhir.Map("/{type}/{id}", (HttpContext context) => RefuseMethodAsync(context, "GET, HEAD, PUT")).WithOrder(1);
        fhir.Map("/{type}/{id}/_history/{version}", (HttpContext context) => RefuseMethodAsync(context, "GET, HEAD")).WithOrder(1);
        fhir.MapFallback("/{**path}", context => FhirResponse.RefuseAsync(context, StatusCodes.Status404NotFound, [ApiIssues.UnknownPath()]));
    }

    private static Task RefuseMethodAsync(HttpContext context, string allowed)
    {
        context.Response.Headers.Allow = allowed;
        return FhirResponse.RefuseAsync(context, StatusCodes.Status405MethodNotAllowed, [ApiIssues.NotAllowed(context.Request.Method)]);
    }

    /// <summary>What every interaction needs: a type that exists, an id that can, and a client that takes JSON.</summary>
    private static async ValueTask<object?> CheckAddressAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (http.GetRouteValue("type") is string type && !FhirDefinitions.R4.IsResourceType(type))
        {
            await FhirResponse.RefuseAsync(http, StatusCodes.Status404NotFound, [ApiIssues.UnknownType(type)]).ConfigureAwait(false);
            return Results.Empty;
        }

        if (http.GetRouteValue("id") is string id && !FhirRequest.IsId(id))
        {
            await FhirResponse.RefuseAsync(http, StatusCodes.Status400BadRequest, [ApiIssues.BadId()]).ConfigureAwait(false);
            return Results.Empty;
        }

        if (!FhirRequest.AcceptsJson(http.Request))
        {
            await FhirResponse.RefuseAsync(http, StatusCodes.Status406NotAcceptable, [ApiIssues.NotAcceptable()]).ConfigureAwait(false);
            return Results.Empty;
        }

        return await next(context).ConfigureAwait(false);
    }
}
