using FhirIomt.Api.Http;
using FhirIomt.Core;
using FhirIomt.Smart;

namespace FhirIomt.Server.Devices.Quarantine;

/// <summary>
/// The quarantine over HTTP, for operators (scope <c>__operator</c>): list, show, mend, replay one or all, discard with a reason. The command <c>fhiriomt quarantine</c> does the same.
/// </summary>
internal sealed class QuarantineEndpoints(MessageQuarantine quarantine, OperatorGate gate)
{
    private const int MaxListed = 1000;
    private const int MaxBody = 16 * 1024 * 1024;

    public static void Map(IEndpointRouteBuilder routes)
    {
        const string one = "/devices/quarantine/{id}";
        routes.Map<QuarantineEndpoints>("GET", "/devices/quarantine", (endpoints, context) => endpoints.ListAsync(context));
        routes.Map<QuarantineEndpoints>("POST", "/devices/quarantine/replay", (endpoints, context) => endpoints.ReplayAllAsync(context));
        routes.Map<QuarantineEndpoints>("GET", one, "id", (endpoints, context, id) => endpoints.ShowAsync(context, id));
        routes.Map<QuarantineEndpoints>("PUT", one, "id", (endpoints, context, id) => endpoints.MendAsync(context, id));
        routes.Map<QuarantineEndpoints>("POST", one + "/replay", "id", (endpoints, context, id) => endpoints.ReplayAsync(context, id));
        routes.Map<QuarantineEndpoints>("DELETE", one, "id", (endpoints, context, id) => endpoints.DiscardAsync(context, id));
    }

    private async Task ListAsync(HttpContext context)
    {
        if (await gate.ActorAsync(context).ConfigureAwait(false) is null)
        {
            return;
        }

        var limit = int.TryParse(context.Request.Query["limit"], System.Globalization.NumberStyles.None, null, out var asked) ? Math.Clamp(asked, 1, MaxListed) : 100;
        var found = await quarantine.ListAsync(FilterOf(context), limit, context.RequestAborted).ConfigureAwait(false);
        await DeviceAnswer.WriteAsync(context, StatusCodes.Status200OK, writer =>
        {
            writer.WriteStartArray("messages"u8);
            foreach (var message in found)
            {
                message.WriteSummary(writer);
            }

            writer.WriteEndArray();
        }).ConfigureAwait(false);
    }

    private async Task ShowAsync(HttpContext context, string id)
    {
        if (await gate.ActorAsync(context).ConfigureAwait(false) is null)
        {
            return;
        }

        if (await quarantine.FindAsync(id, context.RequestAborted).ConfigureAwait(false) is not { } message)
        {
            await DeviceAnswer.RefuseAsync(context, StatusCodes.Status404NotFound, QuarantineIssues.NotThere()).ConfigureAwait(false);
            return;
        }

        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "private, no-store";
        await context.Response.BodyWriter.WriteAsync(message.Write(), context.RequestAborted).ConfigureAwait(false);
    }

    private async Task MendAsync(HttpContext context, string id)
    {
        if (await gate.ActorAsync(context).ConfigureAwait(false) is not { } actor)
        {
            return;
        }

        var (body, error) = await RequestBody.ReadAsync(context.Request, MaxBody).ConfigureAwait(false);
        if (error is { } unreadable)
        {
            await DeviceAnswer.RefuseAsync(context, unreadable.Status, unreadable.Issue).ConfigureAwait(false);
            return;
        }

        await AnswerAsync(context, await quarantine.MendAsync(id, body, actor, context.RequestAborted).ConfigureAwait(false), (writer, message) => writer.WriteString("id"u8, message.Id)).ConfigureAwait(false);
    }

    private async Task ReplayAsync(HttpContext context, string id)
    {
        if (await gate.ActorAsync(context).ConfigureAwait(false) is null)
        {
            return;
        }

        var outcome = await quarantine.ReplayAsync(id, MappingOf(context), context.RequestAborted).ConfigureAwait(false);
        await AnswerAsync(context, outcome, (writer, receipt) =>
        {
            writer.WriteStartArray("messages"u8);
            receipt.Write(writer);
            writer.WriteEndArray();
        }).ConfigureAwait(false);
    }

    private async Task ReplayAllAsync(HttpContext context)
    {
        if (await gate.ActorAsync(context).ConfigureAwait(false) is null)
        {
            return;
        }

        var (tried, released) = await quarantine.ReplayAllAsync(FilterOf(context), mapping: null, progress: null, context.RequestAborted).ConfigureAwait(false);
        await DeviceAnswer.WriteAsync(context, StatusCodes.Status200OK, writer =>
        {
            writer.WriteNumber("tried"u8, tried);
            writer.WriteNumber("released"u8, released);
        }).ConfigureAwait(false);
    }

    private async Task DiscardAsync(HttpContext context, string id)
    {
        if (await gate.ActorAsync(context).ConfigureAwait(false) is { } actor)
        {
            await AnswerAsync(context, await quarantine.DiscardAsync(id, context.Request.Query["reason"].ToString(), actor, context.RequestAborted).ConfigureAwait(false), (writer, discarded) => writer.WriteString("id"u8, discarded)).ConfigureAwait(false);
        }
    }

    private static Task AnswerAsync<T>(HttpContext context, Outcome<T> outcome, Action<System.Text.Json.Utf8JsonWriter, T> write) => outcome.TryGetValue(out var value, out var issues)
        ? DeviceAnswer.WriteAsync(context, StatusCodes.Status200OK, writer => write(writer, value))
        : DeviceAnswer.RefuseAsync(context, issues[0].Kind == IssueKind.NotFound ? StatusCodes.Status404NotFound : StatusCodes.Status400BadRequest, issues);

    private static QuarantineFilter FilterOf(HttpContext context)
    {
        string? Asked(string name) => context.Request.Query[name].ToString() is { Length: > 0 } text ? text : null;
        return new QuarantineFilter(Asked("sender"), Asked("code"), Asked("mapping"));
    }

    private static string? MappingOf(HttpContext context) => context.Request.Query["mapping"].ToString() is { Length: > 0 } name ? name : null;
}
