using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.Loading;

/// <summary>The outer shape that both mapping texts share: <c>{"templateType":"Collection…","template":[{"templateType":…,"template":{…}}]}</c>.</summary>
internal static class TemplateCollection
{
    /// <summary>Reads the root; what else it may hold is taken by <paramref name="extras"/>.</summary>
    public static ResourceNode[] Read(ResourceNode root, string type, LoadIssues issues, Action<TemplateReader>? extras = null)
    {
        if (TemplateReader.For(root, "The mapping", issues) is not { } reader)
        {
            return [];
        }

        var actual = reader.Member("templateType");
        if (!IsType(actual.AsText(), type))
        {
            issues.WrongTemplateType(actual.Exists ? actual : root, type, actual.AsText());
            return [];
        }

        extras?.Invoke(reader);
        var templates = reader.List("template", required: true);
        reader.RefuseUnknown();
        return templates;
    }

    /// <summary>The type and the inner object of one entry.</summary>
    public static (ResourceNode Type, ResourceNode Template)? ReadEntry(ResourceNode entry, LoadIssues issues)
    {
        if (TemplateReader.For(entry, "A template entry", issues) is not { } reader)
        {
            return null;
        }

        var type = reader.Required("templateType");
        var template = reader.Required("template");
        reader.RefuseUnknown();
        return type.Exists && template.Exists ? (type, template) : null;
    }

    /// <summary>Types are compared without case, with or without the suffix "Template".</summary>
    public static bool IsType(string? actual, string type) =>
        string.Equals(actual, type, StringComparison.OrdinalIgnoreCase) || string.Equals(actual, type + "Template", StringComparison.OrdinalIgnoreCase);
}
