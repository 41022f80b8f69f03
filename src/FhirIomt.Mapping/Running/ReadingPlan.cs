using System.Text;
using FhirIomt.Mapping.Templates;

namespace FhirIomt.Mapping.Running;

/// <summary>A FHIR value and the extracted values (by position) that carry its name.</summary>
internal sealed record BoundValue(FhirValue Value, int[] Sources);

/// <summary>A device template together with the FHIR template of its type: all that one reading needs.</summary>
internal sealed class ReadingPlan
{
    private ReadingPlan(ContentTemplate content, FhirTemplate? fhir, ConnectorDefects defects, BoundValue? value, BoundValue[] components)
    {
        Defects = defects;
        Content = content;
        Fhir = fhir;
        Value = value;
        Components = components;
        TypeUtf8 = Encoding.UTF8.GetBytes(content.TypeName);
        Code = fhir is null ? [] : [.. "\"code\":"u8, .. FhirJson.ConnectorConcept(fhir.Codings, content.TypeName), (byte)','];
    }

    public ContentTemplate Content { get; }

    /// <summary>Null when the mapping has no FHIR template of that type; then nothing can be written.</summary>
    public FhirTemplate? Fhir { get; }

    public ConnectorDefects Defects { get; }

    public BoundValue? Value { get; }

    /// <summary>In the order of the FHIR template's components.</summary>
    public BoundValue[] Components { get; }

    public byte[] TypeUtf8 { get; }

    public bool Has(ConnectorDefects defect) => (Defects & defect) != 0;

    /// <summary><c>"code":{…},</c></summary>
    public byte[] Code { get; }

    public static ReadingPlan For(ContentTemplate content, FhirTemplate? fhir, ConnectorDefects defects) => new(
        content,
        fhir,
        defects,
        fhir?.Value is { } value ? Bind(content, value) : null,
        fhir is null ? [] : [.. fhir.Components.Select(component => Bind(content, component.Value))]);

    // Names are compared with case here, as in the connector, although type names are not.
    private static BoundValue Bind(ContentTemplate content, FhirValue value) =>
        new(value, [.. Enumerable.Range(0, content.Values.Count).Where(index => content.Values[index].Name == value.Name)]);
}
