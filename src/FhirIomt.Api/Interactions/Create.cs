using FhirIomt.Api.Http;
using FhirIomt.Core;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository;
using FhirIomt.Smart;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Interactions;

/// <summary>create and conditional create (R4 §3.1.0.8): <c>POST /fhir/{type}</c>, with <c>If-None-Exist</c>.</summary>
internal sealed class Create(ResourceRepository repository, SearchQueryParser parser, ServerAddress address)
{
    public async Task HandleAsync(HttpContext context, string type)
    {
        var (tree, error) = await FhirRequest.ReadResourceAsync(context.Request).ConfigureAwait(false);
        if (error is not null)
        {
            await FhirResponse.RefuseAsync(context, error.Status, error.Issues).ConfigureAwait(false);
            return;
        }

        var condition = Condition(context.Request, type);
        if (!condition.TryGetValue(out var ifNoneExist, out var issues))
        {
            await FhirResponse.RefuseAsync(context, StatusCodes.Status400BadRequest, issues).ConfigureAwait(false);
            return;
        }

        var result = await repository.CreateAsync(type, tree!, ifNoneExist, context.AccessScope(), context.RequestAborted).ConfigureAwait(false);
        await WriteAnswer.SendAsync(context, result, address).ConfigureAwait(false);
    }

    private Outcome<SearchQuery?> Condition(HttpRequest request, string type)
    {
        var header = request.Headers["If-None-Exist"];
        if (header.Count == 0)
        {
            return Outcome<SearchQuery?>.Success(null);
        }

        // Always strict: an unknown parameter that is ignored would widen the condition.
        var arguments = FhirRequest.Arguments(header.ToString());
        var parsed = parser.Parse(type, arguments, lenient: false);
        if (!parsed.TryGetValue(out var query, out var issues))
        {
            return Outcome<SearchQuery?>.Refused(issues);
        }

        return header.Count > 1 || query.Criteria.Count == 0 ? ApiIssues.BadCondition() : Outcome<SearchQuery?>.Success(query with { CountOnly = false, Cursor = null });
    }
}
