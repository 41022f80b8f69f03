using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace FhirIomt.Validation.Tests.Terminology;

/// <summary>
/// Compares an answer with what a case of HL7's terminology suite expects: arrays in any order, placeholders by their pattern, optional parts as marked.
/// <c>location</c> repeats <c>expression</c> and is left out on both sides (the suite asks for it in some cases and forbids it in others).
/// </summary>
internal static partial class TxComparer
{
    /// <summary>Null when equal, else the first difference.</summary>
    public static string? Compare(JsonNode? expected, JsonNode? actual, string path) => (expected, actual) switch
    {
        (JsonObject left, JsonObject right) => CompareObjects(left, right, path),
        (JsonArray left, JsonArray right) => CompareArrays(left, right, path),
        (JsonValue left, JsonValue right) => Matches(Text(left), Text(right)) ? null : $"{path}: '{Text(right)}' instead of '{Text(left)}'",
        _ => $"{path}: {Kind(actual)} instead of {Kind(expected)}",
    };

    /// <summary>Takes away what is never compared, and gives R4's extensions for expansion properties the form that R5 has.</summary>
    public static void Normalize(JsonNode? node)
    {
        if (node is JsonArray array)
        {
            foreach (var item in array)
            {
                Normalize(item);
            }
        }

        if (node is not JsonObject resource)
        {
            return;
        }

        if (resource.ContainsKey("resourceType"))
        {
            resource.Remove("text");
            resource.Remove("meta");
        }

        if (resource.ContainsKey("severity"))
        {
            resource.Remove("location");
        }

        MoveProperties(resource);
        foreach (var member in resource.ToList())
        {
            Normalize(member.Value);
        }
    }

    private static string? CompareObjects(JsonObject expected, JsonObject actual, string path)
    {
        var optional = Texts(expected["$optional-properties$"]);
        var counted = Texts(expected["$count-arrays$"]);
        foreach (var (name, value) in actual)
        {
            if (!expected.ContainsKey(name) && !optional.Contains(name))
            {
                return $"{path}.{name}: not expected ({Short(value)})";
            }
        }

        foreach (var (name, value) in expected.Where(member => !member.Key.StartsWith('$')))
        {
            if (!actual.ContainsKey(name))
            {
                if (optional.Contains(name) || IsOptional(value) || (value is JsonArray items && items.All(IsOptional)))
                {
                    continue;
                }

                return $"{path}.{name}: missing ({Short(value)})";
            }

            var difference = counted.Contains(name) && value is JsonArray wanted && actual[name] is JsonArray given
                ? wanted.Count == given.Count ? null : $"{path}.{name}: {given.Count} items instead of {wanted.Count}"
                : Compare(value, actual[name], $"{path}.{name}");
            if (difference is not null)
            {
                return difference;
            }
        }

        return null;
    }

    // Each actual item must fit an expected one of its own, and each expected one that is not optional must be met: a matching in a bipartite graph.
    private static string? CompareArrays(JsonArray expected, JsonArray actual, string path)
    {
        var owner = new int[expected.Count];
        Array.Fill(owner, -1);
        for (var item = 0; item < actual.Count; item++)
        {
            if (!Assign(expected, actual, item, owner, new bool[expected.Count]))
            {
                return $"{path}: unexpected item {Label(actual[item])}: {Nearest(expected, actual[item], path)}";
            }
        }

        for (var index = 0; index < expected.Count; index++)
        {
            if (owner[index] < 0 && !IsOptional(expected[index]) && !TakesOver(expected, actual, index, owner))
            {
                return $"{path}: missing item {Label(expected[index])} {Short(expected[index])}";
            }
        }

        return null;
    }

    private static bool Assign(JsonArray expected, JsonArray actual, int item, int[] owner, bool[] tried)
    {
        for (var index = 0; index < expected.Count; index++)
        {
            if (!tried[index] && Compare(expected[index], actual[item], "") is null)
            {
                tried[index] = true;
                if (owner[index] < 0 || Assign(expected, actual, owner[index], owner, tried))
                {
                    owner[index] = item;
                    return true;
                }
            }
        }

        return false;
    }

    // An item that stands for an optional expectation may stand for this one instead.
    private static bool TakesOver(JsonArray expected, JsonArray actual, int index, int[] owner)
    {
        for (var other = 0; other < expected.Count; other++)
        {
            if (owner[other] >= 0 && IsOptional(expected[other]) && Compare(expected[index], actual[owner[other]], "") is null)
            {
                owner[index] = owner[other];
                owner[other] = -1;
                return true;
            }
        }

        return false;
    }

