using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.FhirPath;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Base;

namespace FhirIomt.Validation.Invariants;

/// <summary>The element an invariant is asked about.</summary>
internal readonly struct InvariantFocus(ResourceNode node, ResourceNode companion, FhirType type, ResourceScope scope)
{
    public ResourceNode Node { get; } = node;

    public ResourceNode Companion { get; } = companion;

    public FhirType Type { get; } = type;

    public ResourceScope Scope { get; } = scope;
}

/// <summary>A constraint compiled once: a hand-written form where there is one, FHIRPath otherwise.</summary>
internal sealed class Invariant
{
    private readonly FhirConstraint _constraint;
    private readonly NativeInvariants.Check? _native;
    private readonly FhirPathExpression? _expression;
    private readonly FhirDefinitions _definitions;

    private Invariant(FhirConstraint constraint, NativeInvariants.Check? native, FhirPathExpression? expression, FhirDefinitions definitions)
    {
        _definitions = definitions;
        _constraint = constraint;
        _native = native;
        _expression = expression;
    }

    public string Key => _constraint.Key;

    /// <summary>Whether it runs at all: an expression that does not compile says nothing about any resource.</summary>
    public bool IsCompiled => _native is not null || _expression is not null;

    /// <summary>
    /// ele-1, dom-3, ref-1 and txt-1, txt-2 are what the walk, the reference check and the XHTML check look for. dom-6 asks for a narrative: device data have none by
    /// design, and a warning in each answer would hide the others.
    /// </summary>
    public static bool IsHeldByTheWalk(FhirConstraint constraint) => constraint.Key is "dom-6" or "txt-1" or "txt-2" or "ref-1"
        || (constraint.Key == "dom-3" && constraint.Expression.StartsWith("contained.where((('#'+id in (%resource.descendants().reference", StringComparison.Ordinal))
        || (constraint.Key == "ele-1" && constraint.Expression.StartsWith("hasValue()", StringComparison.Ordinal));

    public static Invariant Compile(FhirConstraint constraint, FhirDefinitions definitions)
    {
        var native = NativeInvariants.Find(constraint);
        var expression = native is null && FhirPathExpression.Compile(constraint.Expression, definitions).TryGetValue(out var compiled, out _) ? compiled : null;
        return new Invariant(constraint, native, expression, definitions);
    }

    public void Run(ValidationRun run, in InvariantFocus focus)
    {
        if (_native is not null)
        {
            if (!_native(focus))
            {
                Report(run, focus);
            }
        }
        else if (_expression is not null)
        {
            Evaluate(run, focus);
        }
    }

    private void Evaluate(ValidationRun run, in InvariantFocus focus)
    {
        try
        {
            // No answer is no breach: bdl-8 asks "fullUrl.contains(…).not()" of entries without fullUrl, and the official examples count on it.
            var answer = _expression!.Evaluate(ItemOf(focus), focus.Scope.Environment);
            if (answer.Count == 1 && answer[0].AsBoolean() == false)
            {
                Report(run, focus);
            }
        }
        catch (FhirPathException)
        {
            run.Add(ValidationIssues.InvariantUnknown, At(focus), $"The invariant {_constraint.Key} could not be evaluated.");
        }
    }

    private FhirPathItem ItemOf(in InvariantFocus focus) =>
        focus.Type.Kind == FhirTypeKind.Resource ? FhirPathItem.Resource(focus.Node, _definitions) : FhirPathItem.Element(focus.Node, focus.Companion, focus.Type);

    private void Report(ValidationRun run, in InvariantFocus focus) =>
        run.Add(_constraint.IsError ? ValidationIssues.InvariantFails : ValidationIssues.BestPracticeFails, At(focus), _constraint.Human.StartsWith("Invariant ", StringComparison.Ordinal) ? $"{Key} does not hold: {_constraint.Expression}" : $"{Key} does not hold: {_constraint.Human}");

    private static ResourceNode At(in InvariantFocus focus) => focus.Node.Exists ? focus.Node : focus.Companion;
}
