using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>Makes the node of a binary operator.</summary>
internal static class Operators
{
    public static PathNode Make(string symbol, PathNode left, PathNode right) => symbol switch
    {
        "|" => new UnionNode(left, right),
        "=" => new EqualNode(left, right, isNegated: false),
        "!=" => new EqualNode(left, right, isNegated: true),
        "~" => new EquivalentNode(left, right, isNegated: false),
        "!~" => new EquivalentNode(left, right, isNegated: true),
        "<" or ">" or "<=" or ">=" => new OrderNode(symbol, left, right),
        "in" => new MembershipNode(left, right),
        "contains" => new MembershipNode(right, left),
        "and" or "or" or "xor" or "implies" => new LogicNode(symbol, left, right),
        "&" => new ConcatenateNode(left, right),
        _ => new ArithmeticNode(symbol, left, right),
    };
}

internal sealed class UnionNode(PathNode left, PathNode right) : PathNode
{
    public override StaticTypes Infer(StaticCheck check, StaticTypes focus) => left.Infer(check, focus).Or(right.Infer(check, focus));

    public override void Evaluate(Evaluation run, in Scope scope, ItemList output)
    {
        var items = run.Rent();
        left.Evaluate(run, scope, items);
        right.Evaluate(run, scope, items);
        CombiningFunctions.AddDistinct(run, items, output);
        run.Return(items);
    }

    public override bool Any(Evaluation run, in Scope scope) => left.Any(run, scope) || right.Any(run, scope);
}

internal sealed class EqualNode(PathNode left, PathNode right, bool isNegated) : PathNode
{
    public override StaticTypes Infer(StaticCheck check, StaticTypes focus)
    {
        left.Infer(check, focus);
        right.Infer(check, focus);
        return StaticTypes.Unknown;
    }

    public override void Evaluate(Evaluation run, in Scope scope, ItemList output) => output.Add(Logic(run, scope));

    public override bool? Logic(Evaluation run, in Scope scope)
    {
        run.Step();
        var one = run.Rent();
        left.Evaluate(run, scope, one);
        bool? equal = null;
        if (one.Count == 1 && right is LiteralNode { Utf8: { } utf8 } && one[0] is { IsElement: true } element && element.Node.IsString && SystemTypes.KindOf(element.Type!) == FhirPathKind.String)
        {
            equal = element.Node.TextEquals(utf8);
        }
        else if (one.Count > 0)
        {
            var other = run.Rent();
            right.Evaluate(run, scope, other);
            equal = other.Count == 0 ? null : ListsEqual(run, one, other);
            run.Return(other);
        }

        run.Return(one);
        return equal ^ isNegated;
    }

    private static bool? ListsEqual(Evaluation run, ItemList one, ItemList other)
    {
        if (one.Count != other.Count)
        {
            return false;
        }

        bool? all = true;
        for (var index = 0; index < one.Count; index++)
        {
            switch (Equality.AreEqual(run, one[index], other[index]))
            {
                case false:
                    return false;
                case null:
                    all = null;
                    break;
            }
        }

        return all;
    }
}

internal sealed class EquivalentNode(PathNode left, PathNode right, bool isNegated) : PathNode
{
    public override StaticTypes Infer(StaticCheck check, StaticTypes focus)
    {
        left.Infer(check, focus);
        right.Infer(check, focus);
        return StaticTypes.Unknown;
    }

    public override void Evaluate(Evaluation run, in Scope scope, ItemList output)
    {
        var (one, other) = (run.Rent(), run.Rent());
        left.Evaluate(run, scope, one);
        right.Evaluate(run, scope, other);
        output.Add(FhirPathItem.Boolean(Equality.SetsEquivalent(run, one, other) != isNegated));
        run.Return(one);
        run.Return(other);
    }
}

internal sealed class OrderNode(string symbol, PathNode left, PathNode right) : PathNode
{
    public override StaticTypes Infer(StaticCheck check, StaticTypes focus)
    {
        left.Infer(check, focus);
        right.Infer(check, focus);
        return StaticTypes.Unknown;
    }

