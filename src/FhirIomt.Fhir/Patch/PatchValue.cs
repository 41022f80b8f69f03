using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Xml;

namespace FhirIomt.Fhir.Patch;

/// <summary>The value of an operation, given as <c>value[x]</c>, as a resource, or as nested parts where the element has no type of its own.</summary>
internal sealed class PatchValue(FhirDefinitions definitions, string where)
{
    // As deep as R4's deepest backbone elements, and then some.
    private const int MaxNesting = 16;

    private readonly FhirType _parts = definitions.Type("Parameters.parameter")!;

    /// <summary>Which member of the owner a name and a value mean: for a choice the one of the value's type.</summary>
    public Outcome<FhirMember> Member(FhirType owner, string name, ResourceNode part)
    {
        if (owner.Find(name) is { } member)
        {
            return member;
        }

        var given = Given(part, out _, out _);
        foreach (var candidate in owner.Element(name)?.Members ?? [])
        {
            if (candidate.Type == given)
            {
                return candidate;
            }
        }

        return PatchIssues.DoesNotFit(owner.Element(name) is null ? $"{owner.Name} has no element '{Shorten(name)}'." : $"'{name}' does not take a value of type {given?.Name ?? "given"}.", where);
    }

    /// <summary>The value as the member wants it.</summary>
    public Outcome<PatchSlot> Read(FhirMember member, ResourceNode part) => Read(member, part, depth: 0);

    private Outcome<PatchSlot> Read(FhirMember member, ResourceNode part, int depth)
    {
        if (part["resource"u8] is { IsObject: true } resource)
        {
            return member.Type is { Kind: FhirTypeKind.Resource, IsAbstract: true } ? new PatchSlot(new EditNode(resource), Companion: null) : PatchIssues.DoesNotFit($"'{member.JsonName}' takes no resource.", where);
        }

        if (Given(part, out var value, out var companion) is { } type)
        {
            return member.Type.Kind == FhirTypeKind.Primitive ? Primitive(member, type, value, companion)
                : type == member.Type || (value.IsObject && (type.Is(member.Type) || member.Type.Is(type))) ? new PatchSlot(new EditNode(value), Companion: null)
                : PatchIssues.DoesNotFit($"'{member.JsonName}' has the type {member.Type.Name}, and the value is a {type.Name}.", where);
        }

        return part["part"u8] is { Exists: true } parts ? Nested(member, parts, depth) : PatchIssues.NotAPatch("the operation needs a value.", where);
    }

    // A patch may give any primitive as a string; JSON wants numbers and booleans bare.
    private Outcome<PatchSlot> Primitive(FhirMember member, FhirType type, ResourceNode value, ResourceNode companion)
    {
        var extensions = companion.IsObject ? new EditNode(companion) : null;
        if (!value.Exists)
        {
            return new PatchSlot(Value: null, extensions);
        }

        if (type.Kind != FhirTypeKind.Primitive || value.AsText() is not { } text)
        {
            return PatchIssues.DoesNotFit($"'{member.JsonName}' has the type {member.Type.Name}, and the value is a {type.Name}.", where);
        }

        var isBare = PrimitiveToken.IsBare(member.Type, text);
        if (!isBare && (PrimitiveToken.IsNumber(member.Type) || PrimitiveToken.IsBoolean(member.Type)))
        {
            return PatchIssues.DoesNotFit($"'{member.JsonName}' has the type {member.Type.Name}, and '{Shorten(text)}' is none.", where);
        }

        var fits = isBare == value.Kind is NodeKind.Number or NodeKind.True or NodeKind.False;
        return new PatchSlot(new EditNode(fits ? value : Literal(isBare ? text : JsonSerializer.Serialize(text))), extensions);
    }

    private Outcome<PatchSlot> Nested(FhirMember member, ResourceNode parts, int depth)
    {
        if (member.Type.Kind is FhirTypeKind.Primitive or FhirTypeKind.Resource || depth >= MaxNesting)
        {
            return PatchIssues.DoesNotFit($"'{member.JsonName}' is not given by parts.", where);
        }

        var made = EditNode.NewObject();
        foreach (var part in parts.Items)
        {
            if (!Member(member.Type, part["name"u8].AsString() ?? "", part).TryGetValue(out var inner, out var issues) || !Read(inner, part, depth + 1).TryGetValue(out var slot, out issues))
            {
                return Outcome<PatchSlot>.Refused(issues);
            }

            var slots = new PatchSlots(made, inner);
            slots.All.Add(slot);
            if (slots.All.Count > 1 && !inner.Element.IsArray)
            {
                return PatchIssues.DoesNotFit($"'{inner.JsonName}' does not repeat.", where);
            }

            slots.Store();
        }

        return new PatchSlot(made, Companion: null);
    }

    private FhirType? Given(ResourceNode part, out ResourceNode value, out ResourceNode companion)
    {
        (value, companion) = (default, default);
        FhirType? type = null;
        foreach (var child in part.Children)
        {
            var name = child.NameSpan;
            var isCompanion = name.StartsWith((byte)'_');
            if (_parts.Find(isCompanion ? name[1..] : name) is { Element.Name: "value" } member)
            {
                type = definitions.Type(member.Type.Name);
                (value, companion) = isCompanion ? (value, child) : (child, companion);
            }
        }

        return type;
    }

    private static ResourceNode Literal(string json) => JsonTree.Parse(System.Text.Encoding.UTF8.GetBytes(json)).Require().Root;

    private static string Shorten(string text) => text.Length <= 64 ? text : text[..64] + "…";
}
