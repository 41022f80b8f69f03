using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.Loading;

/// <summary>One object of a mapping text, read as the connector reads it: member names without case, unknown members refused.</summary>
internal sealed class TemplateReader(ResourceNode node, string owner, LoadIssues issues)
{
    private readonly HashSet<string> _known = new(StringComparer.OrdinalIgnoreCase);

    public ResourceNode Node => node;

    public LoadIssues Issues => issues;

    /// <summary>A reader for an object, or null with an issue when it is something else.</summary>
    public static TemplateReader? For(ResourceNode node, string owner, LoadIssues issues)
    {
        if (node.IsObject)
        {
            return new TemplateReader(node, owner, issues);
        }

        issues.WrongKind(node, owner, "an object");
        return null;
    }

    /// <summary>The member of that name; a null counts as absent, as in the connector.</summary>
    public ResourceNode Member(string name)
    {
        _known.Add(name);
        foreach (var child in node.Children)
        {
            if (child.Kind != NodeKind.Null && child.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return child;
            }
        }

        return default;
    }

    public ResourceNode Required(string name)
    {
        var member = Member(name);
        if (!member.Exists)
        {
            issues.Missing(node, name);
        }

        return member;
    }

    public string? Text(string name) => TextOf(Member(name), name);

    public string? RequiredText(string name)
    {
        var text = TextOf(Required(name), name);
        if (text is not null && string.IsNullOrWhiteSpace(text))
        {
            issues.BadValue(Member(name), name, text, "a text that is not blank");
        }

        return text;
    }

    /// <summary>True or false; the connector also takes them as text.</summary>
    public bool Flag(string name)
    {
        var member = Member(name);
        if (!member.Exists)
        {
            return false;
        }

        if (!bool.TryParse(member.AsText(), out var flag))
        {
            issues.BadValue(member, name, member.AsText(), "true or false");
        }

        return flag;
    }

    /// <summary>The elements of an array member; nothing when it is absent.</summary>
    public ResourceNode[] List(string name, bool required = false)
    {
        var member = required ? Required(name) : Member(name);
        if (member.Exists && !member.IsArray)
        {
            issues.WrongKind(member, name, "an array");
        }

        var elements = new List<ResourceNode>();
        foreach (var child in member.IsArray ? member.Items : default)
        {
            elements.Add(child);
        }

        return [.. elements];
    }

    /// <summary>Call last: whatever was not asked for is unknown.</summary>
    public void RefuseUnknown()
    {
        foreach (var child in node.Children)
        {
            if (!_known.Contains(child.Name))
            {
                issues.UnknownMember(child, owner);
            }
        }
    }

    private string? TextOf(ResourceNode member, string name)
    {
        if (member.Exists && member.AsText() is null)
        {
            issues.WrongKind(member, name, "a text");
        }

        return member.AsText();
    }
}
