using FhirIomt.Api.Http;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Repository;
using FhirIomt.Repository.Definitions;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Operations;

/// <summary>
/// <c>$validate</c> (R4, Resource): a resource that is sent, or one that is stored, against R4, the profiles it claims and those named. Answers 200 with an
/// OperationOutcome whatever it finds; nothing is stored.
/// </summary>
internal sealed class Validate(ServerDefinitions definitions, ResourceRepository repository)
{
    public async Task<FhirAnswer> HandleAsync(FhirCall call)
    {
        if (!(await OperationParameters.ReadAsync(call, "resource").ConfigureAwait(false)).TryGetValue(out var parameters, out var refusal))
        {
            return refusal;
        }

        var mode = parameters.Text("mode");
        if (mode is not (null or "create" or "update" or "delete" or "profile"))
        {
            return FhirAnswer.BadRequest(ApiIssues.BadArgument("mode", mode, "create, update, delete or profile"));
        }

        if (parameters.FirstOther("resource", "mode", "profile") is { } other)
        {
            return FhirAnswer.BadRequest(ApiIssues.UnknownArgument(other));
        }

        var profiles = parameters.Texts("profile").ToList();
        if (profiles.FirstOrDefault(profile => !definitions.Knows(profile)) is { } unknown)
        {
            return FhirAnswer.BadRequest(ApiIssues.UnknownProfile(unknown));
        }

        if (!(await ResourceAsync(call, parameters, mode).ConfigureAwait(false)).TryGetValue(out var resource, out refusal))
        {
            return refusal;
        }

        IReadOnlyList<Issue> issues = mode == "delete" ? [] : Find(call, resource, mode, profiles);
        return FhirAnswer.Refused(StatusCodes.Status200OK, issues.Count > 0 ? issues : [new Issue(IssueSeverity.Information, IssueKind.Informational, "IOMT-0643", "Nothing was found that would refuse the resource.")]);
    }

    private async ValueTask<Outcome<JsonTree, FhirAnswer>> ResourceAsync(FhirCall call, OperationParameters parameters, string? mode)
    {
        if (parameters.Resource("resource") is { Exists: true } sent && mode is not "profile" and not "delete")
        {
            return JsonTree.Parse(sent.Raw).TryGetValue(out var tree, out var issues) ? tree : FhirAnswer.BadRequest(issues);
        }

        if (parameters.Resource("resource") is { Exists: true } other && call.Id.Length == 0)
        {
            return JsonTree.Parse(other.Raw).TryGetValue(out var tree, out var issues) ? tree : FhirAnswer.BadRequest(issues);
        }

        if (call.Id.Length == 0)
        {
            return FhirAnswer.BadRequest(ApiIssues.MissingParameter("resource"));
        }

        return await repository.ReadAsync(call.Type, call.Id, call.Scope, call.Cancelled).ConfigureAwait(false) switch
        {
            ReadResult.Found { Resource: var stored } => JsonTree.Parse(stored.Body).Require(),
            ReadResult.Refused refused => FhirAnswer.Refused(refused.Refusal),
            _ => throw new InvalidOperationException("ReadResult is a closed set."),
        };
    }

    private List<Issue> Find(FhirCall call, JsonTree resource, string? mode, List<string> profiles)
    {
        var issues = new List<Issue>();
        if (resource.Root["resourceType"u8].AsString() != call.Type)
        {
            issues.AddRange(RepositoryIssues.WrongType(call.Type).Issues);
        }

        if (mode == "update" && (call.Id.Length > 0 ? resource.Root["id"u8].AsString() != call.Id : !resource.Root["id"u8].Exists))
        {
            issues.AddRange(RepositoryIssues.IdMismatch(call.Id).Issues);
        }

        issues.AddRange(definitions.Validator.Validate(resource, profiles));
        return issues;
    }
}
