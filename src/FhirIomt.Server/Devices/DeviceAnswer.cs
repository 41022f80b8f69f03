using System.Text.Json;
using FhirIomt.Api.Http;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Smart;
using FhirIomt.Smart.Tokens;

namespace FhirIomt.Server.Devices;

/// <summary>Answers of the device endpoints: JSON objects, errors as <c>{"issues":[…]}</c>.</summary>
internal static class DeviceAnswer
{
    public static Task RefuseAsync(HttpContext context, int status, params IReadOnlyList<Issue> issues) => WriteAsync(context, status, writer => MessageReceipt.WriteIssues(writer, issues));

    public static async Task WriteAsync(HttpContext context, int status, Action<Utf8JsonWriter> write)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "private, no-store";
        var writer = new Utf8JsonWriter(context.Response.BodyWriter, JsonText.Options);
        await using (writer.ConfigureAwait(false))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }
    }
}

/// <summary>Lets operators in: those with a token of the scope <c>__operator</c>. Others are answered here.</summary>
internal sealed class OperatorGate(AccessTokens tokens)
{
    /// <summary>Who it is, for the audit; null when the request has been refused.</summary>
    public async ValueTask<string?> ActorAsync(HttpContext context)
    {
        var token = BearerToken.Of(context.Request);
        var grant = token is null ? null : await tokens.ResolveAsync(token, context.RequestAborted).ConfigureAwait(false);
        if (grant is { IsOperator: true })
        {
            return grant.Scope.Actor;
        }

        if (grant is null)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
        }

        await DeviceAnswer.RefuseAsync(context, grant is null ? StatusCodes.Status401Unauthorized : StatusCodes.Status403Forbidden, DeviceIssues.NotOperator()).ConfigureAwait(false);
        return null;
    }
}
