using FhirIomt.Storage;

namespace FhirIomt.Server.Hosting;

/// <summary><c>/health/live</c>: the process answers. <c>/health/ready</c>: the store can be read.</summary>
internal static class Health
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health/live", static context => AnswerAsync(context, ready: true));
        routes.MapGet("/health/ready", static async context =>
        {
            var store = context.RequestServices.GetRequiredService<IStore>();
            try
            {
                await store.FindRecordAsync(RecordKind.Client, "health", context.RequestAborted).ConfigureAwait(false);
                await AnswerAsync(context, ready: true).ConfigureAwait(false);
            }
            catch (StoreBusyException)
            {
                await AnswerAsync(context, ready: false).ConfigureAwait(false);
            }
        });
    }

    private static Task AnswerAsync(HttpContext context, bool ready)
    {
        context.Response.StatusCode = ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "text/plain";
        return context.Response.WriteAsync(ready ? "ok" : "not ready", context.RequestAborted);
    }
}
