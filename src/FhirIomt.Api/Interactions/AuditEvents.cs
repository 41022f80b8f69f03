using FhirIomt.Api.Http;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository;
using FhirIomt.Repository.Auditing;
using FhirIomt.Smart;

namespace FhirIomt.Api.Interactions;

/// <summary>read and search of AuditEvent: rendered from the audit, which is no resource and which nobody writes to by REST.</summary>
internal sealed class AuditEvents(AuditTrail trail, SearchQueryParser parser, ServerAddress address)
{
    public const string Type = "AuditEvent";

    /// <summary>What is offered of the type.</summary>
    public static readonly string[] Interactions = ["read", "search-type"];

    /// <summary>What it is searched by.</summary>
    public static readonly string[] Parameters = ["_id", "date", "patient", "agent", "agent-name", "entity", "type", "subtype", "action", "outcome"];

    public async Task<FhirAnswer> ReadAsync(FhirCall call) => await trail.ReadAsync(call.Id, call.Scope, call.Cancelled).ConfigureAwait(false) switch
    {
        Repository.ReadResult.Found found => FhirAnswer.Of(found.Resource),
        Repository.ReadResult.Refused refused => FhirAnswer.Refused(refused.Refusal),
        _ => throw new InvalidOperationException("ReadResult is a closed set."),
    };

    /// <summary>Also as <c>Patient/{id}/AuditEvent</c>.</summary>
    public async Task<FhirAnswer> SearchAsync(FhirCall call)
    {
        IReadOnlyList<SearchArgument> arguments = call.Type == "Patient" ? [new SearchArgument("patient", $"Patient/{call.Id}"), .. call.Arguments] : call.Arguments;
        if (!parser.Parse("AuditEvent", arguments, call.Prefers("handling=lenient")).TryGetValue(out var query, out var issues))
        {
            return FhirAnswer.BadRequest(issues);
        }

        var result = await trail.SearchAsync(query, call.Scope, call.Cancelled).ConfigureAwait(false);
        if (result is not SearchResult.Found { Page: var page })
        {
            return FhirAnswer.Refused(((SearchResult.Refused)result).Refusal);
        }

        return FhirAnswer.Written(new SearchBundle(address, "/AuditEvent", query, arguments, page, [], issues).Write);
    }
}
