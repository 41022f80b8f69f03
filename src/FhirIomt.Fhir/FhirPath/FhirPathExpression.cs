using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>
/// A compiled FHIRPath expression: HL7 FHIRPath N1 (2.0.0) with FHIR R4's additions (§2.9). Immutable; one instance serves many threads.
/// </summary>
public sealed class FhirPathExpression
{
    // R4's longest expression has 2,309 characters.
    private const int MaxLength = 20_000;

    private readonly PathNode _node;
    private readonly FhirDefinitions _definitions;

    private FhirPathExpression(string text, PathNode node, FhirDefinitions definitions)
    {
        Text = text;
        _node = node;
        _definitions = definitions;
    }

    public string Text { get; }

    /// <summary>Reads an expression. Codes IOMT-0300 (syntax), IOMT-0301 (function), IOMT-0302 (arguments), IOMT-0303 (type).</summary>
    /// <param name="text">FHIRPath.</param>
    /// <param name="definitions">The types that names are looked up in.</param>
    /// <param name="functions">Functions beyond those of the language, by name.</param>
    public static Outcome<FhirPathExpression> Compile(string text, FhirDefinitions definitions, IReadOnlyDictionary<string, FhirPathHostFunction>? functions = null)
    {
        if (text.Length > MaxLength)
        {
            return FhirPathIssues.Syntax(text, MaxLength, $"the expression has more than {MaxLength} characters.");
        }

        try
        {
            return new FhirPathExpression(text, Parser.Parse(text, definitions, functions), definitions);
        }
        catch (SyntaxException exception)
        {
            return exception.Issue;
        }
    }

    /// <summary>Whether the expression can mean something on an element of that type: names that no possible type has, and functions that need an
    /// order where there is none, are reported (IOMT-0309). Evaluation does not ask for this: what is not there selects nothing.</summary>
    public IReadOnlyList<Issue> Check(FhirType focus)
    {
        var check = new StaticCheck(Text, _definitions);
        _node.Infer(check, StaticTypes.Of(focus));
        return check.Issues;
    }

    /// <summary>What the expression selects.</summary>
    /// <exception cref="FhirPathException">IOMT-0304 to IOMT-0308: the data do not fit the expression, or a limit was met.</exception>
    public IReadOnlyList<FhirPathItem> Evaluate(FhirPathItem focus, FhirPathEnvironment environment)
    {
        var run = environment.Rent(_definitions);
        run.Start(focus);
        var items = run.Rent();
        try
        {
            _node.Evaluate(run, new Scope(focus), items);
        }
        catch (OverflowException)
        {
            throw FhirPathIssues.OutOfRange();
        }

        var result = items.ToArray();
        run.Return(items);
        environment.Return(run);
        return result;
    }

    /// <summary>As <see cref="Evaluate"/>, with the refusal as a value.</summary>
    public Outcome<IReadOnlyList<FhirPathItem>> TryEvaluate(FhirPathItem focus, FhirPathEnvironment environment)
    {
        try
        {
            return Outcome<IReadOnlyList<FhirPathItem>>.Success(Evaluate(focus, environment));
        }
        catch (FhirPathException exception)
        {
            return exception.Issue;
        }
    }

    /// <summary>Whether the answer is true: empty is not, one item that is no boolean is (N1 §4.5). For filters and conditions.</summary>
    /// <exception cref="FhirPathException">As for <see cref="Evaluate"/>.</exception>
    public bool IsTrue(FhirPathItem focus, FhirPathEnvironment environment) => Logic(focus, environment) == true;

    /// <summary>
    /// Whether an invariant is met: everything but false, so empty meets it. R4's own invariants are written that way: ref-1 and bdl-8 are empty
    /// where the element they speak of is absent.
    /// </summary>
    /// <exception cref="FhirPathException">As for <see cref="Evaluate"/>.</exception>
    public bool IsMet(FhirPathItem focus, FhirPathEnvironment environment) => Logic(focus, environment) != false;

    /// <summary>For callers that run many expressions over one focus with the same buffers.</summary>
    internal void EvaluateInto(Evaluation run, in FhirPathItem focus, ItemList output) => _node.Evaluate(run, new Scope(focus), output);

    public override string ToString() => Text;

    private bool? Logic(FhirPathItem focus, FhirPathEnvironment environment)
    {
        var run = environment.Rent(_definitions);
        run.Start(focus);
        try
        {
            var answer = _node.Logic(run, new Scope(focus));
            environment.Return(run);
            return answer;
        }
        catch (OverflowException)
        {
            throw FhirPathIssues.OutOfRange();
        }
    }
}
