using System.Text;
using System.Text.RegularExpressions;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Tests.Snapshots;

/// <summary>Compares two snapshots by what they demand: elements and their order, cardinality, types, values, slicing, bindings, must-support.</summary>
internal sealed class SnapshotComparison(DefinitionLibrary core)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>The first difference; null when there is none.</summary>
    public string? Difference(JsonTree expected, JsonTree made)
    {
        var hasIds = expected.Root["snapshot"u8]["element"u8].First()["id"u8].Exists;
        var (left, right) = (Elements(expected, hasIds), Elements(made, hasIds));
        if (left.Keys.Except(right.Keys, StringComparer.Ordinal).FirstOrDefault() is { } missing)
        {
            return $"{missing} is missing";
        }

        if (right.Keys.Except(left.Keys, StringComparer.Ordinal).FirstOrDefault() is { } surplus)
        {
            return $"{surplus} is too much";
        }

        if (!left.Keys.SequenceEqual(right.Keys, StringComparer.Ordinal))
        {
            return "the order differs";
        }

        foreach (var (id, element) in left)
        {
            var (one, other) = (Demands(element), Demands(right[id]));
            if (one != other && !IsAsInCore(right[id], other))
            {
                return $"{id}: expected {one}, made {other}";
            }
        }

        return null;
    }

    private static Dictionary<string, ResourceNode> Elements(JsonTree definition, bool hasIds)
    {
        var elements = new Dictionary<string, ResourceNode>(StringComparer.Ordinal);
        foreach (var element in definition.Root["snapshot"u8]["element"u8].Items)
        {
            var id = (hasIds ? element["id"u8].AsString() : null) ?? element["path"u8].AsString()!;
            while (!elements.TryAdd(id, element))
            {
                id += "'";
            }
        }

        return elements;
    }

    private bool IsAsInCore(ResourceNode element, string demands)
    {
        var path = Regex.Replace(element["path"u8].AsString()!, @"\.(action|part|item)(\.\1)+", ".$1", RegexOptions.None, Patience);
        var url = "http://hl7.org/fhir/StructureDefinition/" + path.Split('.')[0];
        var root = core.Find("StructureDefinition", new Canonical(url, null))?.Tree.Root ?? default;
        foreach (var known in root["snapshot"u8]["element"u8].Items)
        {
            if (known["path"u8].AsString() == path)
            {
                return Demands(known) == demands;
            }
        }

        return false;
    }

    private static string Demands(ResourceNode element)
    {
        var text = new StringBuilder($"{element["min"u8].AsText()}..{element["max"u8].AsText()} ");
        text.AppendJoin(',', Types(element).Order(StringComparer.Ordinal));
        foreach (var member in element.Children)
        {
            if (Regex.IsMatch(member.Name, "^(fixed|pattern|minValue|maxValue)[A-Z]", RegexOptions.None, Patience))
            {
                text.Append(' ').Append(member.Name).Append('=').Append(Sorted(member));
            }
        }

        if (element["slicing"u8] is { Exists: true } slicing)
        {
            text.Append(" sliced by ");
            foreach (var discriminator in slicing["discriminator"u8].Items)
            {
                text.Append(discriminator["type"u8].AsString()).Append(':').Append(discriminator["path"u8].AsString()).Append(' ');
            }

            text.Append(slicing["rules"u8].AsString());
        }

        if (element["binding"u8] is { Exists: true } binding)
        {
            text.Append($" from {binding["strength"u8].AsString()} {binding["valueSet"u8].AsString()?.Split('|')[0]}");
        }

        return text.Append(element["mustSupport"u8].AsText() == "true" ? " MS " : " ").Append(element["sliceName"u8].AsString()).Append(element["contentReference"u8].AsString()?.Split('#')[^1]).ToString();
    }

    // CodeableReference and RatioRange came with R4B; Meta is a type of every open choice only since then.
    private static List<string> Types(ResourceNode element)
    {
        var types = new List<string>();
        foreach (var type in element["type"u8].Items)
        {
            var code = type["code"u8].AsString();
            if (code is not ("CodeableReference" or "RatioRange" or "Meta"))
            {
                types.Add(Regex.Replace($"{code}({type["profile"u8]}{type["targetProfile"u8]}{type["aggregation"u8]})", @"\s|\|4\.\d\.\d", "", RegexOptions.None, Patience));
            }
        }

        return types;
    }

    private static string Sorted(ResourceNode value)
    {
        if (!value.IsObject && !value.IsArray)
        {
            return value.ToString();
        }

        var parts = new List<string>();
        foreach (var child in value.Children)
        {
            parts.Add(child.Name + Sorted(child));
        }

        if (value.IsObject)
        {
            parts.Sort(StringComparer.Ordinal);
        }

        return $"({string.Join(' ', parts)})";
    }
}
