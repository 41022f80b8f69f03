using FhirIomt.Fhir.Definitions;
using FhirIomt.Validation.Base;

namespace FhirIomt.Validation.Profiles;

/// <summary>Turns a profile into rules, leaving out what the base type says already.</summary>
internal sealed class ProfileCompiler(ProfilePlans plans, StructureProfile profile)
{
    private const string CoreUrl = "http://hl7.org/fhir/StructureDefinition/";

    private readonly List<string> _gaps = [];

    private FhirDefinitions Definitions => plans.Types.Definitions;

    /// <summary>Null when the profile constrains a type that R4 does not have.</summary>
    public ProfilePlan? Compile()
    {
        if (Definitions.Type(profile.Type) is not { } type)
        {
            return null;
        }

        var root = ProfileNode.Build(profile);
        var checks = new List<ProfileCheck>();
        AddInvariants(checks, root, type.Constraints);
        return new ProfilePlan(profile.Url, type, new ElementRules([.. checks], ChildrenOf(root, type)), _gaps);
    }

    private ChildRules[] ChildrenOf(ProfileNode node, FhirType? type)
    {
        var children = new List<ChildRules>();
        foreach (var child in node.Children)
        {
            if (type?.Element(child.Name) is { } element && Child(child, element) is { IsEmpty: false } rules)
            {
                children.Add(rules);
            }
        }

        return [.. children];
    }

    private ChildRules Child(ProfileNode node, FhirElement element)
    {
        var (min, max) = (node.Element?.Min ?? 0, node.Element?.Max);
        var cardinality = new CardinalityCheck(min > element.Min ? min : 0, max is { } limit && (element.Max is not { } known || limit < known) ? limit : null, Slice: null);
        return new ChildRules(element, cardinality, Rules(node, element, unsliced: null), Slicing(node, element));
    }

    private ElementRules Rules(ProfileNode node, FhirElement element, ProfileNode? unsliced)
    {
        var type = TypeOf(node, element) ?? (unsliced is null ? null : TypeOf(unsliced, element));
        var checks = new List<ProfileCheck>();
        if (node.Element is { } definition)
        {
            AddTypes(checks, definition, element);
            AddValues(checks, definition);
            AddBindings(checks, definition, element);
            AddInvariants(checks, node, [.. element.Constraints, .. type?.Constraints ?? [], .. unsliced?.Element?.Constraints ?? []]);
        }

        return new ElementRules([.. checks], ChildrenOf(node, type), element.IsChoice ? type : null);
    }

    // The one type that the element's children belong to; none for a choice that is still open.
    private FhirType? TypeOf(ProfileNode node, FhirElement element)
    {
        if (element.Members.Count == 1)
        {
            return element.Members[0].Type;
        }

        foreach (var member in element.Members)
        {
            var isNamed = node.Slice is not null && string.Equals(node.Slice, member.JsonName, StringComparison.Ordinal);
            if (isNamed || (node.Element?.Types is [var only] && only.Code == member.Type.Name))
            {
                return member.Type;
            }
        }

        return null;
    }

    private void AddTypes(List<ProfileCheck> checks, ProfileElement definition, FhirElement element)
    {
        var codes = definition.Types.Select(type => type.Code).Distinct(StringComparer.Ordinal).ToArray();
        var isResource = element.Members[0].Type.Kind == FhirTypeKind.Resource;
        if (codes.Length > 0 && (isResource ? !codes.Contains("Resource", StringComparer.Ordinal) : codes.Length < element.Members.Count))
        {
            checks.Add(new TypeCheck(codes));
        }

        foreach (var type in definition.Types)
        {
            if (type.Code == "Reference" && TargetsOf(type) is { } targets && IsNarrower(targets, element))
            {
                checks.Add(new TargetCheck(targets));
            }

            if (type.Code == "Reference" && type.TargetProfiles.Where(target => !IsPlainType(target)).ToArray() is var profiles && (profiles.Length > 0 || type.Aggregation.Count > 0 || type.Versioning is "specific" or "independent"))
            {
                // A plain type among the targets lets any resource of it pass.
                checks.Add(new TargetProfileCheck(profiles.Length == 0 ? [] : type.TargetProfiles, type.Aggregation, type.Versioning));
            }

            if (type.Profiles.Count > 0 && type.Code != "Reference" && !element.Members.Any(member => member.Profiles.SequenceEqual(type.Profiles, StringComparer.Ordinal)))
            {
                checks.Add(new TypeProfileCheck(type.Code, type.Profiles));
            }
        }
    }

    private bool IsPlainType(string target) => target.StartsWith(CoreUrl, StringComparison.Ordinal) && Definitions.Type(target[CoreUrl.Length..]) is not null;

