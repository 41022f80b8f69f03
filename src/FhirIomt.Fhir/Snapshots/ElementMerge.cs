using System.Text;
using System.Text.Json;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Snapshots;

/// <summary>Lays what a differential says of an element over what its base says (FHIR R4 §5.1.0.6).</summary>
internal static class ElementMerge
{
    // Lists that grow: an entry of the base stays, one that is new is added.
    private static readonly string[] Unions = ["alias", "condition", "mapping", "example"];

    private static readonly string[] Texts = ["short", "definition", "comment", "requirements", "meaningWhenMissing"];

    // What tells the element apart, not what it says.
    private static readonly string[] Identity = ["id", "path", "sliceName", "base", "slicing", "contentReference"];

    public static ElementDraft Join(ElementDraft first, ElementDraft second)
    {
        var joined = first.Clone();
        foreach (var name in second.Names)
        {
            joined.Set(name, second[name]);
        }

        return joined;
    }

    /// <param name="mayWiden">A slice starts from its element, of whose cardinality it is only a part.</param>
    public static void Apply(ElementDraft target, ElementDraft differential, bool mayWiden)
    {
        foreach (var name in differential.Names)
        {
            if (Identity.Contains(name, StringComparer.Ordinal) || (!mayWiden && SnapshotRules.IsWider(target, differential, name)))
            {
                continue;
            }

            if (Unions.Contains(name, StringComparer.Ordinal))
            {
                target.SetJson(name, Union(target[name], differential[name], entry => entry.ToString()));
            }
            else if (name == "constraint")
            {
                target.SetJson(name, Union(target[name], differential[name], entry => entry["key"u8].AsString() ?? ""));
            }
            else if (name == "binding")
            {
                target.SetJson(name, Binding(target[name], differential[name]));
            }
            else if (Texts.Contains(name, StringComparer.Ordinal))
            {
                target.SetText(name, Text(target[name].AsString(), differential[name].AsString() ?? ""));
            }
            else
            {
                Replace(target, name, differential[name]);
            }
        }
    }

    private static void Replace(ElementDraft target, string name, ResourceNode value)
    {
        foreach (var choice in (string[])["fixed", "pattern", "minValue", "maxValue", "defaultValue"])
        {
            if (name.Length > choice.Length && name.StartsWith(choice, StringComparison.Ordinal) && char.IsAsciiLetterUpper(name[choice.Length]))
            {
                target.RemoveChoice(choice);
            }
        }

        target.Set(name, value);
    }

    // Three dots mean: the base's text, and then this.
    private static string Text(string? known, string added) =>
        added.StartsWith("...", StringComparison.Ordinal) ? known is null ? added[3..] : $"{known}\r\n{added[3..]}" : added;

    private static string Union(ResourceNode known, ResourceNode added, Func<ResourceNode, string> key)
    {
        var entries = new List<ResourceNode>();
        var keys = new HashSet<string>(StringComparer.Ordinal);
        foreach (var list in (ResourceNode[])[known, added])
        {
            foreach (var entry in list.Items)
            {
                if (keys.Add(key(entry)))
                {
                    entries.Add(entry);
                }
            }
        }

        return "[" + string.Join(',', entries.Select(entry => entry.ToString())) + "]";
    }

    private static string Binding(ResourceNode known, ResourceNode added)
    {
        if (!known.Exists)
        {
            return added.ToString();
        }

        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes))
        {
            writer.WriteStartObject();
            foreach (var name in (string[])["id", "extension", "strength", "_strength", "description", "_description", "valueSet", "_valueSet"])
            {
                var utf8 = Encoding.UTF8.GetBytes(name);
                var value = added[utf8].Exists || name == "description" ? added[utf8] : known[utf8];
                if (value.Exists)
                {
                    writer.WritePropertyName(name);
                    value.WriteTo(writer);
                }
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.ToArray());
    }
}
