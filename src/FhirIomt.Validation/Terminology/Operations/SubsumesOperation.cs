using FhirIomt.Validation.Terminology.CodeSystems;

namespace FhirIomt.Validation.Terminology.Operations;

/// <summary>CodeSystem/$subsumes (FHIR R4 §4.8.21.3): how two concepts of one system stand to each other.</summary>
internal sealed class SubsumesOperation(TerminologyStore store, OperationInput input)
{
    public TerminologyAnswer Run()
    {
        var system = input.Text("system") ?? input.Value("codingA")["system"u8].AsString() ?? input.Text("url");
        var left = input.Text("codeA") ?? input.Value("codingA")["code"u8].AsString();
        var right = input.Text("codeB") ?? input.Value("codingB")["code"u8].AsString();
        if (system is null || left is null || right is null || (input.Value("codingB")["system"u8].AsString() is { } other && other != system))
        {
            return AnswerWriter.Refusal(TxIssues.BadRequest("give codeA and codeB with their system, or codingA and codingB of one system"));
        }

        var version = input.Text("version") ?? input.VersionRules().Choose(system, null).Version;
        if (store.CodeSystem(system, version) is not { } content)
        {
            return AnswerWriter.Refusal(TxIssues.UnknownSystem(system, "system"));
        }

        if (content.Find(left) is not { } first)
        {
            return AnswerWriter.Refusal(TxIssues.UnknownCode(left, system, content.Version, "codeA"));
        }

        return content.Find(right) is { } second
            ? AnswerWriter.Parameters(writer => AnswerWriter.WriteParameter(writer, "outcome", "valueCode", Outcome(content, first, second)))
            : AnswerWriter.Refusal(TxIssues.UnknownCode(right, system, content.Version, "codeB"));
    }

    private static string Outcome(CodeSystemContent content, Concept first, Concept second) =>
        first == second ? "equivalent"
        : content.WithAncestors(second).Contains(first.Index) ? "subsumes"
        : content.WithAncestors(first).Contains(second.Index) ? "subsumed-by"
        : "not-subsumed";
}
