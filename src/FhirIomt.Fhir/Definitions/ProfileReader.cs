using System.Globalization;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Definitions;

/// <summary>Reads the snapshot of a StructureDefinition.</summary>
internal static class ProfileReader
{
    private const string FhirTypeExtension = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type";
    private static readonly string[] AdditionalBindingExtensions = ["http://hl7.org/fhir/tools/StructureDefinition/additional-binding", "http://hl7.org/fhir/5.0/StructureDefinition/extension-ElementDefinition.binding.additional"];
    private const string MaxValueSetExtension = "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet";

    public static Outcome<StructureProfile> Read(JsonTree resource)
    {
        var root = resource.Root;
        if (!root["resourceType"u8].TextEquals("StructureDefinition"u8) || root["url"u8].AsString() is not { } url || root["type"u8].AsString() is not { } type)
        {
            return NotAProfile();
        }

        var elements = new List<ProfileElement>();
        foreach (var element in root["snapshot"u8]["element"u8].Items)
        {
            elements.Add(ReadElement(element));
        }

        if (elements.Count == 0)
        {
            return Issue.Error(IssueKind.NotSupported, "IOMT-0201", $"The profile {url} has no snapshot.", "StructureDefinition.snapshot", "Publish it with a snapshot.");
        }

        return new StructureProfile(url, root["version"u8].AsString(), type, root["baseDefinition"u8].AsString(), elements, ReadContexts(root)) { ContextInvariants = ReadTexts(root["contextInvariant"u8]) };
    }

    public static ProfileElement ReadElement(ResourceNode element)
    {
        var types = new List<ProfileType>();
        foreach (var type in element["type"u8].Items)
        {
            types.Add(new ProfileType(TypeCode(type), ReadTexts(type["profile"u8]), ReadTexts(type["targetProfile"u8])) { Aggregation = ReadTexts(type["aggregation"u8]), Versioning = type["versioning"u8].AsString() });
        }

        return new ProfileElement
        {
            Id = element["id"u8].AsString() ?? element["path"u8].AsString() ?? "",
            Path = element["path"u8].AsString() ?? "",
            SliceName = element["sliceName"u8].AsString(),
            Min = ReadMin(element["min"u8]),
            Max = ReadMax(element["max"u8]),
            Types = types,
            Fixed = ReadValue(element, "fixed"u8),
            Pattern = ReadValue(element, "pattern"u8),
            MinValue = ReadValue(element, "minValue"u8),
            MaxValue = ReadValue(element, "maxValue"u8),
            MaxLength = int.TryParse(element["maxLength"u8].AsText(), CultureInfo.InvariantCulture, out var length) ? length : null,
            Binding = ReadBinding(element),
            AdditionalBindings = ReadAdditionalBindings(element["binding"u8]),
            Slicing = ReadSlicing(element["slicing"u8]),
            Constraints = ReadConstraints(element),
            MustSupport = element["mustSupport"u8] is { Exists: true, Kind: NodeKind.True },
            IsModifier = element["isModifier"u8] is { Exists: true, Kind: NodeKind.True },
            ContentReference = element["contentReference"u8].AsString(),
        };
    }

    public static FhirBinding? ReadBinding(ResourceNode element)
    {
        var binding = element["binding"u8];
        if (!binding.Exists)
        {
            return null;
        }

        var strength = binding["strength"u8].AsString() switch
        {
            "required" => BindingStrength.Required,
            "extensible" => BindingStrength.Extensible,
            "preferred" => BindingStrength.Preferred,
            _ => BindingStrength.Example,
        };
        return new FhirBinding(strength, binding["valueSet"u8].AsString() ?? "", ExtensionValue(binding, MaxValueSetExtension));
    }

    private static List<FhirBinding> ReadAdditionalBindings(ResourceNode binding)
    {
        var bindings = new List<FhirBinding>();
        foreach (var extension in binding["extension"u8].Items)
        {
            if (AdditionalBindingExtensions.Contains(extension["url"u8].AsString(), StringComparer.Ordinal) && PartOf(extension, "purpose") is "required" && PartOf(extension, "valueSet") is { } valueSet)
            {
                bindings.Add(new FhirBinding(BindingStrength.Required, valueSet, MaxValueSet: null));
            }
        }

        return bindings;
    }

