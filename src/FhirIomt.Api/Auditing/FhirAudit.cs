using FhirIomt.Access;
using FhirIomt.Api.Http;
using FhirIomt.Repository.Auditing;
using FhirIomt.Smart;
using FhirIomt.Smart.Tokens;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace FhirIomt.Api.Auditing;

/// <summary>Records every interaction before it is answered, but for successful writes: those are recorded in their own transaction.</summary>
internal static class FhirAudit
{
    /// <summary>An answer of a handler.</summary>
    public static ValueTask RecordAsync(HttpContext context, FhirRoute route, FhirCall call, FhirAnswer answer) =>
        Log(context) is { IsEnabled: true } log && !IsRecorded(route, answer)
            ? log.RecordAsync(Entry(route, call, answer, TargetLine(context)), context.RequestAborted)
            : ValueTask.CompletedTask;

    /// <summary>An entry of a batch or transaction.</summary>
    public static ValueTask RecordAsync(AuditLog log, FhirRoute route, FhirCall call, FhirAnswer answer, string request) =>
        log.IsEnabled && !IsRecorded(route, answer) ? log.RecordAsync(Entry(route, call, answer, request), call.Cancelled) : ValueTask.CompletedTask;

    /// <summary>An entry that no handler saw.</summary>
    public static ValueTask RecordRefusalAsync(AuditLog log, FhirCall bundle, FhirAnswer answer, string request) =>
        log.IsEnabled ? log.RecordAsync(Answered(AuditEntry.Of("operation", bundle.Scope) with { Request = request }, answer), bundle.Cancelled) : ValueTask.CompletedTask;

    /// <summary>A request that no handler saw.</summary>
    public static ValueTask RecordRefusalAsync(HttpContext context, FhirAnswer answer)
    {
        if (Log(context) is not { IsEnabled: true } log)
        {
            return ValueTask.CompletedTask;
        }

        var kind = AuditKind.OfRoute(context.GetEndpoint()?.Metadata.GetMetadata<FhirRoute>()?.Name ?? "operation");
        var scope = context.Features.Get<TokenGrant>()?.Scope;
        var entry = scope is null ? new AuditEntry(kind) : AuditEntry.Of(kind, scope);
        return log.RecordAsync(Answered(entry with { Origin = RequestOrigins.Of(context), Request = TargetLine(context) }, answer), context.RequestAborted);
    }

    private static AuditLog? Log(HttpContext context) => context.RequestServices.GetService<AuditLog>();

    private static bool IsRecorded(FhirRoute route, FhirAnswer answer) => answer.Status < 400 && (route.IsWrite || route.Name is "batch/transaction" or "$break-glass");

    private static AuditEntry Entry(FhirRoute route, FhirCall call, FhirAnswer answer, string request)
    {
        var kind = AuditKind.OfRoute(route.Name);
        var entry = AuditEntry.Of(kind, call.Scope) with { Patients = answer.About?.Patients ?? [], Resources = answer.About?.Resources ?? [] };
        entry = answer.Tag is { } tag ? entry with { Resources = [tag, .. entry.Resources] } : entry;
        if (call.Type == "Patient" && call.Id.Length > 0 && answer.Status < 400)
        {
            entry = entry with { Patients = [call.Id, .. entry.Patients] };
        }

        // A read is told by what was read; everything else by what was asked.
        return Answered(kind is "read" or "vread" ? entry with { Target = TargetOf(call, answer) } : entry with { Request = answer.About?.Request is { } form ? $"{request}\n\n{form}" : request }, answer);
    }

    private static string TargetOf(FhirCall call, FhirAnswer answer) =>
        answer.Tag is { } tag ? $"{tag.Type}/{tag.Id}/_history/{tag.Version}" : call.Version.Length > 0 ? $"{call.Type}/{call.Id}/_history/{call.Version}" : $"{call.Type}/{call.Id}";

    private static AuditEntry Answered(AuditEntry entry, FhirAnswer answer) => answer.Status < 400 ? entry : entry with
    {
        Outcome = RequestOrigins.OutcomeOf(answer.Status),
        Issues = $"{answer.Status} {string.Join(' ', answer.Issues.Select(issue => issue.Code).Distinct(StringComparer.Ordinal))}".TrimEnd(),
    };

    // As it was sent. A token in an address is refused, and must not be kept all the same.
    private static string TargetLine(HttpContext context)
    {
        var target = context.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "";
        var token = target.IndexOf("access_token=", StringComparison.OrdinalIgnoreCase);
        return $"{context.Request.Method} {(token < 0 ? target : target[..token] + "access_token=…")}";
    }
}

/// <summary>Whom an answer is about, where its resource does not say it.</summary>
/// <param name="Patients">Known without reading a resource.</param>
/// <param name="Resources">Everything that was shown.</param>
/// <param name="Request">The form of a search that came by POST.</param>
internal sealed record AnswerSubjects(IReadOnlyList<string> Patients, IReadOnlyList<Fhir.Searching.StoredResource> Resources, string? Request = null);
