using System.Globalization;
using System.Text;
using System.Xml;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Xml;

/// <summary>One resource on its way from JSON to XML.</summary>
internal sealed class XmlWriting(FhirDefinitions definitions, XmlText text)
{
    private const int MaxIssues = 1000;

    private readonly StringBuilder _path = new();

    public List<Issue> Issues { get; } = [];

    public void Root(ResourceNode resource, FhirType type)
    {
        _path.Append(type.Name);
        Resource(resource, type, isRoot: true);
    }

    private void Resource(ResourceNode resource, FhirType type, bool isRoot)
    {
        text.Open(type.Name);
        if (isRoot)
        {
            text.Attribute("xmlns", XmlNames.Fhir);
        }

        Content(resource, type);
        text.Close(type.Name);
    }

    private void Content(ResourceNode node, FhirType type)
    {
        var members = XmlMember.Of(node, type, unknown => Report(XmlIssues.UnknownMember(unknown.Name, type.Name, Path(unknown.Name)), unknown));
        foreach (var member in members)
        {
            if (XmlGroup.IsAttribute(type, member.Member))
            {
                Attribute(member);
            }
        }

        foreach (var member in members)
        {
            if (!XmlGroup.IsAttribute(type, member.Member))
            {
                Write(member);
            }
        }
    }

    private void Attribute(in XmlMember member)
    {
        var name = member.Member.JsonName;
        if (member.Companion.Exists || !member.Value.IsString || member.Value.Length == 2)
        {
            Shape($"'{name}' must be a string without extensions, since it is an attribute in XML.", member.Value.Exists ? member.Value : member.Companion, name);
            return;
        }

        text.Attribute(name, Checked(member.Value.AsString()!, member.Value, name));
    }

    private void Write(in XmlMember member)
    {
        var (definition, value, companion) = (member.Member, member.Value, member.Companion);
        var name = definition.JsonName;
        var isPrimitive = definition.Type.Kind == FhirTypeKind.Primitive;
        if (companion.Exists && !isPrimitive)
        {
            Shape($"'_{name}' belongs to no primitive.", companion, name);
        }

        if (!definition.Element.IsArray)
        {
            if (value.IsArray || companion.IsArray)
            {
                Shape($"'{name}' is no array.", value.Exists ? value : companion, name);
                return;
            }

            One(definition, value, companion, index: -1);
            return;
        }

        if ((value.Exists && !value.IsArray) || (companion.Exists && !companion.IsArray) || (value.Count == 0 && companion.Count == 0))
        {
            Shape($"'{name}' must be an array with something in it.", value.Exists ? value : companion, name);
            return;
        }

        var values = value.Children;
        var companions = companion.Children;
        for (var index = 0; index < Math.Max(value.Count, companion.Count); index++)
        {
            One(definition, values.MoveNext() ? values.Current : default, companions.MoveNext() ? companions.Current : default, index);
        }
    }

    private void One(FhirMember member, ResourceNode value, ResourceNode companion, int index)
    {
        var length = _path.Length;
        _path.Append('.').Append(member.JsonName);
        if (index >= 0)
        {
            _path.Append('[').Append(index.ToString(CultureInfo.InvariantCulture)).Append(']');
        }

        if (member.Type.Kind == FhirTypeKind.Primitive)
        {
            Primitive(member, IsNull(value) ? default : value, IsNull(companion) ? default : companion, value.Exists ? value : companion);
        }
        else if (!value.IsObject || value.Count == 0)
        {
            Report(XmlIssues.WrongShape("An object with at least one member is expected here.", _path.ToString()), value);
        }
        else if (member.Type is { Kind: FhirTypeKind.Resource, IsAbstract: true })
        {
            Contained(member, value);
        }
        else
        {
            text.Open(member.JsonName);
            Content(value, member.Type);
            text.Close(member.JsonName);
        }

        _path.Length = length;
    }

    private void Contained(FhirMember member, ResourceNode value)
    {
        var name = value["resourceType"u8].AsString() ?? "";
        if (definitions.Type(name) is not { Kind: FhirTypeKind.Resource, IsAbstract: false } type)
        {
            Report(XmlIssues.NoResource(name, value.Position) with { Expression = _path.ToString() }, value);
            return;
        }

        text.Open(member.JsonName);
        Resource(value, type, isRoot: false);
        text.Close(member.JsonName);
    }

