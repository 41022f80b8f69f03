using System.Globalization;
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
        if (!member.Exists && node.RawSpan.Contains((byte)'\\'))
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

/// <summary>An array that was computed.</summary>
internal sealed class JmesList(int capacity = 4)
{
    private JmesValue[] _items = capacity == 0 ? [] : new JmesValue[capacity];

    public int Count { get; private set; }

    public ReadOnlySpan<JmesValue> Span => _items.AsSpan(0, Count);

    public void Add(JmesValue item)
    {
        if (Count == _items.Length)
        {
            Array.Resize(ref _items, Math.Max(4, Count * 2));
        }

        _items[Count++] = item;
    }

    public static JmesList Of(params ReadOnlySpan<JmesValue> items)
    {
        var list = new JmesList(items.Length);
        foreach (var item in items)
        {
            list.Add(item);
        }

        return list;
    }
}

/// <summary>An object that was computed; members keep the order in which they came.</summary>
internal sealed class JmesMembers
{
    private readonly List<string> _names = [];
    private readonly List<JmesValue> _values = [];

    public int Count => _names.Count;

    public ReadOnlySpan<string> Names => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_names);

    public ReadOnlySpan<JmesValue> Values => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_values);

    public JmesValue Find(string name)
    {
        var at = _names.IndexOf(name);
        return at < 0 ? JmesValue.Null : _values[at];
    }

    public void Set(string name, JmesValue value)
    {
        var at = _names.IndexOf(name);
        if (at >= 0)
        {
            _values[at] = value;
            return;
        }

        _names.Add(name);
        _values.Add(value);
    }
}

/// <summary>The event as a CalculatedContent template sees it: with <c>matchedToken</c>, which hides a member of that name. Only what needs all members at once makes them.</summary>
internal sealed class JmesEvent(JsonTree tree, int matched)
{
    public const string MatchedToken = "matchedToken";

    private JmesMembers? _members;
    private JmesRun? _run;

    public JsonTree Tree => tree;

    public int MatchedRow => matched;

    /// <summary>One run serves all expressions of a match, one after the other.</summary>
    public JmesRun RunFor(bool integerArithmetic)
    {
        if (_run is null || _run.IntegerArithmetic != integerArithmetic)
        {
            return _run = new JmesRun(integerArithmetic);
        }

        _run.Forget();
        return _run;
    }

    public ResourceNode Root => tree.Root;

    public JmesValue Matched => JmesValue.Of(tree.NodeAt(matched));

    public JmesMembers Members
    {
        get
        {
            if (_members is null)
            {
                _members = new JmesMembers();
                for (var items = JmesValue.Of(Root).Items; items.MoveNext();)
                {
                    if (items.Name != MatchedToken)
                    {
                        _members.Set(items.Name, items.Current);
                    }
                }

                _members.Set(MatchedToken, Matched);
            }

            return _members;
        }
    }
}

/// <summary>Walks the elements of an array or the members of an object.</summary>
internal ref struct JmesItems
{
    private readonly ReadOnlySpan<JmesValue> _values;
    private readonly ReadOnlySpan<string> _names;
    private readonly bool _inTree;
    private ResourceNode.ChildEnumerator _children;
    private int _next;

    public JmesItems(ResourceNode.ChildEnumerator children)
    {
        _children = children;
        _inTree = true;
    }

    public JmesItems(ReadOnlySpan<JmesValue> values, ReadOnlySpan<string> names)
    {
        _values = values;
        _names = names;
    }

    public readonly JmesValue Current => _inTree ? JmesValue.Of(_children.Current) : _values[_next - 1];

    /// <summary>The member's name, escapes undone; empty in an array.</summary>
    public readonly string Name => !_inTree ? (_names.IsEmpty ? "" : _names[_next - 1])
        : _children.Current.NameSpan.Contains((byte)'\\') ? JsonSerializer.Deserialize<string>([(byte)'"', .. _children.Current.NameSpan, (byte)'"'])! : _children.Current.Name;

    public readonly JmesItems GetEnumerator() => this;

    public bool MoveNext()
    {
        if (_inTree)
        {
            return _children.MoveNext();
        }

        return _next++ < _values.Length;
    }
}

/// <summary>
/// A number: exact decimal wherever it fits, because a dose of 0.1 + 0.2 is 0.3. Beyond that, and where the connector's own arithmetic is asked
/// for, a double.
/// </summary>
internal sealed class JmesNumber
{
    private readonly decimal _exact;
    private readonly double _approximate;
    private readonly bool _isExact;

    private JmesNumber(decimal exact, double approximate, bool isExact, bool isInteger)
    {
        (_exact, _approximate, _isExact, IsInteger) = (exact, approximate, isExact, isInteger);
    }

    /// <summary>Whether it is written without fraction and exponent and fits in 64 bits; the connector's functions ask.</summary>
    public bool IsInteger { get; }

    public double Approximate => _isExact ? (double)_exact : _approximate;

    public static JmesNumber Of(decimal value) => new(value, 0, isExact: true, value.Scale == 0 && value is >= long.MinValue and <= long.MaxValue);

    public static JmesNumber Of(double value) => new(0, value, isExact: false, isInteger: false);

    public static JmesNumber Parse(ReadOnlySpan<byte> digits)
    {
        if (decimal.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var exact))
        {
            return new JmesNumber(exact, 0, isExact: true, !digits.ContainsAny((byte)'.', (byte)'e', (byte)'E') && exact is >= long.MinValue and <= long.MaxValue);
        }

        return Of(double.Parse(digits, NumberStyles.Float, CultureInfo.InvariantCulture));
    }

    public bool TryExact(out decimal value)
    {
        value = _exact;
        return _isExact;
    }

    public int OrderTo(JmesNumber other) => _isExact && other._isExact ? _exact.CompareTo(other._exact) : Approximate.CompareTo(other.Approximate);

    public override string ToString() => _isExact ? _exact.ToString(CultureInfo.InvariantCulture) : _approximate.ToString("R", CultureInfo.InvariantCulture);

    public void WriteTo(Utf8JsonWriter writer)
    {
        // NaN and the infinities have no JSON; they come up only when the connector's arithmetic is asked for, and it gives them on as text.
        if (_isExact || double.IsFinite(_approximate))
        {
            writer.WriteRawValue(ToString(), skipInputValidation: true);
        }
        else
        {
            writer.WriteStringValue(ToString());
        }
    }
}
