using System.Globalization;
using System.Text;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Xml;

/// <summary>From XML elements to FHIR's JSON (R4 §2.6.2), as the definitions tell: arrays, numbers, companions. Collects every problem on the way.</summary>
internal sealed class XmlConversion(FhirDefinitions definitions, JsonLimits limits)
{
    // A document of 32 MiB could hold a million of them; nobody reads more.
    private const int MaxIssues = 1000;

    private readonly StringBuilder _path = new();

    public XmlJson Json { get; } = new();

    public List<Issue> Issues { get; } = [];

    private bool IsTooDeep { get; set; }

    public void Resource(XmlItem item, FhirType type)
    {
        if (_path.Length == 0)
        {
            _path.Append(type.Name);
        }

        Start('{', item);
        Json.Name("resourceType");
        Json.String(type.Name, item.Position);
        if (item.Id is not null)
        {
            Report(XmlIssues.Attribute("id"), item);
        }

        if (item.Url is not null)
        {
            Report(XmlIssues.Attribute("url"), item);
        }

        Members(item, type);
        Json.End('}');
    }

    private void Members(XmlItem item, FhirType type)
    {
        ReportOwn(item, type);
        var isResource = type.Kind == FhirTypeKind.Resource;
        if (!isResource && item.Id is { } id)
        {
            Json.Name("id");
            Json.String(id, item.Position);
        }

        if (IsTooDeep)
        {
            return;
        }

        var groups = XmlGroup.Of(item, type, (child, issue) => Report(issue, child, child.Name));
        var hasUrl = item.Url is null || isResource;
        foreach (var group in groups)
        {
            if (!hasUrl && group.Member.JsonName != "extension")
            {
                hasUrl = WriteUrl(item, type);
            }

            Member(group);
        }

        if (!hasUrl)
        {
            WriteUrl(item, type);
        }
    }

    private bool WriteUrl(XmlItem item, FhirType type)
    {
        if (type.Name == "Extension")
        {
            Json.Name("url");
            Json.String(item.Url!, item.Position);
        }
        else
        {
            Report(XmlIssues.Attribute("url"), item);
        }

        return true;
    }

    private void ReportOwn(XmlItem item, FhirType type)
    {
        foreach (var problem in item.Problems ?? [])
        {
            Report(problem, item);
        }

        if (item.Value is not null && type.Kind != FhirTypeKind.Primitive)
        {
            Report(XmlIssues.Attribute("value"), item);
        }
    }

    private void Member(XmlGroup group)
    {
        var (member, items) = (group.Member, group.Items);
        if (!member.Element.IsArray && items.Count > 1)
        {
            Report(XmlIssues.Repeats(member.JsonName), items[1], member.JsonName);
        }

        if (member.Type.Kind == FhirTypeKind.Primitive)
        {
            Primitive(member, items);
            return;
        }

        Json.Name(member.JsonName);
        if (!member.Element.IsArray)
        {
            Value(member, items[0], index: -1);
            return;
        }

        Start('[', items[0]);
        for (var index = 0; index < items.Count && !IsTooDeep; index++)
        {
            Value(member, items[index], index);
        }

        Json.End(']');
    }

    private void Value(FhirMember member, XmlItem item, int index)
    {
        var length = Enter(member.JsonName, index);
        if (member.Type is { Kind: FhirTypeKind.Resource, IsAbstract: true })
        {
            Contained(item);
        }
        else
        {
            if (item.Children.Count == 0 && item.Id is null && item.Url is null && item.Problems is null)
            {
                Report(XmlIssues.Empty(item.Name), item);
            }

            Start('{', item);
            Members(item, member.Type);
            Json.End('}');
        }

        _path.Length = length;
    }

