using System.Text.Json;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.JsonPath;

/// <summary>
/// The document that paths run on: rows of a parsed text, and where <c>$</c> stands. A CalculatedContent template sees the event with one more
/// root member, <c>matchedToken</c>; that root is the pseudo row <see cref="EventWithMatch"/>, so nothing is copied.
/// </summary>
internal readonly ref struct PathScope
{
    /// <summary>The event's root as seen with the member <c>matchedToken</c>.</summary>
    public const int EventWithMatch = -1;

    private readonly JsonTree _tree;
    private readonly int _matched;

    private PathScope(JsonTree tree, int root, int matched, JmesPath.JmesEvent? joined = null)
    {
        _tree = tree;
        Root = root;
        _matched = matched;
        Event = joined;
    }

    /// <summary>What JMESPath expressions on the event with a match share; null where there are none.</summary>
    public JmesPath.JmesEvent? Event { get; }

    /// <summary>Where <c>$</c> stands.</summary>
    public int Root { get; }

    public JsonTree Tree => _tree;

    /// <summary>The row that <c>matchedToken</c> names, where <see cref="Root"/> is <see cref="EventWithMatch"/>.</summary>
    public int Matched => _matched;

    /// <summary>Paths run on this row itself.</summary>
    public static PathScope At(JsonTree tree, int row) => new(tree, row, -1);

    /// <summary>Paths run on the whole event, in which <c>matchedToken</c> is this row.</summary>
    public static PathScope WithMatch(JsonTree tree, int matched) => new(tree, EventWithMatch, matched);

    /// <summary>The same for templates with JMESPath expressions.</summary>
    public static PathScope WithMatch(JmesPath.JmesEvent joined) => new(joined.Tree, EventWithMatch, joined.MatchedRow, joined);

    public ResourceNode NodeAt(int row) => _tree.NodeAt(row == EventWithMatch ? 0 : row);

    /// <summary>The member of that name, or false.</summary>
    public bool TryMember(int row, ReadOnlySpan<byte> name, out int member)
    {
        if (row == EventWithMatch && IsMatchedToken(name))
        {
            member = _matched;
            return true;
        }

        var node = NodeAt(row);
        var found = node[name];
        if (!found.Exists && node.IsObject && node.Tree.HasEscapes)
        {
            found = EscapedMember(node, name);
        }

        member = found.Exists ? found.Index : 0;
        return found.Exists;
    }

    private static ResourceNode EscapedMember(ResourceNode node, ReadOnlySpan<byte> name)
    {
        foreach (var child in node.Children)
        {
            if (NameIs(child.NameSpan, name))
            {
                return child;
            }
        }

        return default;
    }

    public Children ChildrenOf(int row) => new(NodeAt(row).Children, row == EventWithMatch ? _matched : -1);

    /// <summary>Whether a member name as it stands in the text (escapes not undone) is this name.</summary>
    public static bool NameIs(ReadOnlySpan<byte> raw, ReadOnlySpan<byte> name) =>
        raw.SequenceEqual(name) || (raw.Length > name.Length && raw.Contains((byte)'\\') && EscapedNameIs(raw, name));

    private static bool EscapedNameIs(ReadOnlySpan<byte> raw, ReadOnlySpan<byte> name)
    {
        var quoted = new byte[raw.Length + 2];
        quoted[0] = quoted[^1] = (byte)'"';
        raw.CopyTo(quoted.AsSpan(1));
        var reader = new Utf8JsonReader(quoted);
        return reader.Read() && reader.ValueTextEquals(name);
    }

    private static bool IsMatchedToken(ReadOnlySpan<byte> name) => name.SequenceEqual("matchedToken"u8);

    /// <summary>Walks members or elements; on the event with a match, <c>matchedToken</c> comes last and hides a member of that name.</summary>
    public ref struct Children(ResourceNode.ChildEnumerator inner, int matched)
    {
        private ResourceNode.ChildEnumerator _inner = inner;
        private int _matched = matched;

        public int Current { get; private set; }

        public ReadOnlySpan<byte> Name { get; private set; }

        public readonly Children GetEnumerator() => this;

        public bool MoveNext()
        {
            while (_inner.MoveNext())
            {
                Name = _inner.Current.NameSpan;
                Current = _inner.Current.Index;
                if (_matched < 0 || !NameIs(Name, "matchedToken"u8))
                {
                    return true;
                }
            }

            if (_matched < 0)
            {
                return false;
            }

            Name = "matchedToken"u8;
            Current = _matched;
            _matched = -1;
            return true;
        }
    }
}
