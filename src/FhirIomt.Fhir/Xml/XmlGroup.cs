using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;

namespace FhirIomt.Fhir.Xml;

/// <summary>The elements of one name under one parent, wherever they stand.</summary>
internal sealed record XmlGroup(FhirMember Member, List<XmlItem> Items)
{
    /// <summary>The children of an element in definition order; those that the type does not know, or that stand in another order, are reported.</summary>
    public static List<XmlGroup> Of(XmlItem parent, FhirType type, Action<XmlItem, Issue> report)
    {
        var groups = new List<XmlGroup>();
        XmlGroup? last = null;
        var isSorted = true;
        foreach (var child in parent.Children)
        {
            if (Find(type, child, report) is not { } member)
            {
                continue;
            }

            if (last is not null && ReferenceEquals(last.Member, member))
            {
                last.Items.Add(child);
                continue;
            }

            if (last is not null && member.Ordinal < last.Member.Ordinal)
            {
                isSorted = false;
                ReportOrder(child, member, last.Member, report);
            }

            last = isSorted ? null : groups.Find(group => ReferenceEquals(group.Member, member));
            if (last is null)
            {
                groups.Add(last = new XmlGroup(member, []));
            }

            last.Items.Add(child);
        }

        if (!isSorted)
        {
            groups.Sort((one, other) => one.Member.Ordinal.CompareTo(other.Member.Ordinal));
        }

        return groups;
    }

    // Two types of one choice have no order; that there are two of them is for validation to say.
    private static void ReportOrder(XmlItem child, FhirMember member, FhirMember last, Action<XmlItem, Issue> report)
    {
        if (!ReferenceEquals(member.Element, last.Element))
        {
            report(child, XmlIssues.Order(child.Name, last.JsonName));
        }
    }

    private static FhirMember? Find(FhirType type, XmlItem child, Action<XmlItem, Issue> report)
    {
        if (type.Find(child.Name) is not { } member)
        {
            var isForeign = child.Namespace is not (XmlNames.Fhir or XmlNames.Xhtml);
            report(child, isForeign ? XmlIssues.WrongNamespace(child.Name, XmlNames.Fhir) : XmlIssues.UnknownElement(child.Name, type.Name));
            return null;
        }

        var expected = member.Type.Name == "xhtml" ? XmlNames.Xhtml : XmlNames.Fhir;
        if (child.Namespace != expected)
        {
            report(child, XmlIssues.WrongNamespace(child.Name, expected));
            return null;
        }

        if (IsAttribute(type, member))
        {
            report(child, XmlIssues.NeedsAttribute(child.Name));
            return null;
        }

        return member;
    }

    /// <summary>R4 §2.6.1: the id of an element and the url of an extension are attributes.</summary>
    public static bool IsAttribute(FhirType type, FhirMember member) =>
        (member.JsonName == "id" && type.Kind != FhirTypeKind.Resource) || (member.JsonName == "url" && type.Name == "Extension");
}
