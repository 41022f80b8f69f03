using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>FHIR R4 §2.9.1: the functions that FHIR adds.</summary>
internal static class FhirFunctions
{
    private const string CoreProfile = "http://hl7.org/fhir/StructureDefinition/";

    public static IReadOnlyList<Function> All { get; } =
    [
        new("extension", 1, 1, Extension),
        new("hasExtension", 1, 1, HasExtension),
        new("hasValue", 0, 0, HasValue),
        new("getValue", 0, 0, GetValue),
        new("resolve", 0, 0, Resolve),
        new("memberOf", 1, 1, MemberOf),
        new("conformsTo", 1, 1, ConformsTo),
        new("htmlChecks", 0, 0, HtmlChecks),
        new("elementDefinition", 0, 0, Unavailable),
        new("slice", 2, 2, Unavailable),
        new("checkModifiers", 0, 99, (Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) => output.AddRange(input)),
    ];

    private static void Extension(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        if (arguments[0].Single(run, scope, "extension").AsText() is not { } url)
        {
            return;
        }

        var type = run.Definitions.Type("Extension")!;
        foreach (ref readonly var item in input.Span)
        {
            var parent = item.Type is { Kind: FhirTypeKind.Primitive } ? item.Companion : item.Node;
            foreach (var extension in parent["extension"u8].Items)
            {
                run.Step();
                if (extension["url"u8].AsString() == url)
                {
                    output.Add(FhirPathItem.Element(extension, default, type));
                }
            }
        }
    }

    private static void HasExtension(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        var found = run.Rent();
        Extension(run, scope, input, arguments, found);
        output.Add(FhirPathItem.Boolean(found.Count > 0));
        run.Return(found);
    }

    private static void HasValue(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) =>
        output.Add(FhirPathItem.Boolean(input.Count == 1 && IsValue(input[0])));

    private static bool IsValue(in FhirPathItem item) => item.Type is null ? item.Kind != FhirPathKind.Nothing : item.Type.Kind == FhirTypeKind.Primitive && item.Node.Exists;

    private static void GetValue(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        if (input.Count == 1 && IsValue(input[0]))
        {
            output.Add(input[0].ToSystem());
        }
    }

    private static void Resolve(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        foreach (ref readonly var item in input.Span)
        {
            var isReference = item.Type?.Name == "Reference";
            var text = isReference ? item.Node["reference"u8].AsString() : item.AsText();
            var target = text is { Length: > 0 } && text[0] == '#' ? Contained(run, text)
                : text is { Length: > 0 } ? run.Environment.Resolve?.Invoke(text) ?? default : default;
            if (target.Kind == FhirPathKind.Nothing && run.Environment.ResolvesToType)
            {
                target = NamedType(run, text, isReference ? item.Node : default);
            }

            if (target.Kind != FhirPathKind.Nothing)
            {
                output.Add(target);
            }
        }
    }

    private static FhirPathItem NamedType(Evaluation run, string? text, ResourceNode reference)
    {
        var name = ReferenceText.TypeOf(text).ToString();
        name = name.Length > 0 ? name : reference["type"u8].AsString() ?? "";
        return run.Definitions.Type(name) is { Kind: FhirTypeKind.Resource } type ? FhirPathItem.OfType(type) : default;
    }

    private static FhirPathItem Contained(Evaluation run, string reference)
    {
        if (reference.Length == 1)
        {
            return run.RootResource;
        }

        foreach (var contained in run.RootResource.Node["contained"u8].Items)
        {
            if (contained["id"u8].AsString() is { } id && reference.AsSpan(1).SequenceEqual(id))
            {
                return FhirPathItem.Resource(contained, run.Definitions);
            }
        }

        return default;
    }

    private static void MemberOf(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        if (input.Count != 1 || arguments[0].Single(run, scope, "memberOf").AsText() is not { } url)
        {
            return;
        }

        output.Add(run.Environment.MemberOf is { } ask ? ask(input[0], url) : IsMember(run, input[0], url));
    }

    private static bool? IsMember(Evaluation run, in FhirPathItem item, string url)
    {
        if (run.Definitions.ValueSet(url) is not { } set)
        {
            throw FhirPathIssues.NotAvailable($"the content of the value set {url} is not known here.");
        }

        return item.Type?.Name switch
        {
            "Coding" => IsMember(set, item.Node),
            "CodeableConcept" => AnyMember(set, item.Node["coding"u8]),
            _ => item.AsText() is { } code ? set.ContainsCode(code) : null,
        };
    }

    private static bool AnyMember(CodeSet set, ResourceNode codings)
    {
        foreach (var coding in codings.Items)
        {
            if (IsMember(set, coding))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsMember(CodeSet set, ResourceNode coding) => coding["code"u8].AsString() is { } code && set.Contains(coding["system"u8].AsString() ?? "", code);

    private static void ConformsTo(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        if (input.Count != 1 || arguments[0].Single(run, scope, "conformsTo").AsText() is not { } url)
        {
            return;
        }

        var answer = run.Environment.ConformsTo?.Invoke(input[0], url);
        if (answer is null && url.StartsWith(CoreProfile, StringComparison.Ordinal) && run.Definitions.Type(url[CoreProfile.Length..]) is { } type)
        {
            answer = input[0].Type?.Is(type) ?? false;
        }

        output.Add(answer ?? throw FhirPathIssues.NotAvailable($"the profile {url} is not known here."));
    }

    private static void HtmlChecks(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output)
    {
        var allowed = true;
        foreach (ref readonly var item in input.Span)
        {
            allowed &= run.Environment.HtmlChecks?.Invoke(item) ?? true;
        }

        output.Add(FhirPathItem.Boolean(allowed));
    }

    private static void Unavailable(Evaluation run, in Scope scope, ItemList input, PathNode[] arguments, ItemList output) =>
        throw FhirPathIssues.NotAvailable("elementDefinition() and slice() need the profile, which an evaluation does not have.");
}
