using FhirIomt.Api.Auditing;
using FhirIomt.Api.Bundles;
using FhirIomt.Api.Http;
using FhirIomt.Api.Interactions;
using FhirIomt.Api.Operations;
using FhirIomt.Api.Shaping;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Repository.Auditing;
using FhirIomt.Storage;
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
        services.AddSingleton<Read>();
        services.AddSingleton<History>();
        services.AddSingleton<Search>();
        services.AddSingleton<WriteRequests>();
        services.AddSingleton<Write>();
        services.AddSingleton<SystemBundle>();
        services.AddSingleton<CgmSubmission>();
        services.AddSingleton<AuditTrail>();
        services.AddSingleton<AuditEvents>();
        services.AddSingleton<Validate>();
        services.AddSingleton<Meta>();
        services.AddSingleton<BreakGlass>();
        services.AddSingleton<Terminology>();
        services.AddSingleton<Everything>();
        services.AddSingleton<LastN>();
        services.AddSingleton<Stats>();
        services.AddSingleton<Reindex>();
        services.AddSingleton<FhirOperations>();
        services.AddSingleton<FhirRoutes>();
        return services;
    }

    public static void MapFhirApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapMethods("/fhir/metadata", ["GET", "HEAD"], AnswerCapabilitiesAsync);
        endpoints.Map("/fhir/metadata", context => RefuseMethodAsync(context, "GET, HEAD"));

        var routes = endpoints.ServiceProvider.GetRequiredService<FhirRoutes>();
        var fhir = endpoints.MapGroup("/fhir").AddEndpointFilter<TokenFilter>().AddEndpointFilter(CheckRequestAsync);
        foreach (var route in routes.All)
        {
            fhir.MapMethods("/" + route.Pattern, route.Method.Split(','), context => AnswerAsync(context, route)).WithMetadata(route);
        }

        // After all others: an address that exists, asked for with a method that does not.
        foreach (var pattern in routes.All.Select(route => route.Pattern).Distinct(StringComparer.Ordinal))
        {
            fhir.Map("/" + pattern, (HttpContext context) => RefuseMethodAsync(context, routes.MethodsOf(pattern))).WithOrder(1);
        }

        fhir.MapFallback("/{**path}", context => FhirResponse.RefuseAsync(context, StatusCodes.Status404NotFound, ApiIssues.UnknownPath()));
    }

    // Without a token: it is how a client learns where to get one.
    private static Task AnswerCapabilitiesAsync(HttpContext context)
    {
        context.Response.Headers.AccessControlAllowOrigin = "*";
        if (!ResponseShape.Of(context.Request).TryGetValue(out var shape, out var issues))
        {
            return FhirResponse.RefuseAsync(context, StatusCodes.Status400BadRequest, issues);
        }

        return shape.Format is null
            ? FhirResponse.RefuseAsync(context, StatusCodes.Status406NotAcceptable, ApiIssues.NotAcceptable())
            : FhirResponse.SendAsync(context, context.RequestServices.GetRequiredService<Capabilities>().Answer(), shape);
    }

    private static async Task AnswerAsync(HttpContext context, FhirRoute route)
    {
        var call = new HttpFhirCall(context, route, context.Features.Get<ResponseShape>()!);
        FhirAnswer answer;
        try
        {
            answer = await route.Handler(call).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not (StoreBusyException or OperationCanceledException))
        {
            await FhirAudit.RecordAsync(context, route, call, new FhirAnswer(StatusCodes.Status500InternalServerError)).ConfigureAwait(false);
            throw;
        }

        await FhirAudit.RecordAsync(context, route, call, answer).ConfigureAwait(false);
        await FhirResponse.SendAsync(context, answer, call.Shape).ConfigureAwait(false);
    }

    private static Task RefuseMethodAsync(HttpContext context, string allowed)
    {
        context.Response.Headers.Allow = allowed;
        return FhirResponse.RefuseAsync(context, StatusCodes.Status405MethodNotAllowed, ApiIssues.NotAllowed(context.Request.Method));
    }

    /// <summary>What every interaction needs: a type that exists, an id that can, and a client that takes what there is.</summary>
    private static async ValueTask<object?> CheckRequestAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (Refusal(http) is not { } refusal)
        {
            return await next(context).ConfigureAwait(false);
        }

        await FhirResponse.RefuseAsync(http, refusal.Status, refusal.Issues).ConfigureAwait(false);
        return Results.Empty;
    }

    private static FhirAnswer? Refusal(HttpContext http)
    {
        var type = http.GetRouteValue("type") as string;
        if (type is not null && !FhirDefinitions.R4.IsResourceType(type))
        {
            return FhirAnswer.Refused(StatusCodes.Status404NotFound, ApiIssues.UnknownType(type));
        }

        if (http.GetRouteValue("inner") is string inner && inner != "*" && !FhirDefinitions.R4.IsResourceType(inner))
        {
            return FhirAnswer.Refused(StatusCodes.Status404NotFound, ApiIssues.UnknownType(inner));
        }

        if (http.GetRouteValue("id") is string id && !FhirRequest.IsId(id))
        {
            return FhirAnswer.BadRequest(ApiIssues.BadId());
        }

        var headers = http.Request.Headers;
        if (headers.ContainsKey("X-HTTP-Method-Override") || headers.ContainsKey("X-HTTP-Method") || headers.ContainsKey("X-Method-Override"))
        {
            return FhirAnswer.BadRequest(ApiIssues.Tunnelled());
        }

        if (!ResponseShape.Of(http.Request).TryGetValue(out var shape, out var issues))
        {
            return FhirAnswer.BadRequest(issues);
        }

        // A Binary can be had in its own media type, whatever is accepted; _format asks for one of FHIR's.
        if (shape.Format is null && (type != "Binary" || http.Request.Query.ContainsKey("_format")))
        {
            return FhirAnswer.Refused(StatusCodes.Status406NotAcceptable, ApiIssues.NotAcceptable());
        }

        http.Features.Set(shape);
        return null;
    }
}
