using FhirIomt.Core;

namespace FhirIomt.Fhir.Xml;

/// <summary>An element as it stands in the XML, before definitions say what it means.</summary>
internal sealed class XmlItem(string name, string space, TextPosition position)
{
    public string Name { get; } = name;

    public string Namespace { get; } = space;

    public TextPosition Position { get; } = position;

    public string? Value { get; set; }

    public string? Id { get; set; }

    public string? Url { get; set; }

    /// <summary>The text of an XHTML element with all that it holds.</summary>
    public string? Xhtml { get; set; }

    public List<XmlItem> Children { get; } = [];

    /// <summary>What is wrong on the face of it; the place is added when the path is known.</summary>
    public List<Issue>? Problems { get; private set; }

    public void Report(Issue issue) => (Problems ??= []).Add(issue with { Position = issue.Position ?? Position });
}
