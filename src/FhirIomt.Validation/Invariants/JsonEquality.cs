using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Invariants;

/// <summary>Whether two JSON values say the same; the order of an object's members does not count, that of an array's entries does.</summary>
internal static class JsonEquality
{
    public static bool AreEqual(ResourceNode left, ResourceNode right)
    {
        if (!left.Exists || !right.Exists || left.Kind != right.Kind)
        {
            return false;
        }

        return left.Kind switch
        {
            NodeKind.Object => ObjectsEqual(left, right),
            NodeKind.Array => ArraysEqual(left, right),
            _ => ScalarsEqual(left, right),
        };
    }

    /// <summary>Text compares with escapes undone; a number by its digits, since FHIR keeps precision (§2.24.0.1).</summary>
    public static bool ScalarsEqual(ResourceNode left, ResourceNode right)
    {
        if (left.Kind != right.Kind)
        {
            return false;
        }

        var first = left.ContentSpan;
        var second = right.ContentSpan;
        if (left.IsString && (first.Contains((byte)'\\') || second.Contains((byte)'\\')))
        {
            return left.AsString() == right.AsString();
        }

        return first.SequenceEqual(second);
    }

    private static bool ObjectsEqual(ResourceNode left, ResourceNode right)
    {
        if (left.Count != right.Count)
        {
            return false;
        }

        foreach (var member in left.Children)
        {
            if (!AreEqual(member, right[member.NameSpan]))
            {
                return false;
            }
        }

        return true;
    }

    private static bool ArraysEqual(ResourceNode left, ResourceNode right)
    {
        if (left.Count != right.Count)
        {
            return false;
        }

        var others = right.Children;
        foreach (var item in left.Children)
        {
            others.MoveNext();
            if (!AreEqual(item, others.Current))
            {
                return false;
            }
        }

        return true;
    }
}
