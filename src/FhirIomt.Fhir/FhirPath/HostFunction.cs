namespace FhirIomt.Fhir.FhirPath;

/// <summary>A function that the caller adds to the language. Arguments are evaluated once, on the focus of the call.</summary>
public delegate IReadOnlyList<FhirPathItem> FhirPathHostFunction(IReadOnlyList<FhirPathItem> input, IReadOnlyList<IReadOnlyList<FhirPathItem>> arguments);

internal sealed class HostCallNode(FhirPathHostFunction function, PathNode source, PathNode[] arguments) : PathNode
{
    public override void Evaluate(Evaluation run, in Scope scope, ItemList output)
    {
        run.Step();
        var input = run.Rent();
        source.Evaluate(run, scope, input);
        var values = new IReadOnlyList<FhirPathItem>[arguments.Length];
        for (var index = 0; index < values.Length; index++)
        {
            var items = run.Rent();
            arguments[index].Evaluate(run, scope, items);
            values[index] = items.ToArray();
            run.Return(items);
        }

        foreach (var item in function(input.ToArray(), values))
        {
            output.Add(item);
        }

        run.CheckSize(output);
        run.Return(input);
    }
}
