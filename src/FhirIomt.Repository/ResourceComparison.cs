using FhirIomt.Fhir.Json;

namespace FhirIomt.Repository;

/// <summary>Whether two resources say the same. Number texts count: <c>72.0</c> is not <c>72</c>. The order of members does not.</summary>
internal static class ResourceComparison
{
    /// <summary>Apart from what the server sets on each version.</summary>
    public static bool SameButForVersion(ResourceNode left, ResourceNode right) =>
        SameMembers(left, right, static name => name.SequenceEqual("meta"u8))
        && SameMembers(left["meta"u8], right["meta"u8], static name => name.SequenceEqual("versionId"u8) || name.SequenceEqual("lastUpdated"u8));

    /// <summary>Apart from id and meta: what a client sends has neither as the server keeps it.</summary>
    public static bool SameContent(ResourceNode left, ResourceNode right) => SameMembers(left, right, static name => name.SequenceEqual("meta"u8) || name.SequenceEqual("id"u8));

    /// <summary>Apart from when it was taken in and whether it was amended: the same reading sent again.</summary>
    public static bool SameReading(ResourceNode left, ResourceNode right) =>
        SameMembers(left, right, static name => name.SequenceEqual("meta"u8) || name.SequenceEqual("id"u8) || name.SequenceEqual("issued"u8) || name.SequenceEqual("status"u8));

    /// <summary>Whether two elements say the same, and both are there.</summary>
    public static bool Same(ResourceNode left, ResourceNode right)
    {
        if (!left.Exists || !right.Exists || left.Kind != right.Kind || left.Count != right.Count)
        {
            return false;
        }

        return left.Kind switch
        {
            NodeKind.Object => SameMembers(left, right, static _ => false),
            NodeKind.Array => SameElements(left, right),
            NodeKind.String => left.ContentSpan.SequenceEqual(right.ContentSpan) || left.AsString() == right.AsString(),
            _ => left.RawSpan.SequenceEqual(right.RawSpan),
        };
    }

    /// <summary>Whether the members that make up an element are the same.</summary>
    public static bool SameElement(ResourceNode left, ResourceNode right, Predicate<string> belongs) =>
        SameMembers(left, right, name => !belongs(System.Text.Encoding.UTF8.GetString(name)));

    private delegate bool NameTest(ReadOnlySpan<byte> name);

    private static bool SameMembers(ResourceNode left, ResourceNode right, NameTest isIgnored)
    {
        foreach (var member in left.Children)
        {
            if (!isIgnored(member.NameSpan) && !Same(member, right[member.NameSpan]))
            {
                return false;
            }
        }

        foreach (var member in right.Children)
        {
            if (!isIgnored(member.NameSpan) && !left[member.NameSpan].Exists)
            {
                return false;
            }
        }

        return true;
    }

    private static bool SameElements(ResourceNode left, ResourceNode right)
    {
        var other = right.Children;
        foreach (var element in left.Children)
        {
            if (!other.MoveNext() || !Same(element, other.Current))
            {
                return false;
            }
        }

        return true;
    }
}