    private void Primitive(FhirMember member, ResourceNode value, ResourceNode companion, ResourceNode place)
    {
        if (value.Exists && !Fits(member.Type, value))
        {
            Shape($"A value of type {member.Type.Name} is written in another way in JSON.", value);
            return;
        }

        if ((!value.Exists && !companion.Exists) || (companion.Exists && (!companion.IsObject || companion.Count == 0)) || (value.IsString && value.Length == 2))
        {
            Shape("There is neither a value nor an extension.", place);
            return;
        }

        if (member.Type.Name == "xhtml")
        {
            Narrative(value, companion);
            return;
        }

        text.Open(member.JsonName);
        if (value.Exists)
        {
            text.Attribute("value", Checked(value.AsText()!, value));
        }

        if (companion.Exists)
        {
            Content(companion, member.Type);
        }

        text.Close(member.JsonName);
    }

    // A string stays a string on the way back only if it cannot be read as what the type wants.
    private static bool Fits(FhirType type, ResourceNode value) => value.Kind switch
    {
        NodeKind.Number => PrimitiveToken.IsNumber(type) && PrimitiveToken.IsBare(type, value.AsText()!),
        NodeKind.True or NodeKind.False => PrimitiveToken.IsBoolean(type),
        NodeKind.String => !PrimitiveToken.IsBare(type, value.AsString()!),
        _ => false,
    };

    private void Narrative(ResourceNode value, ResourceNode companion)
    {
        if (companion.Exists || XhtmlText.ToXml(value.AsString() ?? "") is not { } xml)
        {
            Report(XmlIssues.BadNarrative(_path.ToString()), value.Exists ? value : companion);
            return;
        }

        text.Raw(xml);
    }

    private string Checked(string value, ResourceNode place, string? child = null)
    {
        for (var index = 0; index < value.Length; index++)
        {
            // Pairs are whole: the JSON reader saw to it.
            if (!XmlConvert.IsXmlChar(value[index]) && !char.IsSurrogate(value[index]))
            {
                Report(XmlIssues.NotAnXmlCharacter(child is null ? _path.ToString() : Path(child)), place);
                return "";
            }
        }

        return value;
    }

    private string Path(string child) => $"{_path}.{child[..Math.Min(child.Length, 64)]}";

    private void Shape(string what, ResourceNode place, string? child = null) => Report(XmlIssues.WrongShape(what, child is null ? _path.ToString() : Path(child)), place);

    private void Report(Issue issue, ResourceNode place)
    {
        if (Issues.Count < MaxIssues)
        {
            Issues.Add(issue with { Position = issue.Position ?? (place.Exists ? place.Position : null) });
        }
    }

    private static bool IsNull(ResourceNode node) => node.Exists && node.Kind == NodeKind.Null;
}

/// <summary>One element of an object with its companion; one of the two may be missing.</summary>
internal readonly record struct XmlMember(FhirMember Member, ResourceNode Value, ResourceNode Companion)
{
    /// <summary>What an object holds, in definition order.</summary>
    public static List<XmlMember> Of(ResourceNode node, FhirType type, Action<ResourceNode> unknown)
    {
        var members = new List<XmlMember>(node.Count);
        foreach (var child in node.Children)
        {
            var name = child.NameSpan;
            if (name.SequenceEqual("resourceType"u8) && type.Kind == FhirTypeKind.Resource)
            {
                continue;
            }

            var isCompanion = name.StartsWith((byte)'_');
            if (type.Find(isCompanion ? name[1..] : name) is not { } member)
            {
                unknown(child);
                continue;
            }

            var known = members.FindIndex(other => ReferenceEquals(other.Member, member));
            var entry = known >= 0 ? members[known] : new XmlMember(member, default, default);
            entry = isCompanion ? entry with { Companion = child } : entry with { Value = child };
            if (known >= 0)
            {
                members[known] = entry;
            }
            else
            {
                members.Add(entry);
            }
        }

        members.Sort((one, other) => one.Member.Ordinal.CompareTo(other.Member.Ordinal));
        return members;
    }
}
