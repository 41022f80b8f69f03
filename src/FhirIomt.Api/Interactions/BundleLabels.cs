using System.Text.Json;
using FhirIomt.Access.Policies;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Api.Interactions;

/// <summary>The high-water mark of a Bundle: the most restricted confidentiality of what is in it (R4, security labels §6.1.2).</summary>
internal sealed class BundleLabels
{
    private string? _highest;

    public BundleLabels Add(IEnumerable<StoredResource> resources)
    {
        foreach (var resource in resources)
        {
            Add(resource);
        }

        return this;
    }

    public void Add(StoredResource resource)
    {
        // Few resources carry one; looking for the name of the code system takes a hundredth of parsing them all.
        if (resource.Body.Span.IndexOf("v3-Confidentiality"u8) < 0)
        {
            return;
        }

        foreach (var label in JsonTree.Parse(resource.Body).Require().Root["meta"u8]["security"u8].Items)
        {
            if (label["system"u8].TextEquals("http://terminology.hl7.org/CodeSystem/v3-Confidentiality"u8) && label["code"u8].AsString() is { } level && Confidentiality.IsLevel(level))
            {
                _highest = Confidentiality.Higher(level, _highest);
            }
        }
    }

    /// <summary>The Bundle's <c>meta</c>, when anything in it is labelled.</summary>
    public void Write(Utf8JsonWriter writer)
    {
        if (_highest is null)
        {
            return;
        }

        writer.WriteStartObject("meta"u8);
        writer.WriteStartArray("security"u8);
        writer.WriteStartObject();
        writer.WriteString("system"u8, Confidentiality.System);
        writer.WriteString("code"u8, _highest);
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
