using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Questionnaires;

/// <summary>One item of a Questionnaire, with the items within it.</summary>
internal sealed class FormItem
{
    private FormItem(ResourceNode node, FormItem? parent)
    {
        Node = node;
        Parent = parent;
        LinkId = node["linkId"u8].AsString() ?? "";
        Type = node["type"u8].AsString() ?? "";
    }

    public ResourceNode Node { get; }

    public FormItem? Parent { get; }

    public string LinkId { get; }

    /// <summary><c>group</c>, <c>display</c>, <c>question</c> or the kind of answer.</summary>
    public string Type { get; }

    public List<FormItem> Items { get; } = [];

    public bool IsRequired => IsTrue(Node["required"u8]);

    public bool Repeats => IsTrue(Node["repeats"u8]);

    /// <summary>The items of a Questionnaire or item. The depth is bounded by that of the JSON text.</summary>
    public static List<FormItem> Read(ResourceNode holder, FormItem? parent = null)
    {
        var items = new List<FormItem>();
        foreach (var node in holder["item"u8].Items)
        {
            var item = new FormItem(node, parent);
            item.Items.AddRange(Read(node, item));
            items.Add(item);
        }

        return items;
    }

    public static bool IsTrue(ResourceNode node) => node.Exists && node.Kind == NodeKind.True;

    /// <summary>The value[x] of the first extension with that URL, or nothing.</summary>
    public ResourceNode Extension(ReadOnlySpan<byte> url) => Extension(Node, url);

    public static ResourceNode Extension(ResourceNode holder, ReadOnlySpan<byte> url)
    {
        foreach (var extension in holder["extension"u8].Items)
        {
            if (extension["url"u8].TextEquals(url))
            {
                return Value(extension, "value"u8);
            }
        }

        return default;
    }

    /// <summary>The member of a choice: <c>valueCoding</c> for <c>value</c>.</summary>
    public static ResourceNode Value(ResourceNode holder, ReadOnlySpan<byte> choice)
    {
        foreach (var member in holder.Children)
        {
            var name = member.NameSpan;
            if (name.Length > choice.Length && name.StartsWith(choice) && name[choice.Length] is >= (byte)'A' and <= (byte)'Z')
            {
                return member;
            }
        }

        return default;
    }

    /// <summary>The type in a choice member's name: <c>Coding</c>, <c>String</c>.</summary>
    public static string ValueType(ResourceNode member, int prefix = 5) => member.Exists ? System.Text.Encoding.UTF8.GetString(member.NameSpan[prefix..]) : "";
}
