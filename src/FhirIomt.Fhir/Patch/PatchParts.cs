using System.Globalization;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Patch;

/// <summary>The parts of one operation by their names.</summary>
internal sealed record PatchParts
{
    public string? Type { get; private set; }

    public string? Path { get; private set; }

    public string? Name { get; private set; }

    public int? Index { get; private set; }

    public int? Source { get; private set; }

    public int? Destination { get; private set; }

    /// <summary>The part that holds the value, not the value itself.</summary>
    public ResourceNode Value { get; private set; }

    public static PatchParts Read(ResourceNode operation)
    {
        var parts = new PatchParts();
        foreach (var part in operation["part"u8].Items)
        {
            switch (part["name"u8].AsString())
            {
                case "type":
                    parts.Type = Text(part);
                    break;
                case "path":
                    parts.Path = Text(part);
                    break;
                case "name":
                    parts.Name = Text(part);
                    break;
                case "index":
                    parts.Index = Number(part);
                    break;
                case "source":
                    parts.Source = Number(part);
                    break;
                case "destination":
                    parts.Destination = Number(part);
                    break;
                case "value":
                    parts.Value = part;
                    break;
            }
        }

        return parts;
    }

    // valueCode, valueString, valueUri: clients differ.
    private static string? Text(ResourceNode part)
    {
        foreach (var child in part.Children)
        {
            if (child.NameSpan.StartsWith("value"u8))
            {
                return child.AsText();
            }
        }

        return null;
    }

    private static int? Number(ResourceNode part) => int.TryParse(Text(part), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;
}
