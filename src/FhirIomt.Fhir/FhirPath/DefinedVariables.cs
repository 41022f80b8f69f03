namespace FhirIomt.Fhir.FhirPath;

/// <summary>A variable made by <c>defineVariable()</c>, and those made before it.</summary>
internal sealed record DefinedVariable(string Name, FhirPathItem[] Items, DefinedVariable? Before)
{
    public static DefinedVariable? Find(DefinedVariable? last, string name)
    {
        for (var variable = last; variable is not null; variable = variable.Before)
        {
            if (variable.Name == name)
            {
                return variable;
            }
        }

        return null;
    }
}

/// <summary>
/// An operand or argument in which variables are defined: they end with it. Made only where the expression has a <c>defineVariable()</c>, so that others
/// pay nothing.
/// </summary>
internal sealed class VariableScopeNode(PathNode inner) : PathNode
{
    public override void Evaluate(Evaluation run, in Scope scope, ItemList output)
    {
        var before = run.Variables;
        inner.Evaluate(run, scope, output);
        run.Variables = before;
    }

    public override StaticTypes Infer(StaticCheck check, StaticTypes focus) => inner.Infer(check, focus);

    public override bool? Logic(Evaluation run, in Scope scope)
    {
        var before = run.Variables;
        var answer = inner.Logic(run, scope);
        run.Variables = before;
        return answer;
    }
}