    private static string? PartOf(ResourceNode extension, string url) => ExtensionValue(extension, url);

    public static IReadOnlyList<FhirConstraint> ReadConstraints(ResourceNode element)
    {
        var constraints = new List<FhirConstraint>();
        foreach (var constraint in element["constraint"u8].Items)
        {
            if (constraint["expression"u8].AsString() is { } expression && constraint["key"u8].AsString() is { } key)
            {
                var known = MakeConstraint(key, !constraint["severity"u8].TextEquals("warning"u8), expression);
                constraints.Add(constraint["human"u8].AsString() is { Length: > 0 } human ? known with { Human = human } : known);
            }
        }

        return constraints;
    }

    public static FhirConstraint MakeConstraint(string key, bool isError, string expression) => new(key, isError, $"Invariant {key} must hold.", expression);

    /// <summary>The FHIR type of a type entry; ids and urls carry it in an extension because their code is a System type.</summary>
    public static string TypeCode(ResourceNode type)
    {
        var code = type["code"u8].AsString() ?? "";
        return code.StartsWith("http://hl7.org/fhirpath/System.", StringComparison.Ordinal) && code.Length > 31
            ? ExtensionValue(type, FhirTypeExtension) ?? char.ToLowerInvariant(code[31]) + code[32..]
            : code;
    }

    public static int? ReadMax(ResourceNode max) =>
        int.TryParse(max.AsString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    public static int ReadMin(ResourceNode min) =>
        int.TryParse(min.AsText(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    public static IReadOnlyList<string> ReadTexts(ResourceNode list)
    {
        if (!list.Exists)
        {
            return [];
        }

        var texts = new List<string>();
        foreach (var item in list.Items)
        {
            texts.Add(item.AsString() ?? "");
        }

        return texts;
    }

    private static ProfileValue? ReadValue(ResourceNode element, ReadOnlySpan<byte> prefix)
    {
        foreach (var member in element.Children)
        {
            var name = member.NameSpan;
            if (name.Length > prefix.Length && name.StartsWith(prefix) && char.IsAsciiLetterUpper((char)name[prefix.Length]))
            {
                var type = member.Name[prefix.Length..];
                return new ProfileValue(IsPrimitiveValue(member) ? char.ToLowerInvariant(type[0]) + type[1..] : type, member.ToString());
            }
        }

        return null;
    }

    private static Outcome<StructureProfile> NotAProfile() =>
        Issue.Error(IssueKind.Structure, "IOMT-0200", "This is not a StructureDefinition with url and type.", "StructureDefinition", "Give url and type.");

    private static List<ExtensionContext> ReadContexts(ResourceNode root)
    {
        var contexts = new List<ExtensionContext>();
        foreach (var context in root["context"u8].Items)
        {
            contexts.Add(new ExtensionContext(context["type"u8].AsString() ?? "element", context["expression"u8].AsString() ?? ""));
        }

        return contexts;
    }

    private static bool IsPrimitiveValue(ResourceNode value) => value.Kind is not NodeKind.Object;

    private static ProfileSlicing? ReadSlicing(ResourceNode slicing)
    {
        if (!slicing.Exists)
        {
            return null;
        }

        var discriminators = new List<ProfileDiscriminator>();
        foreach (var discriminator in slicing["discriminator"u8].Items)
        {
            discriminators.Add(new ProfileDiscriminator(discriminator["type"u8].AsString() ?? "value", discriminator["path"u8].AsString() ?? "$this"));
        }

        return new ProfileSlicing(discriminators, slicing["rules"u8].AsString() ?? "open", slicing["ordered"u8] is { Exists: true, Kind: NodeKind.True });
    }

    private static string? ExtensionValue(ResourceNode element, string url)
    {
        foreach (var extension in element["extension"u8].Items)
        {
            if (extension["url"u8].AsString() == url)
            {
                foreach (var member in extension.Children)
                {
                    if (member.NameSpan.StartsWith("value"u8))
                    {
                        return member.AsString();
                    }
                }
            }
        }

        return null;
    }
}
