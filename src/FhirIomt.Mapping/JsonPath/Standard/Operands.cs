using System.Text;
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
    private readonly MemberPath? _members = MemberPath.Of(query);

    public PathOperand Query => query;

    /// <summary>The member of the tested row that it is, where it is one.</summary>
    public string? Member => _members?.Only;

    public override OperandType Type => OperandType.Nodes;

    public override bool IsValue => isSingular;

    public override IEnumerable<string[]> RequiredNames => query.RequiredNames;

    public override JmesValue? ValueAt(in PathScope scope, int row)
    {
        if (_members is not null)
        {
            return _members.TryFind(scope, row, out var only) ? JmesValue.Of(scope.NodeAt(only)) : null;
        }

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
    private readonly KnownAnswers<bool> _known = new();

    public override OperandType Type => OperandType.Logical;

    public override bool IsValue => false;

    public override JmesValue? ValueAt(in PathScope scope, int row) => JmesValue.Of(HoldsAt(scope, row));

    /// <summary>The member whose text alone decides, where there is one.</summary>
    public string? Member => _constant is not null ? (text as QueryOperand)?.Member : null;

    /// <summary>Whether the pattern, a constant, is met by this text.</summary>
    public bool IsMatch(string? found) => found is not null && _constant!.IsMatch(found);

    public bool HoldsAt(in PathScope scope, int row)
    {
        if (text.ValueAt(scope, row) is not { Kind: JmesKind.String } value)
        {
            return false;
        }

        if (pattern is LiteralOperand)
        {
            return _constant is not null && (value.TryNode(out var node) ? _known.Of(node, _constant, static (regex, known) => regex.IsMatch(known)) : _constant.IsMatch(value.AsString()));
        }

        return pattern.ValueAt(scope, row) is { Kind: JmesKind.String } dynamic && InternetRegex.Parse(dynamic.AsString(), isWhole) is { } regex && regex.IsMatch(value.AsString());
    }
}

/// <summary>A function call that is true or false.</summary>
internal sealed class LogicalPredicate(RegexOperand operand) : PathPredicate
{
    public override IEnumerable<string> TextNames => operand.Member is { } member ? [member] : [];

    public override bool? HoldsFor(string name, string? text) => operand.Member == name ? operand.IsMatch(text) : null;

    public override IEnumerable<string[]> RequiredNames => [];

    public override bool Holds(in PathScope scope, int row) => operand.HoldsAt(scope, row);
}

internal sealed class NotPredicate(PathPredicate inner) : PathPredicate
{
    public override IEnumerable<string> TextNames => inner.TextNames;

    public override bool? HoldsFor(string name, string? text) => !inner.HoldsFor(name, text);

    public override IEnumerable<string[]> RequiredNames => [];

    public override bool Holds(in PathScope scope, int row) => !inner.Holds(scope, row);
}

/// <summary>A comparison of RFC 9535 §2.3.5.2.2: Nothing equals Nothing, arrays and objects are compared deeply, order is between numbers or between texts.</summary>
internal sealed class StandardComparison(Operand left, PathOperator relation, Operand right) : PathPredicate
{
    // A text from the document is compared with a constant one byte by byte, and no string is made of either.
    private readonly byte[]? _constant = (left as LiteralOperand ?? right as LiteralOperand)?.Text is { } text ? Encoding.UTF8.GetBytes(text) : null;

    private string? Constant => (left as LiteralOperand ?? right as LiteralOperand)?.Text;

    private string? Member => Constant is not null && relation is PathOperator.Equal or PathOperator.NotEqual ? (left as QueryOperand ?? right as QueryOperand)?.Member : null;

    public override IEnumerable<string> TextNames => Member is { } member ? [member] : [];

    public override bool? HoldsFor(string name, string? found) => Member == name ? found == Constant == (relation == PathOperator.Equal) : null;

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
        if (_constant is not null && relation is PathOperator.Equal or PathOperator.NotEqual && (left is LiteralOperand ? b : a) is { } compared && compared.TryNode(out var node))
        {
            return node.TextEquals(_constant) == (relation == PathOperator.Equal);
        }

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
