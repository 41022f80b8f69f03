using System.Text;
using System.Text.Json;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Snapshots;

/// <summary>The members of an ElementDefinition while a snapshot is made. Values stay where they were read; only what is merged is written anew.</summary>
internal sealed class ElementDraft
{
    private readonly Dictionary<string, ResourceNode> _members;

    public ElementDraft()
    {
        _members = new(StringComparer.Ordinal);
    }

    private ElementDraft(Dictionary<string, ResourceNode> members)
    {
        _members = members;
    }

    public IEnumerable<string> Names => _members.Keys;

    public ResourceNode this[string name] => _members.GetValueOrDefault(name);

    public int Min => int.TryParse(this["min"].AsText(), out var min) ? min : 0;

    /// <summary>Null means unbounded.</summary>
    public int? Max => int.TryParse(this["max"].AsString(), out var max) ? max : null;

    public string? SliceName => this["sliceName"].AsString();

    public static ElementDraft Of(ResourceNode element)
    {
        var draft = new ElementDraft();
        foreach (var member in element.Children)
        {
            draft._members[member.Name] = member;
        }

        return draft;
    }

    public ElementDraft Clone() => new(new Dictionary<string, ResourceNode>(_members, StringComparer.Ordinal));

    public void Set(string name, ResourceNode value) => _members[name] = value;

    public void SetText(string name, string text) => Set(name, Parse(JsonSerializer.Serialize(text, SnapshotJson.Default.String)));

    public void SetNumber(string name, int number) => Set(name, Parse(number.ToString(System.Globalization.CultureInfo.InvariantCulture)));

    public void SetJson(string name, string json) => Set(name, Parse(json));

    public void Remove(string name) => _members.Remove(name);

    /// <summary>Removes every form of a choice: <c>fixedUri</c> and its companion for <c>fixed</c>.</summary>
    public void RemoveChoice(string prefix)
    {
        foreach (var name in _members.Keys.Where(name => IsForm(name, prefix)).ToArray())
        {
            _members.Remove(name);
        }
    }

    /// <summary>The name of the form that a choice has; null when it has none.</summary>
    public string? Choice(string prefix) => _members.Keys.FirstOrDefault(name => IsForm(name, prefix) && name[0] != '_');

    /// <summary>The type codes, in order.</summary>
    public IReadOnlyList<string> TypeCodes()
    {
        var codes = new List<string>();
        foreach (var type in this["type"].Items)
        {
            codes.Add(type["code"u8].AsString() ?? "");
        }

        return codes;
    }

    private static ResourceNode Parse(string json) => JsonTree.Parse(Encoding.UTF8.GetBytes(json)).Require().Root;

    private static bool IsForm(string name, string prefix)
    {
        var plain = name.AsSpan(name.StartsWith('_') ? 1 : 0);
        return plain.Length > prefix.Length && plain.StartsWith(prefix, StringComparison.Ordinal) && char.IsAsciiLetterUpper(plain[prefix.Length]);
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
internal sealed partial class SnapshotJson : System.Text.Json.Serialization.JsonSerializerContext;
