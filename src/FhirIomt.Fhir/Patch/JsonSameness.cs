using System.Globalization;
using System.Numerics;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Patch;

/// <summary>Equality of JSON Patch's <c>test</c> (RFC 6902 §4.6): numbers by value, objects in any order.</summary>
internal static class JsonSameness
{
    // Exponents beyond these are compared as text: expanding them would cost more than they are worth.
    private const int MaxExponent = 10_000;

    public static bool AreSame(ResourceNode one, ResourceNode other)
    {
        if (one.Kind != other.Kind || one.Count != other.Count)
        {
            return false;
        }

        return one.Kind switch
        {
            NodeKind.Object => AreSameObjects(one, other),
            NodeKind.Array => AreSameArrays(one, other),
            NodeKind.String => one.AsString() == other.AsString(),
            NodeKind.Number => one.RawSpan.SequenceEqual(other.RawSpan) || Value(one) == Value(other),
            _ => true,
        };
    }

    private static bool AreSameObjects(ResourceNode one, ResourceNode other)
    {
        var members = new Dictionary<string, ResourceNode>(other.Count, StringComparer.Ordinal);
        foreach (var child in other.Children)
        {
            members[NameOf(child)] = child;
        }

        foreach (var child in one.Children)
        {
            if (!members.TryGetValue(NameOf(child), out var same) || !AreSame(child, same))
            {
                return false;
            }
        }

        return true;
    }

    private static bool AreSameArrays(ResourceNode one, ResourceNode other)
    {
        var others = other.Children;
        foreach (var child in one.Children)
        {
            if (!others.MoveNext() || !AreSame(child, others.Current))
            {
                return false;
            }
        }

        return true;
    }

    private static string NameOf(ResourceNode node) => node.NameSpan.Contains((byte)'\\') ? JsonTree.Unescape(node.NameSpan) : node.Name;

    // Digits without zeros at either end, and the power of ten of the last one; the text itself where that cannot be told.
    private static (string Digits, BigInteger Exponent) Value(ResourceNode number)
    {
        var text = number.AsText()!;
        var e = text.IndexOfAny(['e', 'E']);
        var exponent = e < 0 ? BigInteger.Zero : BigInteger.Parse(text.AsSpan(e + 1, Math.Min(text.Length - e - 1, MaxExponent)), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var mantissa = e < 0 ? text : text[..e];
        var sign = mantissa[0] == '-' ? "-" : "";
        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        exponent -= point < 0 ? 0 : mantissa.Length - point - 1;
        var digits = mantissa.TrimStart('-').Replace(".", "", StringComparison.Ordinal).TrimStart('0');
        var trimmed = digits.TrimEnd('0');
        return trimmed.Length == 0 ? ("0", 0) : (sign + trimmed, exponent + digits.Length - trimmed.Length);
    }
}