    public override void Evaluate(Evaluation run, in Scope scope, ItemList output)
    {
        var one = left.Single(run, scope, symbol);
        var other = right.Single(run, scope, symbol);
        if (one.Kind != FhirPathKind.Nothing && other.Kind != FhirPathKind.Nothing && Equality.Compare(one, other) is { } order)
        {
            output.Add(FhirPathItem.Boolean(symbol switch { "<" => order < 0, ">" => order > 0, "<=" => order <= 0, _ => order >= 0 }));
        }
    }
}

internal sealed class MembershipNode(PathNode needle, PathNode haystack) : PathNode
{
    public override StaticTypes Infer(StaticCheck check, StaticTypes focus)
    {
        needle.Infer(check, focus);
        haystack.Infer(check, focus);
        return StaticTypes.Unknown;
    }

    public override void Evaluate(Evaluation run, in Scope scope, ItemList output)
    {
        var item = needle.Single(run, scope, "in or contains");
        if (item.Kind == FhirPathKind.Nothing)
        {
            return;
        }

        var items = run.Rent();
        haystack.Evaluate(run, scope, items);
        output.Add(FhirPathItem.Boolean(Equality.Contains(run, items.Span, item)));
        run.Return(items);
    }
}

/// <summary>and, or, xor, implies in three values; the right side is skipped where the left one decides (N1 §6.5).</summary>
internal sealed class LogicNode(string symbol, PathNode left, PathNode right) : PathNode
{
    public override StaticTypes Infer(StaticCheck check, StaticTypes focus)
    {
        left.Infer(check, focus);
        right.Infer(check, focus);
        return StaticTypes.Unknown;
    }

    public override void Evaluate(Evaluation run, in Scope scope, ItemList output) => output.Add(Logic(run, scope));

    public override bool? Logic(Evaluation run, in Scope scope)
    {
        run.Step();
        var one = left.Logic(run, scope);
        return symbol switch
        {
            "and" => one == false ? false : one & right.Logic(run, scope),
            "or" => one == true ? true : one | right.Logic(run, scope),
            "xor" => one ^ right.Logic(run, scope),
            _ => one == false ? true : !one | right.Logic(run, scope),
        };
    }
}

internal sealed class ConcatenateNode(PathNode left, PathNode right) : PathNode
{
    public override StaticTypes Infer(StaticCheck check, StaticTypes focus)
    {
        left.Infer(check, focus);
        right.Infer(check, focus);
        return StaticTypes.Unknown;
    }

    public override void Evaluate(Evaluation run, in Scope scope, ItemList output)
    {
        var one = Text(left.Single(run, scope, "&"));
        var other = Text(right.Single(run, scope, "&"));
        run.CheckText((long)one.Length + other.Length);
        output.Add(FhirPathItem.String(one + other));
    }

    private static string Text(in FhirPathItem item) => item.Kind == FhirPathKind.Nothing ? ""
        : item.ToSystem() is { Kind: FhirPathKind.String } text ? text.StringValue : throw FhirPathIssues.WrongType("& takes strings.");
}

internal sealed class NegateNode(PathNode operand) : PathNode
{
    public override void Evaluate(Evaluation run, in Scope scope, ItemList output)
    {
        var item = operand.Single(run, scope, "-").ToSystem();
        switch (item.Kind)
        {
            case FhirPathKind.Nothing:
                return;
            case FhirPathKind.Integer:
                output.Add(FhirPathItem.Integer(-item.IntegerValue));
                return;
            case FhirPathKind.Decimal:
                output.Add(FhirPathItem.Decimal(-item.DecimalValue));
                return;
            case FhirPathKind.Quantity:
                output.Add(FhirPathItem.Of(item.Quantity with { Value = -item.Quantity.Value }));
                return;
            default:
                throw FhirPathIssues.WrongType($"{Equality.Describe(item)} cannot be negated.");
        }
    }
}
