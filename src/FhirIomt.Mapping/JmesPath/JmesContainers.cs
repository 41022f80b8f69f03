using System.Text.Json;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.JmesPath;

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
