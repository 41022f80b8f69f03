using System.Globalization;
using System.Numerics;
using System.Xml.Linq;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Tests;

/// <summary>
/// The first difference of two documents, or null: numbers by their digits as written, members in any order. With a list of what to ignore the sources
/// themselves are compared, of which one went through programs that drop zeros and write XHTML in their own way: numbers by value, XHTML by content.
/// </summary>
internal static class Difference
{
    private static readonly XNamespace Xhtml = "http://www.w3.org/1999/xhtml";

    public static string? Of(ResourceNode left, ResourceNode right, Func<string, bool>? ignores = null, string path = "")
    {
        if (ignores is not null && left is { Exists: true, Kind: NodeKind.Number } && right is { Exists: true, Kind: NodeKind.Number })
        {
            return Value(left) == Value(right) ? null : $"{path}: {left} and {right}";
        }

        if (ignores is not null && path.EndsWith(".div", StringComparison.Ordinal) && left.IsString && right.IsString && left.AsString() != right.AsString())
        {
            var (one, other) = (XElement.Parse(left.AsString()!), XElement.Parse(right.AsString()!));
            return XNode.DeepEquals(Plain(one), Plain(other)) ? null : $"{path}: other XHTML";
        }

        if (left.Exists != right.Exists || (left.Exists && left.Kind != right.Kind))
        {
            return $"{path}: {Show(left)} and {Show(right)}";
        }

        return left.Kind switch
        {
            NodeKind.Object => OfMembers(left, right, ignores, path),
            NodeKind.Array => OfElements(left, right, ignores, path),
            NodeKind.String => left.AsString() == right.AsString() ? null : $"{path}: {Show(left)} and {Show(right)}",
            _ => left.RawSpan.SequenceEqual(right.RawSpan) ? null : $"{path}: {Show(left)} and {Show(right)}",
        };
    }

    /// <summary>White space between elements, comments and namespace declarations do not count; inside XHTML everything does.</summary>
    public static string? Of(XElement left, XElement right)
    {
        if (left.Name != right.Name)
        {
            return $"<{left.Name.LocalName}> and <{right.Name.LocalName}>";
        }

        if (left.Name.Namespace == Xhtml)
        {
            return XNode.DeepEquals(Plain(left), Plain(right)) ? null : $"XHTML: {left} and {right}";
        }

        var (one, other) = (Attributes(left), Attributes(right));
        if (one != other)
        {
            return $"<{left.Name.LocalName} {one}> and <{right.Name.LocalName} {other}>";
        }

        var (lefts, rights) = (left.Elements().ToList(), right.Elements().ToList());
        var inner = lefts.Zip(rights).Select(pair => Of(pair.First, pair.Second)).FirstOrDefault(difference => difference is not null);
        return inner is not null ? $"{left.Name.LocalName}/{inner}" : lefts.Count == rights.Count ? null : $"{lefts.Count} and {rights.Count} elements in <{left.Name.LocalName}>";
    }

    private static string Attributes(XElement element) =>
        string.Join(' ', element.Attributes().Where(IsContent).Select(attribute => $"{attribute.Name.LocalName}={attribute.Value}").Order(StringComparer.Ordinal));

    private static bool IsContent(XAttribute attribute) => !attribute.IsNamespaceDeclaration && attribute.Name.LocalName != "schemaLocation";

    // Prefixes do not count.
    private static XElement Plain(XElement element) => new(
        element.Name,
        element.Attributes().Where(attribute => !attribute.IsNamespaceDeclaration).OrderBy(attribute => attribute.Name.ToString(), StringComparer.Ordinal),
        element.Nodes().Select(node => node is XElement child ? Plain(child) : node));

    private static string? OfMembers(ResourceNode left, ResourceNode right, Func<string, bool>? ignores, string path)
    {
        foreach (var child in left.Children)
        {
            var inner = $"{path}.{child.Name}";
            if (ignores?.Invoke(inner) != true && Of(child, right[child.NameSpan], ignores, inner) is { } difference)
            {
                return difference;
            }
        }

        foreach (var child in right.Children)
        {
            if (!left[child.NameSpan].Exists && ignores?.Invoke($"{path}.{child.Name}") != true)
            {
                return $"{path}.{child.Name} is new";
            }
        }

        return null;
    }

    private static string? OfElements(ResourceNode left, ResourceNode right, Func<string, bool>? ignores, string path)
    {
        var rights = right.Children;
        var index = 0;
        foreach (var child in left.Children)
        {
            var inner = $"{path}[{index++}]";
            if (Of(child, rights.MoveNext() ? rights.Current : default, ignores, inner) is { } difference)
            {
                return difference;
            }
        }

        return left.Count == right.Count ? null : $"{path}: {left.Count} and {right.Count} elements";
    }

    // Digits without zeros at the end, and the power of ten of the last one: 1e245 is among the examples.
    private static (BigInteger Digits, int Exponent) Value(ResourceNode number)
    {
        var parts = number.ToString().Split('e', 'E');
        var point = parts[0].IndexOf('.', StringComparison.Ordinal);
        var digits = BigInteger.Parse(parts[0].Replace(".", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        var exponent = (parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 0) - (point < 0 ? 0 : parts[0].Length - point - 1);
        while (!digits.IsZero && digits % 10 == 0)
        {
            (digits, exponent) = (digits / 10, exponent + 1);
        }

        return (digits, digits.IsZero ? 0 : exponent);
    }

    private static string Show(ResourceNode node) => node.Exists ? node.ToString() is var text && text.Length > 120 ? text[..120] + "…" : node.ToString() : "nothing";
}
