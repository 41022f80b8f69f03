using System.Text.Json;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.JmesPath;

/// <summary>The JMESPath types.</summary>
internal enum JmesKind
{
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,

    /// <summary><c>&amp;expression</c>, only as an argument.</summary>
    Expression,
}

/// <summary>
/// A JMESPath value: a row of a parsed document, or something that was computed. Walking a document allocates nothing; what functions make is
/// held as text, number, array or object.
/// </summary>
internal readonly struct JmesValue
{
    private readonly object? _held;

    // The row of a document; for computed values their kind.
    private readonly int _row;

    private JmesValue(object? held, int row)
    {
        _held = held;
        _row = row;
    }

    /// <summary>JSON null; also the default value.</summary>
    public static JmesValue Null => default;

    public static JmesValue True { get; } = new(JmesBoolean.True, (int)JmesKind.Boolean);

    public static JmesValue False { get; } = new(JmesBoolean.False, (int)JmesKind.Boolean);

    public JmesKind Kind => _held switch
    {
        null => JmesKind.Null,
        JsonTree tree => KindOf(tree.NodeAt(_row).Kind),
        _ => (JmesKind)_row,
    };

    public bool IsNull => _held is null || (_held is JsonTree tree && tree.NodeAt(_row).Kind == NodeKind.Null);

    /// <summary>False are null, false and whatever is empty; every number is true.</summary>
    public bool IsTruthy => Kind switch
    {
        JmesKind.Null => false,
        JmesKind.Boolean => AsBoolean(),
        JmesKind.String => _held is JsonTree tree ? tree.NodeAt(_row).Length > 2 : ((string)_held!).Length > 0,
        JmesKind.Array or JmesKind.Object => Count > 0,
        _ => true,
    };

    public static JmesValue Of(bool value) => value ? True : False;

    public static JmesValue Of(ResourceNode node) => new(node.Tree, node.Index);

    public static JmesValue Of(string text) => new(text, (int)JmesKind.String);

    public static JmesValue Of(JmesNumber number) => new(number, (int)JmesKind.Number);

    public static JmesValue Of(JmesList list) => new(list, (int)JmesKind.Array);

    public static JmesValue Of(JmesMembers members) => new(members, (int)JmesKind.Object);

    public static JmesValue Of(JmesNode expression) => new(expression, (int)JmesKind.Expression);

    /// <summary>The event with one more member, <c>matchedToken</c>.</summary>
    public static JmesValue Of(JmesEvent joined) => new(joined, (int)JmesKind.Object);

    /// <summary>The place in the document, when this is one.</summary>
    public bool TryNode(out ResourceNode node)
    {
        node = _held is JsonTree tree ? tree.NodeAt(_row) : default;
        return node.Exists;
    }

    public JmesNode AsExpression() => (JmesNode)_held!;

    public bool AsBoolean() => _held is JsonTree tree ? tree.NodeAt(_row).Kind == NodeKind.True : ReferenceEquals(_held, JmesBoolean.True);

    public string AsString() => _held is JsonTree tree ? tree.NodeAt(_row).AsString()! : (string)_held!;

    public JmesNumber AsNumber() => _held is JsonTree tree ? JmesNumber.Parse(tree.NodeAt(_row).RawSpan) : (JmesNumber)_held!;

    /// <summary>Elements of an array or members of an object.</summary>
    public int Count => _held switch
    {
        JsonTree tree => tree.NodeAt(_row).Count,
        JmesList list => list.Count,
        JmesMembers members => members.Count,
        JmesEvent joined => joined.Members.Count,
        _ => 0,
    };

    /// <summary>Elements of an array or values of an object, in order.</summary>
    public JmesItems Items => _held switch
    {
        JsonTree tree => new JmesItems(tree.NodeAt(_row).Children),
        JmesList list => new JmesItems(list.Span, default),
        JmesMembers members => new JmesItems(members.Values, members.Names),
        JmesEvent joined => new JmesItems(joined.Members.Values, joined.Members.Names),
        _ => default,
    };

    /// <summary>The member of that name, or null.</summary>
    public JmesValue Member(JmesName name)
    {
        switch (_held)
        {
            case JsonTree tree:
                var node = tree.NodeAt(_row);
                return node.Kind == NodeKind.Object ? MemberOf(node, name) : Null;
            case JmesEvent joined:
                return name.Text == JmesEvent.MatchedToken ? joined.Matched : MemberOf(joined.Root, name);
            case JmesMembers members:
                return members.Find(name.Text);
            default:
                return Null;
        }
    }

    /// <summary>The element at an index counted from 0, or from the end when negative; null outside.</summary>
    public JmesValue At(int index)
    {
        if (Kind != JmesKind.Array)
        {
            return Null;
        }

        var count = Count;
        index = index < 0 ? index + count : index;
        if (index < 0 || index >= count)
        {
            return Null;
        }

        foreach (var item in Items)
        {
            if (index-- == 0)
            {
                return item;
            }
        }

        return Null;
    }

    public void WriteTo(Utf8JsonWriter writer)
    {
        switch (Kind)
        {
            case JmesKind.Boolean:
                writer.WriteBooleanValue(AsBoolean());
                break;
            case JmesKind.Number:
                AsNumber().WriteTo(writer);
                break;
            case JmesKind.String:
                writer.WriteStringValue(AsString());
                break;
            case JmesKind.Array:
                writer.WriteStartArray();
                foreach (var item in Items)
                {
                    item.WriteTo(writer);
                }

                writer.WriteEndArray();
                break;
            case JmesKind.Object:
                writer.WriteStartObject();
                for (var items = Items; items.MoveNext();)
                {
                    writer.WritePropertyName(items.Name);
                    items.Current.WriteTo(writer);
                }

                writer.WriteEndObject();
                break;
            default:
                writer.WriteNullValue();
                break;
        }
    }

    private static JmesValue MemberOf(ResourceNode node, JmesName name)
    {
        var member = node[name.Utf8];
        if (!member.Exists && node.Tree.HasEscapes)
        {
            foreach (var child in node.Children)
            {
                if (JsonPath.PathScope.NameIs(child.NameSpan, name.Utf8))
                {
                    return Of(child);
                }
            }
        }

        return member.Exists ? Of(member) : Null;
    }

    private static JmesKind KindOf(NodeKind kind) => kind switch
    {
        NodeKind.Object => JmesKind.Object,
        NodeKind.Array => JmesKind.Array,
        NodeKind.String => JmesKind.String,
        NodeKind.Number => JmesKind.Number,
        NodeKind.True or NodeKind.False => JmesKind.Boolean,
        _ => JmesKind.Null,
    };

    private sealed class JmesBoolean
    {
        public static readonly JmesBoolean True = new();
        public static readonly JmesBoolean False = new();
    }
}

/// <summary>A member name, as text and as it stands in most documents.</summary>
internal sealed record JmesName(string Text)
{
    public byte[] Utf8 { get; } = System.Text.Encoding.UTF8.GetBytes(Text);
}
