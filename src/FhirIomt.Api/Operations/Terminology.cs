using System.Text.Json;
using FhirIomt.Api.Http;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository;
using FhirIomt.Repository.Definitions;
using FhirIomt.Validation.Terminology.Operations;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Operations;

/// <summary>
/// <c>$expand</c>, <c>$validate-code</c>, <c>$lookup</c>, <c>$subsumes</c>, <c>$translate</c> over what is built in and what is stored. Definitions are nobody's
/// data: whoever has a token may ask; an instance by its id needs the right to read it.
/// </summary>
internal sealed class Terminology(ServerDefinitions definitions, ResourceRepository repository, TimeProvider time, IdSource ids)
{
    public Func<FhirCall, Task<FhirAnswer>> Handler(TerminologyOperation operation) => call => RunAsync(call, operation);

    private async Task<FhirAnswer> RunAsync(FhirCall call, TerminologyOperation operation)
    {
        Action<Utf8JsonWriter>? instance = null;
        if (call.Id.Length > 0)
        {
            var read = await repository.ReadAsync(call.Type, call.Id, call.Scope, call.Cancelled).ConfigureAwait(false);
            if (read is not ReadResult.Found { Resource: var stored })
            {
                return FhirAnswer.Refused(((ReadResult.Refused)read).Refusal);
            }

            instance = writer => WriteInstance(writer, stored, operation);
        }

        if (!(await OperationParameters.ReadAsync(call, soleResource: null, instance).ConfigureAwait(false)).TryGetValue(out var parameters, out var refusal))
        {
            return refusal;
        }

        var answer = new TerminologyOperations(definitions.Validator.Terminology, time, ids).Run(operation, parameters.Tree, call.Header("Accept-Language"));
        return answer.Succeeded
            ? FhirAnswer.Written(writer => writer.WriteRawValue(answer.Json.Span, skipInputValidation: true))
            : FhirAnswer.Written(writer => writer.WriteRawValue(answer.Json.Span, skipInputValidation: true), StatusOf(answer.Refusals[0].Kind));
    }

    // An instance is given by itself where the operation takes one, so that it is found whatever its URL.
    private static void WriteInstance(Utf8JsonWriter writer, StoredResource stored, TerminologyOperation operation)
    {
        if (operation is TerminologyOperation.Expand or TerminologyOperation.ValidateCode)
        {
            OperationParameters.WriteResource(writer, "valueSet", stored.Body);
            return;
        }

        OperationParameters.WriteResource(writer, "tx-resource", stored.Body);
        if (JsonTree.Parse(stored.Body).Require().Root["url"u8].AsString() is { } url)
        {
            OperationParameters.WriteText(writer, operation == TerminologyOperation.Subsumes ? "system" : "url", "Uri", url);
        }
    }

    private static int StatusOf(IssueKind kind) => kind switch
    {
        IssueKind.NotFound => StatusCodes.Status404NotFound,
        IssueKind.TooCostly => StatusCodes.Status422UnprocessableEntity,
        IssueKind.NotSupported => StatusCodes.Status422UnprocessableEntity,
        _ => StatusCodes.Status400BadRequest,
    };
}
