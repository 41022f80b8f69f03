using System.Text;
using FhirIomt.Api.Auditing;
using FhirIomt.Api.Http;
using FhirIomt.Core;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository;
using FhirIomt.Repository.Searching;
using FhirIomt.Smart;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Interactions;

/// <summary>
/// Searches (R4 §3.1.0.12): of a type, of several types at the base, of a compartment (<c>Patient/1/Observation</c>, <c>Patient/1/*</c>); each by GET, or by POST to
/// <c>_search</c> below the same address.
/// </summary>
internal sealed class Search(ContainedSearch search, SearchQueryParser parser, ServerAddress address)
{
    private const int MaxFormBytes = 64 * 1024;

    // The compartments that R4 defines (§2.38).
    private static readonly string[] Compartments = ["Patient", "Device", "Encounter", "Practitioner", "RelatedPerson"];

    public Task<FhirAnswer> GetAsync(FhirCall call) => RunAsync(call, call.Arguments);

    public async Task<FhirAnswer> PostAsync(FhirCall call)
    {
        if (!(await call.ReadAsync().ConfigureAwait(false)).TryGetValue(out var body, out var refusal))
        {
            return refusal;
        }

        // A search without a body is one by its address.
        if (body.MediaType != MediaTypes.Form && body.Bytes.Length > 0)
        {
            return FhirAnswer.Refused(StatusCodes.Status415UnsupportedMediaType, ApiIssues.BadContentType(body.MediaType) with { Fix = "Send application/x-www-form-urlencoded." });
        }

        if (body.Bytes.Length > MaxFormBytes)
        {
            return FhirAnswer.Refused(StatusCodes.Status413PayloadTooLarge, ApiIssues.TooLarge(MaxFormBytes));
        }

        IReadOnlyList<SearchArgument> arguments = [.. call.Arguments, .. SearchCondition.Arguments(Encoding.UTF8.GetString(body.Bytes.Span))];
        return call.Reshape(arguments) is { } badShape ? badShape : WithForm(await RunAsync(call, arguments).ConfigureAwait(false), body);
    }

    private static FhirAnswer WithForm(FhirAnswer answer, FhirBody form) =>
        answer with { About = (answer.About ?? new AnswerSubjects([], [])) with { Request = Encoding.UTF8.GetString(form.Bytes.Span) } };

    private async Task<FhirAnswer> RunAsync(FhirCall call, IReadOnlyList<SearchArgument> arguments)
    {
        if (call.Inner.Length > 0 && !Compartments.Contains(call.Type, StringComparer.Ordinal))
        {
            return FhirAnswer.Refused(StatusCodes.Status404NotFound, ApiIssues.UnknownPath());
        }

        if (!Parse(call, arguments).TryGetValue(out var query, out var issues))
        {
            return FhirAnswer.BadRequest(issues);
        }

        var result = await search.SearchAsync(query, call.Scope, call.Cancelled).ConfigureAwait(false);
        if (result is not SearchResult.Found { Page: var page, Containers: var containers })
        {
            return FhirAnswer.Refused(((SearchResult.Refused)result).Refusal);
        }

        var ignored = issues.Select(issue => issue.Expression).ToHashSet(StringComparer.Ordinal);
        var used = arguments.Where(argument => !ignored.Contains(argument.Name)).ToList();
        var bundle = new SearchBundle(address, Path(call), query, used, page, containers, page.IncludesCut ? [.. issues, SearchIssues.IncludesCut()] : issues);
        return FhirAnswer.Written(bundle.Write) with { About = Subjects(query, page, containers) };
    }

    // Every match is of the patient that the search names; to read that from fifty of them would take as long as finding them.
    private static AnswerSubjects Subjects(SearchQuery query, SearchPage page, IReadOnlyList<StoredResource> containers) =>
        query is { Parts.Count: 0, Contained: ContainedMode.None } && SearchedPatients.Of(query) is [var patient] ? new AnswerSubjects([patient], page.Included) : new AnswerSubjects([], containers.Count > 0 ? containers : [.. page.Matches, .. page.Included]);

    private Outcome<SearchQuery> Parse(FhirCall call, IReadOnlyList<SearchArgument> arguments)
    {
        var lenient = call.Prefers("handling=lenient");
        return (call.Type, call.Inner) switch
        {
            ("", _) => parser.ParseSystem(arguments, lenient),
            (var type, "") => parser.Parse(type, arguments, lenient),
            (var type, "*") => parser.ParseSystem(arguments, lenient, new CompartmentId(type, call.Id)),
            (var type, var inner) => parser.Parse(inner, arguments, lenient, new CompartmentId(type, call.Id)),
        };
    }

    private static string Path(FhirCall call) => call.Inner.Length > 0 ? $"/{call.Type}/{call.Id}/{call.Inner}" : call.Type.Length > 0 ? $"/{call.Type}" : "";
}
