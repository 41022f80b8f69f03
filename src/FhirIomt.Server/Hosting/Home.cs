using FhirIomt.Smart;

namespace FhirIomt.Server.Hosting;

/// <summary><c>GET /</c>: where things are, for a person who opens the address.</summary>
internal static class Home
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", static context =>
        {
            var address = context.RequestServices.GetRequiredService<ServerAddress>();
            context.Response.ContentType = "text/plain; charset=utf-8";
            return context.Response.WriteAsync(Text(address), context.RequestAborted);
        });

        // Every browser asks; there is none.
        routes.MapGet("/favicon.ico", static context =>
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        });
    }

    public static string Text(ServerAddress address) => $"""
        FhirIomt
          FHIR base         {address.FhirBase}
          capabilities      {address.FhirBase}/metadata
          SMART discovery   {address.FhirBase}/.well-known/smart-configuration
          token endpoint    {address.TokenEndpoint}
          device messages   {address.DeviceMessages}
          health            {address.Root}/health/ready
          docs              docs/ in the source; README.md has the first reading on one screen
        """;
}
