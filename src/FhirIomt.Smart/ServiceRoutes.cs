using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Smart;

/// <summary>Endpoints that a service answers. ASP.NET Core's own overloads for it compile an expression for each endpoint when the first request comes (docs/performance.md).</summary>
public static class ServiceRoutes
{
    /// <param name="method">One, or several with blanks.</param>
    public static IEndpointConventionBuilder Map<T>(this IEndpointRouteBuilder routes, string method, string pattern, Func<T, HttpContext, Task> answer)
        where T : notnull =>
        routes.MapMethods(pattern, method.Split(' '), context => answer(context.RequestServices.GetRequiredService<T>(), context));

    /// <summary>The same for a pattern with a part in braces, whose value it hands on.</summary>
    public static IEndpointConventionBuilder Map<T>(this IEndpointRouteBuilder routes, string method, string pattern, string part, Func<T, HttpContext, string, Task> answer)
        where T : notnull =>
        routes.MapMethods(pattern, [method], context => answer(context.RequestServices.GetRequiredService<T>(), context, (string)context.Request.RouteValues[part]!));
}
