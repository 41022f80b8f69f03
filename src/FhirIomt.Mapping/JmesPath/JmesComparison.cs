namespace FhirIomt.Mapping.JmesPath;

/// <summary>When two values are the same, and how they are sorted.</summary>
internal static class JmesComparison
{
    public static bool Same(JmesValue left, JmesValue right)
    {
        var kind = left.Kind;
        return kind == right.Kind && kind switch
        {
            JmesKind.Null => true,
            JmesKind.Boolean => left.AsBoolean() == right.AsBoolean(),
            JmesKind.Number => left.AsNumber().OrderTo(right.AsNumber()) == 0,
            JmesKind.String => SameText(left, right),
            JmesKind.Array => SameElements(left, right),
            JmesKind.Object => SameMembers(left, right),
            _ => false,
        };
    }

    /// <summary>Numbers by value, texts by code point. Both must be of one of these kinds.</summary>
    public static int Order(JmesValue left, JmesValue right) =>
        left.Kind == JmesKind.Number ? left.AsNumber().OrderTo(right.AsNumber()) : OrderTexts(left.AsString(), right.AsString());

    // UTF-16 puts characters beyond the first plane before some of its last ones; JMESPath compares code points.
    private static int OrderTexts(string left, string right)
    {
        var (a, b) = (left.EnumerateRunes().GetEnumerator(), right.EnumerateRunes().GetEnumerator());
        while (a.MoveNext())
        {
            if (!b.MoveNext())
            {
                return 1;
            }

            if (a.Current != b.Current)
            {
                return a.Current.CompareTo(b.Current);
            }
        }

        return b.MoveNext() ? -1 : 0;
    }

    private static bool SameText(JmesValue left, JmesValue right)
    {
        if (left.TryNode(out var a) && right.TryNode(out var b) && !a.Tree.HasEscapes && !b.Tree.HasEscapes)
        {
            return a.ContentSpan.SequenceEqual(b.ContentSpan);
        }

        return left.AsString() == right.AsString();
    }

    private static bool SameElements(JmesValue left, JmesValue right)
    {
        if (left.Count != right.Count)
        {
            return false;
        }

        var others = right.Items;
        foreach (var item in left.Items)
        {
            if (!others.MoveNext() || !Same(item, others.Current))
            {
                return false;
            }
        }

        return true;
    }

    private static bool SameMembers(JmesValue left, JmesValue right)
    {
        if (left.Count != right.Count)
        {
            return false;
        }

        for (var items = left.Items; items.MoveNext();)
        {
            if (!TryMember(right, items.Name, out var other) || !Same(items.Current, other))
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryMember(JmesValue members, string name, out JmesValue value)
    {
        for (var items = members.Items; items.MoveNext();)
        {
            if (items.Name == name)
            {
                value = items.Current;
                return true;
            }
        }

        value = default;
        return false;
    }
}