    private void Contained(XmlItem item)
    {
        foreach (var problem in item.Problems ?? [])
        {
            Report(problem, item);
        }

        if (item.Value is not null || item.Id is not null || item.Url is not null)
        {
            Report(XmlIssues.Attribute(item.Value is not null ? "value" : item.Id is not null ? "id" : "url"), item);
        }

        var resource = item.Children.Count == 1 ? item.Children[0] : null;
        if (resource is not null && resource.Namespace == XmlNames.Fhir && definitions.Type(resource.Name) is { Kind: FhirTypeKind.Resource, IsAbstract: false } type)
        {
            Resource(resource, type);
            return;
        }

        Report(XmlIssues.ResourceInside(item.Name), item);
        Start('{', item);
        Json.End('}');
    }

    private void Primitive(FhirMember member, IReadOnlyList<XmlItem> items)
    {
        var count = member.Element.IsArray ? items.Count : 1;
        var (hasValue, hasCompanion) = (false, false);
        for (var index = 0; index < count; index++)
        {
            var item = items[index];
            hasValue |= TextOf(member, item) is not null;
            hasCompanion |= HasCompanion(item);
            CheckPrimitive(member, item, index);
        }

        if (hasValue)
        {
            Json.Name(member.JsonName);
            List(member, items, count, (item, _) => Token(member, item));
        }

        if (hasCompanion)
        {
            Json.Name("_" + member.JsonName);
            List(member, items, count, (item, index) => Companion(member, item, index));
        }
    }

    private void CheckPrimitive(FhirMember member, XmlItem item, int index)
    {
        if (HasCompanion(item) && item.Xhtml is null)
        {
            // Its own members are read with the companion.
            return;
        }

        var length = Enter(member.JsonName, member.Element.IsArray ? index : -1);
        ReportOwn(item, member.Type);
        if (item.Url is not null)
        {
            Report(XmlIssues.Attribute("url"), item);
        }

        if (TextOf(member, item) is null && item.Problems is null)
        {
            Report(XmlIssues.Empty(item.Name), item);
        }

        _path.Length = length;
    }

    private static bool HasCompanion(XmlItem item) => item.Id is not null || item.Children.Count > 0;

    private static string? TextOf(FhirMember member, XmlItem item) => member.Type.Name == "xhtml" ? item.Xhtml : item.Value;

    private void List(FhirMember member, IReadOnlyList<XmlItem> items, int count, Action<XmlItem, int> write)
    {
        if (!member.Element.IsArray)
        {
            write(items[0], -1);
            return;
        }

        Start('[', items[0]);
        for (var index = 0; index < count; index++)
        {
            write(items[index], index);
        }

        Json.End(']');
    }

    private void Token(FhirMember member, XmlItem item)
    {
        if (TextOf(member, item) is not { } text)
        {
            Json.Token("null", item.Position);
        }
        else if (PrimitiveToken.IsBare(member.Type, text))
        {
            Json.Token(text, item.Position);
        }
        else
        {
            Json.String(text, item.Position);
        }
    }

    private void Companion(FhirMember member, XmlItem item, int index)
    {
        if (!HasCompanion(item))
        {
            Json.Token("null", item.Position);
            return;
        }

        var length = Enter(member.JsonName, index);
        Start('{', item);
        Members(item, member.Type);
        Json.End('}');
        _path.Length = length;
    }

    private void Start(char bracket, XmlItem item)
    {
        Json.Start(bracket, item.Position);
        if (Json.Depth > limits.MaxDepth && !IsTooDeep)
        {
            IsTooDeep = true;
            Issues.Add(XmlIssues.TooDeep(limits, item.Position));
        }
    }

    private int Enter(string name, int index)
    {
        var length = _path.Length;
        _path.Append('.').Append(name);
        if (index >= 0)
        {
            _path.Append('[').Append(index.ToString(CultureInfo.InvariantCulture)).Append(']');
        }

        return length;
    }

    private void Report(Issue issue, XmlItem item, string? child = null)
    {
        if (Issues.Count < MaxIssues)
        {
            var path = _path.ToString();
            Issues.Add(issue with { Expression = child is null ? path : $"{path}.{child[..Math.Min(child.Length, 64)]}", Position = issue.Position ?? item.Position });
        }
    }
}
