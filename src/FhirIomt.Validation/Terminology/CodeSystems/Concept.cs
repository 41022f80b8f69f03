using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Terminology.CodeSystems;

/// <summary>A concept of a code system, with its place in the hierarchy. Texts and properties are read from the resource when asked for.</summary>
internal sealed class Concept(int index, string code, ResourceNode node)
{
    private List<int>? _parents;
    private List<int>? _children;

    /// <summary>Place in the code system, in document order.</summary>
    public int Index { get; } = index;

    public string Code { get; } = code;

    public ResourceNode Node { get; } = node;

    /// <summary>Without white space around it, which FHIR strings should not have (R4 §2.24.0.1) and some displays do.</summary>
    public string? Display => Node["display"u8].AsString()?.Trim();

    public string? Definition => Node["definition"u8].AsString();

    /// <summary>Not to be used as a value itself, only to select others (property <c>notSelectable</c>).</summary>
    public bool IsAbstract { get; set; }

    public bool IsInactive { get; set; }

    /// <summary>The status property, or the standards status of the concept: <c>retired</c>, <c>deprecated</c>…</summary>
    public string? Status { get; set; }

    public IReadOnlyList<int> Parents => _parents ?? (IReadOnlyList<int>)[];

    public IReadOnlyList<int> Children => _children ?? (IReadOnlyList<int>)[];

    public void AddParent(Concept parent)
    {
        if (_parents?.Contains(parent.Index) != true)
        {
            (_parents ??= []).Add(parent.Index);
            (parent._children ??= []).Add(Index);
        }
    }
}

/// <summary>A text for a concept: its display, or a designation, possibly from a supplement.</summary>
/// <param name="Language">BCP 47 tag; null when unknown.</param>
/// <param name="Text">The text itself.</param>
/// <param name="Node">The designation element; nothing for the display.</param>
/// <param name="Source">The supplement it comes from.</param>
internal readonly record struct Designation(string? Language, string Text, ResourceNode Node, string? Source)
{
    public bool IsDisplay => !Node.Exists;

    /// <summary>Withdrawn or deprecated: once right, no longer.</summary>
    public bool IsOutdated => StandardsStatus is "withdrawn" or "deprecated";

    /// <summary>Whether it may stand as a display: it has no use, or one that says so.</summary>
    public bool MayDisplay => IsDisplay || !Node["use"u8].Exists || (Node["use"u8]["system"u8].TextEquals("http://terminology.hl7.org/CodeSystem/designation-usage"u8) && Node["use"u8]["code"u8].TextEquals("display"u8));

    private string? StandardsStatus => !Node.Exists ? null : Extensions.Text(Node, Extensions.StandardsStatus);
}
