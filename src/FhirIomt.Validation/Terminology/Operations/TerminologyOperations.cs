using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Terminology.Operations;

/// <summary>The terminology operations of FHIR R4.</summary>
public enum TerminologyOperation
{
    /// <summary>ValueSet/$expand.</summary>
    Expand,

    /// <summary>ValueSet/$validate-code.</summary>
    ValidateCode,

    /// <summary>CodeSystem/$validate-code.</summary>
    ValidateCodeInSystem,

    /// <summary>CodeSystem/$lookup.</summary>
    Lookup,

    /// <summary>CodeSystem/$subsumes.</summary>
    Subsumes,

    /// <summary>ConceptMap/$translate.</summary>
    Translate,

    /// <summary>ValueSet/$batch-validate-code: parameters <c>validation</c>, each with the Parameters of one validation.</summary>
    BatchValidateCode,
}

/// <summary>
/// Runs terminology operations on a Parameters resource and answers with a resource: for a web layer. Instance-level requests
/// put the instance in first (<c>valueSet</c>, <c>url</c>). Safe for many threads.
/// </summary>
/// <param name="terminology">The definitions to work on.</param>
/// <param name="clock">For the timestamp of expansions.</param>
/// <param name="ids">For the identifier of expansions.</param>
public sealed class TerminologyOperations(TerminologyService terminology, TimeProvider clock, IdSource ids)
{
    /// <summary>Runs an operation.</summary>
    /// <param name="operation">Which.</param>
    /// <param name="parameters">A Parameters resource; anything else reads as one without parameters.</param>
    /// <param name="acceptLanguage">The Accept-Language header, used for displays where the request names no language.</param>
    /// <returns>Parameters or ValueSet; for a refusal the OperationOutcome, with codes IOMT-0250 to IOMT-0279 in <see cref="TerminologyAnswer.Refusals"/>.</returns>
    public TerminologyAnswer Run(TerminologyOperation operation, JsonTree parameters, string? acceptLanguage = null)
    {
        var input = new OperationInput(parameters.Root);
        var context = new OperationContext(acceptLanguage, clock.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture), NewUrn);
        return operation == TerminologyOperation.BatchValidateCode ? RunBatch(input, context) : Run(operation, input, context);
    }

    private TerminologyAnswer Run(TerminologyOperation operation, OperationInput input, OperationContext context)
    {
        var store = terminology.Store.With(input.OwnResources());
        return operation switch
        {
            TerminologyOperation.Expand => new ExpandOperation(store, input, context).Run(),
            TerminologyOperation.ValidateCode => new ValidateCodeOperation(store, input, context, codeSystemOnly: false).Run(),
            TerminologyOperation.ValidateCodeInSystem => new ValidateCodeOperation(store, input, context, codeSystemOnly: true).Run(),
            TerminologyOperation.Lookup => new LookupOperation(store, input, context).Run(),
            TerminologyOperation.Subsumes => new SubsumesOperation(store, input).Run(),
            TerminologyOperation.Translate => new TranslateOperation(store, input).Run(),
            _ => AnswerWriter.Refusal(TxIssues.BadRequest($"the operation {operation} is not known")),
        };
    }

    private TerminologyAnswer RunBatch(OperationInput common, OperationContext context)
    {
        var requests = common.Resources("validation").ToList();
        if (requests.Count > terminology.Store.Limits.MaxBatch)
        {
            return AnswerWriter.Refusal(TxIssues.TooMany($"A batch has at most {terminology.Store.Limits.MaxBatch} validations"));
        }

        var answers = requests.Select(request => Run(TerminologyOperation.ValidateCode, new OperationInput(request, common), context)).ToList();
        return AnswerWriter.Parameters(writer => answers.ForEach(answer => WriteAnswer(writer, answer)));
    }

    private static void WriteAnswer(Utf8JsonWriter writer, TerminologyAnswer answer) =>
        AnswerWriter.WriteResource(writer, "validation", () => writer.WriteRawValue(answer.Json.Span, skipInputValidation: true));

    // An id source gives text; an expansion wants a UUID.
    private string NewUrn()
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(ids.NewId()), hash);
        return $"urn:uuid:{new Guid(hash[..16])}";
    }
}
