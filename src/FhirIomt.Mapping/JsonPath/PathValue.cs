using System.Globalization;
using System.Text;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.JsonPath;

/// <summary>A constant of a filter, with its UTF-8 at hand.</summary>
internal sealed record PathConstant(NodeKind Kind, string Text)
{
    public byte[] Utf8 { get; } = Encoding.UTF8.GetBytes(Text);
}

/// <summary>
/// A value as filters compare it. The rules are those of the connector's JSONPath: equality never turns text into numbers ('5' is not 5), the
/// order relations do ('70' > 60), null sorts first, and what cannot be compared does not match (there it fails the message).
/// </summary>
internal readonly ref struct PathValue
{
    private readonly PathConstant? _constant;
    private readonly ResourceNode _node;

    private PathValue(PathConstant? constant, ResourceNode node)
    {
        _constant = constant;
        _node = node;
    }

    private NodeKind Kind => _constant?.Kind ?? _node.Kind;

    private bool IsContainer => Kind is NodeKind.Object or NodeKind.Array;

    private bool IsBoolean => Kind is NodeKind.True or NodeKind.False;

    public static PathValue Of(PathConstant constant) => new(constant, default);

    public static PathValue Of(ResourceNode node) => new(null, node);

    public string? AsString() => Kind != NodeKind.String ? null : _constant is not null ? _constant.Text : _node.AsString();

    public static bool Compare(PathValue left, PathOperator relation, PathValue right)
    {
        if (left.IsContainer || right.IsContainer)
        {
            return relation == PathOperator.NotEqual;
        }

        if (relation is PathOperator.Equal or PathOperator.NotEqual or PathOperator.StrictNotEqual)
        {
            return Same(left, right) == (relation == PathOperator.Equal);
        }

        return Order(left, right) is { } order && relation switch
        {
            PathOperator.Less => order < 0,
            PathOperator.LessOrEqual => order <= 0,
            PathOperator.Greater => order > 0,
            _ => order >= 0,
        };
    }

    private static bool Same(PathValue left, PathValue right)
    {
        if (left.Kind != right.Kind)
        {
            return false;
        }

        return left.Kind switch
        {
            NodeKind.String => SameText(left, right),
            NodeKind.Number => left.TryNumber(out var a) && right.TryNumber(out var b) && a == b,
            _ => true,
        };
    }

    private static bool SameText(PathValue left, PathValue right)
    {
        if (right._constant is not null)
        {
            return left._constant is not null ? left._constant.Text == right._constant.Text : left._node.TextEquals(right._constant.Utf8);
        }

        return left._constant is not null ? right._node.TextEquals(left._constant.Utf8) : left._node.AsString() == right._node.AsString();
    }

    private static int? Order(PathValue left, PathValue right)
    {
        if (left.Kind == NodeKind.Null || right.Kind == NodeKind.Null)
        {
            return (left.Kind == NodeKind.Null ? 0 : 1) - (right.Kind == NodeKind.Null ? 0 : 1);
        }

        if (left.Kind == NodeKind.String && right.Kind == NodeKind.String)
        {
            return string.CompareOrdinal(left.AsString(), right.AsString());
        }

        var leading = left.Kind == NodeKind.String ? right : left;
        if (leading.IsBoolean)
        {
            return left.TryBoolean(out var a) && right.TryBoolean(out var b) ? a.CompareTo(b) : null;
        }

        return left.TryNumber(out var x) && right.TryNumber(out var y) ? x.CompareTo(y) : null;
    }

    // Double is right here and only here: the connector compares so, and the number itself is never written from it.
    private bool TryNumber(out double number)
    {
        number = Kind == NodeKind.True ? 1 : 0;
        if (IsBoolean)
        {
            return true;
        }

        return _constant is not null
            ? double.TryParse(_constant.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out number)
            : double.TryParse(_node.ContentSpan, NumberStyles.Float, CultureInfo.InvariantCulture, out number);
    }

    private bool TryBoolean(out bool value)
    {
        value = Kind == NodeKind.True;
        if (IsBoolean)
        {
            return true;
        }

        if (Kind == NodeKind.String)
        {
            return bool.TryParse(AsString(), out value);
        }

        var isNumber = TryNumber(out var number);
        value = number != 0;
        return isNumber;
    }
}