    // We are an R4 server with no externals file, and not tx.fhir.org.
    private static bool IsOptional(JsonNode? node) => node is JsonObject marked && marked["$optional$"] is JsonValue mark && Text(mark) is "true" or "!tx.fhir.org" or "warning:version" or "version:4";

    private static bool Matches(string expected, string actual)
    {
        if (expected.StartsWith("$external:", StringComparison.Ordinal) && expected.EndsWith('$'))
        {
            var fragments = expected[10..^1].Split(':', 2);
            return fragments.Length == 1 || HasAll(actual, fragments[1]);
        }

        if (expected.StartsWith("$fragments:", StringComparison.Ordinal) && expected.EndsWith('$'))
        {
            return HasAll(actual, expected[11..^1]);
        }

        if (expected.StartsWith("$choice:", StringComparison.Ordinal) && expected.EndsWith('$'))
        {
            return expected[8..^1].Split('|').Contains(actual, StringComparer.Ordinal);
        }

        return expected switch
        {
            "$$" => true,
            "$id$" => Id().IsMatch(actual),
            "$token$" or "$string$" => actual.Length > 0,
            "$uuid$" => Uuid().IsMatch(actual),
            "$instant$" => Instant().IsMatch(actual),
            "$date$" => Date().IsMatch(actual),
            "$url$" => Uri.IsWellFormedUriString(actual, UriKind.Absolute),
            "$semver$" => Version().IsMatch(actual),
            _ when expected.EndsWith("$version$", StringComparison.Ordinal) => actual.StartsWith(expected[..^9], StringComparison.Ordinal) && Version().IsMatch(actual[(expected.Length - 9)..]),
            _ => expected == actual,
        };
    }

    private static bool HasAll(string actual, string fragments) => fragments.Split('|').All(fragment => actual.Contains(fragment, StringComparison.OrdinalIgnoreCase));

    private static void MoveProperties(JsonObject element)
    {
        if (element["extension"] is not JsonArray extensions)
        {
            return;
        }

        var properties = new JsonArray();
        foreach (var extension in extensions.OfType<JsonObject>().ToList())
        {
            if (Text(extension["url"]!.AsValue()).StartsWith("http://hl7.org/fhir/5.0/StructureDefinition/extension-ValueSet.expansion.", StringComparison.Ordinal))
            {
                extensions.Remove(extension);
                properties.Add(Flat(extension));
            }
        }

        if (properties.Count > 0)
        {
            element["property"] = properties;
        }

        if (extensions.Count == 0)
        {
            element.Remove("extension");
        }
    }

    private static JsonObject Flat(JsonObject extension)
    {
        var flat = new JsonObject();
        foreach (var part in extension["extension"]!.AsArray().OfType<JsonObject>())
        {
            var name = Text(part["url"]!.AsValue());
            var value = part.Single(member => member.Key.StartsWith("value", StringComparison.Ordinal));
            flat[name == "value" ? value.Key : name] = value.Value!.DeepClone();
        }

        return flat;
    }

    private static string Nearest(JsonArray expected, JsonNode? actual, string path)
    {
        var label = Label(actual);
        var nearest = expected.FirstOrDefault(item => Label(item) == label);
        return nearest is null ? "nothing like it expected" : Compare(nearest, actual, path) ?? "expected once only";
    }

    private static string Label(JsonNode? node) => node is not JsonObject item ? Short(node)
        : string.Join('/', new[] { "name", "code", "url", "version" }.Select(name => item[name]).OfType<JsonValue>().Select(Text));

    private static HashSet<string> Texts(JsonNode? names) => names is JsonArray array ? [.. array.OfType<JsonValue>().Select(Text)] : [];

    private static string Text(JsonValue value) => value.GetValueKind() == System.Text.Json.JsonValueKind.String ? value.GetValue<string>() : value.ToJsonString();

    private static string Kind(JsonNode? node) => node is null ? "nothing" : node.GetValueKind().ToString();

    private static string Short(JsonNode? node) => node?.ToJsonString() is { } text ? text.Length > 300 ? text[..300] + "…" : text : "null";

    [GeneratedRegex(@"^[A-Za-z0-9\-\.]{1,64}$")]
    private static partial Regex Id();

    [GeneratedRegex(@"^urn:uuid:[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$")]
    private static partial Regex Uuid();

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")]
    private static partial Regex Instant();

    [GeneratedRegex(@"^\d{4}(-\d\d(-\d\d(T[\d:\.]+(Z|[+-]\d\d:\d\d)?)?)?)?$")]
    private static partial Regex Date();

    [GeneratedRegex(@"^[A-Za-z0-9\.\-\+]+$")]
    private static partial Regex Version();
}
