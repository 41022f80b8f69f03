using System.Collections.Frozen;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>A function over the input collection; its arguments are evaluated by itself, so that it decides on which items.</summary>
internal delegate void FunctionBody(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output);

/// <summary>A named function and how many arguments it takes.</summary>
internal sealed record Function(string Name, int Least, int Most, FunctionBody Body)
{
    public PathNode Make(PathNode source, PathNode[] arguments) => Name switch
    {
        "where" => new WhereNode(source, arguments[0]),
        "exists" => new ExistsNode(source, arguments.Length == 0 ? null : arguments[0], isNegated: false),
        "empty" => new ExistsNode(source, criteria: null, isNegated: true),
        "not" => new NotNode(source),
        _ => new CallNode(this, source, arguments),
    };
}

/// <summary>All functions by name.</summary>
internal static class Functions
{
    private static readonly FrozenDictionary<string, Function> All = new[]
    {
        ExistenceFunctions.All, FilteringFunctions.All, CombiningFunctions.All, ConversionFunctions.All, StringFunctions.All,
        EncodingFunctions.All, MathFunctions.All, AggregateFunctions.All, BoundaryFunctions.All, UtilityFunctions.All, FhirFunctions.All,
    }.SelectMany(group => group).ToFrozenDictionary(function => function.Name, StringComparer.Ordinal);

    public static Function? Find(string name) => All.GetValueOrDefault(name);
}

internal sealed class CallNode(Function function, PathNode source, PathNode[] arguments) : PathNode
{
    public string Name => function.Name;

    public override StaticTypes Infer(StaticCheck check, StaticTypes focus)
    {
        var input = source.Infer(check, focus);
        var inner = Name switch
        {
            // What repeat() meets next is what its own argument selects.
            "repeat" => StaticTypes.Unknown,
            "select" or "all" or "aggregate" or "sort" or "iif" or "trace" or "defineVariable" => input,
            _ => focus,
        };
        var argument = StaticTypes.Unknown;
        foreach (var node in arguments)
        {
            argument = node.Infer(check, inner);
        }

        switch (Name)
        {
            case "first" or "last" or "tail" or "skip" or "take":
                check.NeedsOrder(input, Name + "()");
                return input;
            case "single" or "trace" or "distinct" or "defineVariable" or "sort" or "intersect" or "exclude":
                return input;
            case "select":
                return argument;
            case "union" or "combine":
                return input.Or(argument);
            case "extension":
                return StaticTypes.Of(check.Definitions.Type("Extension")!);
            case "children" or "descendants":
                return new StaticTypes(Known: null, IsUnordered: true);
            default:
                return StaticTypes.Unknown;
        }
    }

    public override void Evaluate(Evaluation run, in Scope scope, ItemList output)
    {
        run.Step();
        var input = run.Rent();
        source.Evaluate(run, scope, input);
        function.Body(run, scope, input, arguments, output);
        run.CheckSize(output);
        run.Return(input);
    }
}

internal sealed class WhereNode(PathNode source, PathNode criteria) : PathNode
{
    public override StaticTypes Infer(StaticCheck check, StaticTypes focus)
    {
        var types = source.Infer(check, focus);
        criteria.Infer(check, types);
        return types;
    }

    public override void Evaluate(Evaluation run, in Scope scope, ItemList output)
    {
        run.Step();
        var input = run.Rent();
        source.Evaluate(run, scope, input);
        for (var index = 0; index < input.Count; index++)
        {
            if (criteria.Logic(run, scope.On(input[index], index)) == true)
            {
                output.Add(input[index]);
            }
        }

        run.Return(input);
    }

    public override bool Any(Evaluation run, in Scope scope) => ExistsNode.AnyOf(run, scope, source, criteria);
}

/// <summary>exists(), exists(criteria) and empty(): stop at the first item.</summary>
internal sealed class ExistsNode(PathNode source, PathNode? criteria, bool isNegated) : PathNode
{
    public override StaticTypes Infer(StaticCheck check, StaticTypes focus)
    {
        var types = source.Infer(check, focus);
        criteria?.Infer(check, types);
        return StaticTypes.Unknown;
    }

    public override void Evaluate(Evaluation run, in Scope scope, ItemList output) => output.Add(Logic(run, scope));

    public override bool? Logic(Evaluation run, in Scope scope)
    {
        run.Step();
        var any = criteria is null ? source.Any(run, scope) : AnyOf(run, scope, source, criteria);
        return any != isNegated;
    }

    public static bool AnyOf(Evaluation run, in Scope scope, PathNode source, PathNode criteria)
    {
        var input = run.Rent();
        source.Evaluate(run, scope, input);
        var found = false;
        for (var index = 0; index < input.Count && !found; index++)
        {
            found = criteria.Logic(run, scope.On(input[index], index)) == true;
        }

        run.Return(input);
        return found;
    }
}

internal sealed class NotNode(PathNode operand) : PathNode
{
    public override StaticTypes Infer(StaticCheck check, StaticTypes focus)
    {
        operand.Infer(check, focus);
        return StaticTypes.Unknown;
    }

    public override void Evaluate(Evaluation run, in Scope scope, ItemList output) => output.Add(Logic(run, scope));

    public override bool? Logic(Evaluation run, in Scope scope) => !operand.Logic(run, scope);
}
