using System.Text;
using System.Text.Json;

namespace FhirIomt.Fhir.Json;

/// <summary>What a JSON value is.</summary>
public enum NodeKind : byte
{
    Object,
    Array,
    String,
    Number,
    True,
    False,
    Null,
}

/// <summary>
/// A place in a <see cref="JsonTree"/>: 16 bytes on the stack, no allocation to walk. The default value is "nothing here"
/// (<see cref="Exists"/> is false) and every read of it answers empty, so that paths can be followed without checks.
/// </summary>
public readonly struct ResourceNode : IEquatable<ResourceNode>
{
    private readonly JsonTree? _tree;
    private readonly int _index;

    internal ResourceNode(JsonTree tree, int index)
    {
        _tree = tree;
        _index = index;
    }

    public bool Exists => _tree is not null;

    /// <summary>The tree this node belongs to; asking a node that does not exist is a bug.</summary>
    public JsonTree Tree => _tree ?? throw new InvalidOperationException("There is no node here.");

    /// <summary>Row of this node in its tree, in document order; a parent comes before its children.</summary>
    public int Index => _index;

    public NodeKind Kind => Row.Kind;

    public bool IsObject => Exists && Kind == NodeKind.Object;

    public bool IsArray => Exists && Kind == NodeKind.Array;

    public bool IsString => Exists && Kind == NodeKind.String;

    /// <summary>Members of an object or elements of an array; 0 for anything else.</summary>
    public int Count => Exists && Kind <= NodeKind.Array ? Row.Count : 0;

    /// <summary>Offset of the value's first byte (an opening quote or bracket included).</summary>
    public int Start => Row.Start;

    /// <summary>Length of the value in bytes, quotes and brackets included.</summary>
    public int Length => Row.Length;

    /// <summary>The bytes of the value as they came in, quotes and brackets included.</summary>
    public ReadOnlySpan<byte> RawSpan => Exists ? Tree.Span.Slice(Row.Start, Row.Length) : default;

    /// <summary>As <see cref="RawSpan"/>, to keep.</summary>
    public ReadOnlyMemory<byte> Raw => Exists ? Tree.Utf8.Slice(Row.Start, Row.Length) : default;

    /// <summary>The bytes between the quotes of a string, escapes not undone; for other values as <see cref="RawSpan"/>.</summary>
    public ReadOnlySpan<byte> ContentSpan => !Exists ? default : Kind == NodeKind.String ? RawSpan[1..^1] : RawSpan;

    /// <summary>The bytes of the member name, escapes not undone; empty for array elements and the root.</summary>
    public ReadOnlySpan<byte> NameSpan => _tree is null ? default : _tree.NameOf(_index);

    public string Name => Encoding.UTF8.GetString(NameSpan);

    /// <summary>Line and column of the value in the text that came in (JSON or XML), for refusals.</summary>
    public Core.TextPosition Position => Tree.PositionOf(_index);

    /// <summary>The member of that name (given without escapes), or nothing.</summary>
    public ResourceNode this[ReadOnlySpan<byte> name]
    {
        get
        {
            if (!IsObject)
            {
                return default;
            }

            // On the rows, lengths first: every check looks members up.
            var rows = _tree!.Rows;
            var text = _tree.Span;
            var next = _index + 1;
            for (var left = rows[_index].Count; left > 0; left--)
            {
                ref readonly var row = ref rows[next];
                if (row.NameLength == name.Length && text.Slice(row.NameStart, name.Length).SequenceEqual(name))
                {
                    return new ResourceNode(_tree, next);
                }

                next = row.After;
            }

            return default;
        }
    }

    /// <summary>The first element of an array, the node itself for a single value, or nothing.</summary>
    public ResourceNode First()
    {
        if (!IsArray)
        {
            return this;
        }

        foreach (var child in Children)
        {
            return child;
        }

        return default;
    }

    /// <summary>Members or elements, in document order.</summary>
    public ChildEnumerator Children => new(this);

    /// <summary>The elements of an array, or the node itself once when it is a single value: FHIR's "0..*" read without asking which.</summary>
    public ItemEnumerator Items => new(this);

    /// <summary>The text of a string with escapes undone, or null for anything else.</summary>
    public string? AsString()
    {
        if (!IsString)
        {
            return null;
        }

        var content = ContentSpan;
        return content.Contains((byte)'\\') ? JsonTree.Unescape(content) : Encoding.UTF8.GetString(content);
    }

    /// <summary>As <see cref="AsString"/>, for what many resources say alike: a system, a code, a unit, a display.</summary>
    public string? AsCommonString()
    {
        if (!IsString)
        {
            return null;
        }

        var content = ContentSpan;
        return Tree.HasEscapes && content.Contains((byte)'\\') ? JsonTree.Unescape(content) : CommonTexts.Of(content);
    }

    /// <summary>Whether this is a string with exactly this text.</summary>
    public bool TextEquals(ReadOnlySpan<byte> utf8)
    {
        if (!IsString)
        {
            return false;
        }

        var content = ContentSpan;
        return content.Contains((byte)'\\') ? Encoding.UTF8.GetBytes(JsonTree.Unescape(content)).AsSpan().SequenceEqual(utf8) : content.SequenceEqual(utf8);
    }

    /// <summary>The text of any primitive as FHIR writes it: a string's text, a number's digits as they came in, true or false; null otherwise.</summary>
    public string? AsText() => !Exists ? null : Kind switch
    {
        NodeKind.String => AsString(),
        NodeKind.Number or NodeKind.True or NodeKind.False => Encoding.ASCII.GetString(RawSpan),
        _ => null,
    };

    /// <summary>Writes the value as it came in.</summary>
    public void WriteTo(Utf8JsonWriter writer) => writer.WriteRawValue(RawSpan, skipInputValidation: true);

    public bool Equals(ResourceNode other) => ReferenceEquals(_tree, other._tree) && _index == other._index;

    public override bool Equals(object? obj) => obj is ResourceNode other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(_tree, _index);

    public static bool operator ==(ResourceNode left, ResourceNode right) => left.Equals(right);

    public static bool operator !=(ResourceNode left, ResourceNode right) => !left.Equals(right);

    public override string ToString() => Encoding.UTF8.GetString(RawSpan);

    private ref readonly JsonRow Row => ref Tree.Rows[_index];

    /// <summary>Walks the direct children.</summary>
    public ref struct ChildEnumerator
    {
        private readonly JsonTree? _tree;
        private int _next;
        private int _left;
        private int _current;

        internal ChildEnumerator(ResourceNode parent)
        {
            _tree = parent._tree;
            _next = parent._index + 1;
            _left = parent.Count;
            _current = -1;
        }

        public readonly ResourceNode Current => new(_tree!, _current);

        public readonly ChildEnumerator GetEnumerator() => this;

        public bool MoveNext()
        {
            if (_left == 0)
            {
                return false;
            }

            _left--;
            _current = _next;
            _next = _tree!.Rows[_current].After;
            return true;
        }
    }

    /// <summary>Walks array elements, or the one value.</summary>
    public ref struct ItemEnumerator
    {
        private ChildEnumerator _children;
        private readonly ResourceNode _single;
        private bool _singleLeft;
        private readonly bool _isArray;

        internal ItemEnumerator(ResourceNode node)
        {
            _isArray = node.IsArray;
            _children = _isArray ? node.Children : default;
            _single = node;
            _singleLeft = !_isArray && node.Exists;
        }

        public readonly ResourceNode Current => _isArray ? _children.Current : _single;

        public readonly ItemEnumerator GetEnumerator() => this;

        public bool MoveNext()
        {
            if (_isArray)
            {
                return _children.MoveNext();
            }

            var moved = _singleLeft;
            _singleLeft = false;
            return moved;
        }
    }
}