    // Null when one of the target profiles is unknown: then the type cannot be told.
    private string[]? TargetsOf(ProfileType type)
    {
        var targets = new List<string>();
        foreach (var target in type.TargetProfiles)
        {
            var name = target.StartsWith(CoreUrl, StringComparison.Ordinal) ? target[CoreUrl.Length..] : "";
            if (name == "Resource")
            {
                return null;
            }

            if (Definitions.IsResourceType(name))
            {
                targets.Add(name);
            }
            else if (plans.Catalog.Profile(target) is { } known)
            {
                targets.Add(known.Type);
            }
            else
            {
                return null;
            }
        }

        return targets.Count == 0 ? null : [.. targets.Distinct(StringComparer.Ordinal)];
    }

    private static bool IsNarrower(string[] targets, FhirElement element) =>
        !element.Members.Any(member => member.Type.Name == "Reference" && member.TargetTypes.Count > 0 && member.TargetTypes.All(target => targets.Contains(target, StringComparer.Ordinal)));

    private static void AddValues(List<ProfileCheck> checks, ProfileElement definition)
    {
        if (definition.Fixed is { } fixedValue)
        {
            checks.Add(new ValueCheck(fixedValue, isFixed: true));
        }

        if (definition.Pattern is { } pattern)
        {
            checks.Add(new ValueCheck(pattern, isFixed: false));
        }

        if (definition.MaxLength is { } length)
        {
            checks.Add(new LengthCheck(length));
        }

        if (definition.MinValue is not null || definition.MaxValue is not null)
        {
            checks.Add(new RangeCheck(definition.MinValue, definition.MaxValue));
        }
    }

    private void AddBindings(List<ProfileCheck> checks, ProfileElement definition, FhirElement element)
    {
        var isKnown = definition.Binding is { } own && element.Binding is { } known && known.ValueSet == own.ValueSet && known.Strength >= own.Strength && known.MaxValueSet == own.MaxValueSet;
        IEnumerable<FhirBinding> bindings = definition.Binding is null || isKnown ? definition.AdditionalBindings : [definition.Binding, .. definition.AdditionalBindings];
        foreach (var binding in bindings)
        {
            AddBinding(checks, definition, element, binding);
        }
    }

    private void AddBinding(List<ProfileCheck> checks, ProfileElement definition, FhirElement element, FhirBinding binding)
    {
        foreach (var member in element.Members)
        {
            if (BindingCheck.For(binding, member.Type, plans.Types.Bindings, profile.Source) is { } check && (definition.Types.Count == 0 || definition.Types.Any(type => type.Code == member.Type.Name)))
            {
                checks.Add(element.Members.Count == 1 ? new ProfileBindingCheck(check) : new TypedCheck(member.Type, new ProfileBindingCheck(check)));
            }
        }
    }

    private void AddInvariants(List<ProfileCheck> checks, ProfileNode node, IReadOnlyList<FhirConstraint> known)
    {
        // Keys are unique per definition (eld-14), so a key that the type has is the type's.
        var added = node.Element?.Constraints.Where(constraint => !known.Any(other => other.Key == constraint.Key)).ToArray() ?? [];
        checks.AddRange(plans.Types.InvariantsOf(added).Select(invariant => new InvariantCheck(invariant)));
    }

    private SlicingCheck? Slicing(ProfileNode node, FhirElement element)
    {
        if (node.Slices.Count == 0)
        {
            return null;
        }

        var slicing = node.Element?.Slicing ?? DefaultSlicing(node, element);
        var slices = new List<SliceRules>();
        foreach (var slice in node.Slices)
        {
            if (slicing is null || new SliceCompiler(plans, profile, slice, TypeOf(slice, element) ?? TypeOf(node, element)).Conditions(slicing) is not { } conditions)
            {
                _gaps.Add($"{profile.Url} {slice.Element?.Id ?? slice.Slice}");
                return null;
            }

            var (min, max) = (slice.Element?.Min ?? 0, slice.Element?.Max);
            slices.Add(new SliceRules(slice.Slice!, conditions, new CardinalityCheck(min, max == node.Element?.Max ? null : max, slice.Slice), Rules(slice, element, node)));
        }

        return new SlicingCheck([.. slices], slicing!.Rules, slicing.Ordered);
    }

    // Extensions are always sliced by url, choices by type (FHIR R4 §5.1.0.11).
    private static ProfileSlicing? DefaultSlicing(ProfileNode node, FhirElement element) =>
        node.Name is "extension" or "modifierExtension" ? new ProfileSlicing([new ProfileDiscriminator("value", "url")], "open", Ordered: false)
        : element.IsChoice ? new ProfileSlicing([new ProfileDiscriminator("type", "$this")], "open", Ordered: false)
        : null;
}

/// <summary>A check for one form of a choice.</summary>
internal sealed class TypedCheck(FhirType type, ProfileCheck check) : ProfileCheck
{
    public override void Run(ProfileContext context, in ProfileItem item)
    {
        if (ReferenceEquals(item.Type, type))
        {
            check.Run(context, item);
        }
    }

    public override string ToString() => $"{type.Name} {check}";
}
