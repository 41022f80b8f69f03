using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.FhirPath;
using FhirIomt.Fhir.Json;
using FhirIomt.Validation.Base;
using FhirIomt.Validation.Profiles;

namespace FhirIomt.Validation.Extensions;

/// <summary>An extension against its definition: value, place, and whether it modifies (FHIR R4 §2.4).</summary>
internal sealed class ExtensionCheck(ProfilePlans plans)
{
    private readonly Lazy<HashSet<string>> _knownNamespaces = new(() => NamespacesOf(plans.Catalog));

    /// <param name="parent">The element that holds the extension.</param>
    public void Run(ValidationRun run, ResourceNode extension, ResourceNode parent, FhirType type, bool isModifier, ResourceScope scope, ProfileAnswers answers)
    {
        if (extension["url"u8].AsString() is not { } url)
        {
            return;
        }

        // A part of a complex extension is defined by the extension around it.
        if (!BundleScope.IsAbsolute(url))
        {
            return;
        }

        if (url.Contains('|'))
        {
            run.Add(ExtensionIssues.Versioned, extension, "The url of an extension names no version.");
            url = Canonical.Parse(url).Url;
        }

        if (plans.Catalog.Profile(url) is not { Type: "Extension" } definition || plans.Find(url) is not { } plan)
        {
            Unknown(run, extension, url, isModifier);
            return;
        }

        plan.Root.Run(new ProfileContext(run, scope, plans, plan.Url, answers), new ProfileItem(extension, default, type));
        Parts(run, extension, definition);
        if (definition.Elements.Count > 0 && definition.Elements[0].IsModifier != isModifier)
        {
            run.Add(ExtensionIssues.WrongModifier, extension, isModifier ? $"The extension {url} does not modify: it belongs into extension." : $"The extension {url} modifies: it belongs into modifierExtension.");
        }

        Place(run, parent, definition, scope);
    }

    private void Unknown(ValidationRun run, ResourceNode extension, string url, bool isModifier)
    {
        var slash = url.LastIndexOf('/');
        var isExpected = slash > 0 && _knownNamespaces.Value.Contains(url[..(slash + 1)]);
        var finding = isModifier ? ExtensionIssues.UnknownModifier : isExpected ? ExtensionIssues.NoSuchExtension : ExtensionIssues.NotLoaded;
        run.Add(finding, extension, isExpected ? $"There is no extension {url}." : $"The definition of the extension {url} is not loaded; it was not checked.");
    }

    // HL7's common name space is shared by many packages and grows: what is not known there may well exist.
    private static HashSet<string> NamespacesOf(ProfileCatalog catalog)
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (var resource in catalog.Library.Added("StructureDefinition"))
        {
            if (resource.Url.LastIndexOf('/') is > 0 and var slash && resource.Package is not null && resource.Url[..(slash + 1)] is not "http://hl7.org/fhir/StructureDefinition/")
            {
                known.Add(resource.Url[..(slash + 1)]);
            }
        }

        return known;
    }

    private static void Parts(ValidationRun run, ResourceNode extension, StructureProfile definition)
    {
        if (!extension["extension"u8].Exists || ProfileNode.Build(definition).Find("extension") is not { Slices.Count: > 0 } parts)
        {
            return;
        }

        var known = parts.Slices.Select(slice => slice.Find("url")?.Value?.Json.Trim('"') ?? slice.Slice!).ToHashSet(StringComparer.Ordinal);
        foreach (var part in extension["extension"u8].Items)
        {
            if (part["url"u8].AsString() is { } url && !BundleScope.IsAbsolute(url) && !known.Contains(url))
            {
                run.Add(ExtensionIssues.NoSuchPart, part, $"The extension {definition.Url} has no part '{url}'.");
            }
        }
    }

    private void Place(ValidationRun run, ResourceNode parent, StructureProfile definition, ResourceScope scope)
    {
        if (definition.Contexts.Count > 0 && !definition.Contexts.Any(context => IsIn(context, parent, scope)))
        {
            // R4 names too few places for some of its own extensions and uses them elsewhere itself.
            run.Add(definition.Source is null ? ExtensionIssues.OtherPlace : ExtensionIssues.WrongPlace, parent, $"The extension {definition.Url} may not stand here, but in {string.Join(", ", definition.Contexts.Select(context => context.Expression))}.");
        }

        foreach (var invariant in definition.ContextInvariants)
        {
            if (FhirPathExpression.Compile(invariant, plans.Types.Definitions).TryGetValue(out var expression, out _) && IsFalse(expression, parent, scope))
            {
                run.Add(ExtensionIssues.WrongPlace, parent, $"The extension {definition.Url} may stand here only where {invariant}.");
            }
        }
    }

    private bool IsIn(ExtensionContext context, ResourceNode parent, ResourceScope scope) => context.Kind switch
    {
        "extension" => ElementContext.ExtensionAround(parent) is { } url && (url == context.Expression || context.Expression.EndsWith('#' + url, StringComparison.Ordinal)),
        "fhirpath" => IsSelected(context.Expression, parent, scope),
        // A path with # names an element of another definition, by id: not told apart here.
        _ => context.Expression.Contains('#') || ElementContext.NamesOf(parent, plans.Types.Definitions).Contains(WithoutSlices(context.Expression)),
    };

    private static string WithoutSlices(string path) => path.Contains(':') ? string.Join('.', path.Split('.').Select(part => part.Split(':')[0])) : path;

    private bool IsSelected(string text, ResourceNode parent, ResourceScope scope)
    {
        if (!FhirPathExpression.Compile(text, plans.Types.Definitions).TryGetValue(out var expression, out _))
        {
            return true;
        }

        return !expression.TryEvaluate(FhirPathItem.Resource(scope.Resource, plans.Types.Definitions), scope.Environment).TryGetValue(out var items, out _)
            || items.Any(item => item.Node == parent);
    }

    private bool IsFalse(FhirPathExpression expression, ResourceNode parent, ResourceScope scope)
    {
        var focus = parent.Index == scope.Resource.Index ? FhirPathItem.Resource(parent, plans.Types.Definitions) : FhirPathItem.Element(parent, default, TypeOf(parent));
        return expression.TryEvaluate(focus, scope.Environment).TryGetValue(out var items, out _) && items is [var answer] && answer.AsBoolean() == false;
    }

    private FhirType TypeOf(ResourceNode element) =>
        ElementContext.NamesOf(element, plans.Types.Definitions).Select(plans.Types.Definitions.Type).OfType<FhirType>().FirstOrDefault() ?? plans.Types.Definitions.Type("Element")!;
}
