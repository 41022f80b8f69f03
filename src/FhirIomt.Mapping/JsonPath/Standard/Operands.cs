using FhirIomt.Mapping.JmesPath;
using FhirIomt.Mapping.Running;

namespace FhirIomt.Mapping.JsonPath.Standard;

/// <summary>The types of RFC 9535 §2.4.1.</summary>
internal enum OperandType
{
    Value,
    Logical,
    Nodes,
}

/// <summary>A literal, a query or a function call inside a filter.</summary>
internal abstract class Operand
{
    public abstract OperandType Type { get; }

    /// <summary>Whether it may stand in a comparison, or where a value is asked for.</summary>
    public abstract bool IsValue { get; }

    public virtual IEnumerable<string[]> RequiredNames => [];

    /// <summary>Its value; null is "Nothing", which JSON null is not.</summary>
    public abstract JmesValue? ValueAt(in PathScope scope, int row);
}

internal sealed class LiteralOperand(JmesValue value) : Operand
{
    public override OperandType Type => OperandType.Value;

    public override bool IsValue => true;

    public string? Text => value.Kind == JmesKind.String ? value.AsString() : null;

    public override JmesValue? ValueAt(in PathScope scope, int row) => value;
}

/// <summary><c>@…</c> or <c>$…</c></summary>
internal sealed class QueryOperand(PathOperand query, bool isSingular) : Operand
{
    public PathOperand Query => query;

    public override OperandType Type => OperandType.Nodes;

    public override bool IsValue => isSingular;

    public override IEnumerable<string[]> RequiredNames => query.RequiredNames;

    public override JmesValue? ValueAt(in PathScope scope, int row)
    {
        var found = new RowBuffer(stackalloc int[2], limit: 2);
        query.Select(scope, row, ref found);
        return found.Count == 1 ? JmesValue.Of(scope.NodeAt(found[0])) : null;
    }

    public int CountAt(in PathScope scope, int row)
    {
        var found = new RowBuffer(stackalloc int[16], int.MaxValue);
        var count = query.Select(scope, row, ref found);
        found.Dispose();
        return count;
    }
}

/// <summary>length(value): characters of a text, elements of an array, members of an object.</summary>
internal sealed class LengthOperand(Operand argument) : Operand
{
    public override OperandType Type => OperandType.Value;

    public override bool IsValue => true;

    public override JmesValue? ValueAt(in PathScope scope, int row) => argument.ValueAt(scope, row) is not { } value ? null : value.Kind switch
    {
        JmesKind.String => JmesValue.Of(JmesNumber.Of((decimal)value.AsString().EnumerateRunes().Count())),
        JmesKind.Array or JmesKind.Object => JmesValue.Of(JmesNumber.Of((decimal)value.Count)),
        _ => null,
    };
}

/// <summary>count(nodes)</summary>
internal sealed class CountOperand(QueryOperand argument) : Operand
{
    public override OperandType Type => OperandType.Value;

    public override bool IsValue => true;

    public override JmesValue? ValueAt(in PathScope scope, int row) => JmesValue.Of(JmesNumber.Of((decimal)argument.CountAt(scope, row)));
}

/// <summary>value(nodes): the value of the only node.</summary>
internal sealed class ValueOperand(QueryOperand argument) : Operand
{
    public override OperandType Type => OperandType.Value;

    public override bool IsValue => true;

    public override JmesValue? ValueAt(in PathScope scope, int row) => argument.ValueAt(scope, row);
}

/// <summary>match(text, pattern) and search(text, pattern).</summary>
internal sealed class RegexOperand(Operand text, Operand pattern, bool isWhole) : Operand
{
    // A constant pattern is compiled with the path; one from the document each time it changes.
    private readonly InternetRegex? _constant = (pattern as LiteralOperand)?.Text is { } known ? InternetRegex.Parse(known, isWhole) : null;
    private readonly KnownMatches _known = new();

    public override OperandType Type => OperandType.Logical;

    public override bool IsValue => false;

    public override JmesValue? ValueAt(in PathScope scope, int row) => JmesValue.Of(HoldsAt(scope, row));

    public bool HoldsAt(in PathScope scope, int row)
    {
        if (text.ValueAt(scope, row) is not { Kind: JmesKind.String } value)
        {
            return false;
        }

        if (pattern is LiteralOperand)
        {
            return _constant is not null && (value.TryNode(out var node) ? _known.IsMatch(_constant, node) : _constant.IsMatch(value.AsString()));
        }

        return pattern.ValueAt(scope, row) is { Kind: JmesKind.String } dynamic && InternetRegex.Parse(dynamic.AsString(), isWhole) is { } regex && regex.IsMatch(value.AsString());
    }
}

/// <summary>A function call that is true or false.</summary>
internal sealed class LogicalPredicate(RegexOperand operand) : PathPredicate
{
    public override IEnumerable<string[]> RequiredNames => [];

    public override bool Holds(in PathScope scope, int row) => operand.HoldsAt(scope, row);
}

internal sealed class NotPredicate(PathPredicate inner) : PathPredicate
{
    public override IEnumerable<string[]> RequiredNames => [];

    public override bool Holds(in PathScope scope, int row) => !inner.Holds(scope, row);
}

/// <summary>A comparison of RFC 9535 §2.3.5.2.2: Nothing equals Nothing, arrays and objects are compared deeply, order is between numbers or between texts.</summary>
internal sealed class StandardComparison(Operand left, PathOperator relation, Operand right) : PathPredicate
{
    public override IEnumerable<string[]> RequiredNames => relation switch
    {
        PathOperator.NotEqual => [],
        PathOperator.Equal when (left as LiteralOperand ?? right as LiteralOperand)?.Text is { } text && (left as QueryOperand ?? right as QueryOperand) is { } query =>
            [.. query.RequiredNames, [TemplateIndex.Text(text)]],
        PathOperator.Equal or PathOperator.LessOrEqual or PathOperator.GreaterOrEqual =>
            left is LiteralOperand ? right.RequiredNames : right is LiteralOperand ? left.RequiredNames : [],
        _ => left.RequiredNames.Concat(right.RequiredNames),
    };

    public override bool Holds(in PathScope scope, int row)
    {
        var (a, b) = (left.ValueAt(scope, row), right.ValueAt(scope, row));
        return relation switch
        {
            PathOperator.Equal => Same(a, b),
            PathOperator.NotEqual => !Same(a, b),
            PathOperator.Less => Less(a, b),
            PathOperator.Greater => Less(b, a),
            PathOperator.LessOrEqual => Less(a, b) || Same(a, b),
            _ => Less(b, a) || Same(a, b),
        };
    }

    private static bool Same(JmesValue? left, JmesValue? right) => left is { } a ? right is { } b && JmesComparison.Same(a, b) : right is null;

    private static bool Less(JmesValue? left, JmesValue? right) =>
        left is { Kind: JmesKind.Number or JmesKind.String } a && right is { } b && a.Kind == b.Kind && JmesComparison.Order(a, b) < 0;
}
