using System.Text;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Validation.Base;
using Step = FhirIomt.Validation.Profiles.DiscriminatorPath.Step;
using StepKind = FhirIomt.Validation.Profiles.DiscriminatorPath.StepKind;

namespace FhirIomt.Validation.Profiles;

/// <summary>Finds out what tells a slice from others: for each discriminator the value, set, type or profile that the slice fixes there.</summary>
internal sealed class SliceCompiler(ProfilePlans plans, StructureProfile profile, ProfileNode slice, FhirType? type)
{
    private const string CoreUrl = "http://hl7.org/fhir/StructureDefinition/";

    /// <summary>Null when a discriminator cannot be told: nothing is fixed there.</summary>
    public SliceCondition[]? Conditions(ProfileSlicing slicing)
    {
        var conditions = new List<SliceCondition>();
        foreach (var discriminator in slicing.Discriminators)
        {
            if (DiscriminatorPath.Parse(discriminator.Path) is not { } path || Condition(discriminator, path) is not { } condition)
            {
                // One that says nothing for this slice leaves it to the others; all of them silent leave the slice unknown.
                continue;
            }

            conditions.Add(condition);
        }

        return conditions.Count == 0 ? null : [.. conditions];
    }

    private SliceCondition? Condition(ProfileDiscriminator discriminator, DiscriminatorPath path) => discriminator.Kind switch
    {
        "value" or "pattern" => Value(path),
        "exists" => Exists(path),
        "type" => TypeAt(path),
        "profile" => ProfileAt(path),
        _ => null,
    };

    private SliceCondition? Value(DiscriminatorPath path)
    {
        var nodes = new List<ProfileNode> { slice };
        for (var depth = 0; ; depth++)
        {
            var values = nodes.Where(node => node.Value is not null).Select(node => new ValueCheck(node.Value!, node.Element!.Fixed is not null)).ToArray();
            if (values.Length > 0)
            {
                // A pattern above the discriminator fixes what is below it.
                return new ValueCondition(path.Take(depth), values);
            }

            if (path.Steps is [{ Kind: StepKind.Name } only] && only.Text.AsSpan().SequenceEqual("url"u8) && slice.Element?.Types is [{ Code: "Extension", Profiles: [var url, ..] }])
            {
                return new ValueCondition(path, [new ValueCheck(new ProfileValue("uri", $"\"{url.Split('|')[0]}\""), isFixed: true)]);
            }

            if (depth == path.Steps.Count)
            {
                return (SliceCondition?)Present(path, nodes) ?? Bound(path, nodes);
            }

            nodes = Below(nodes, path.Steps[depth]);
        }
    }

    // A value that must be there, or must not, tells slices apart even when it is not fixed.
    private static ExistsCondition? Present(DiscriminatorPath path, List<ProfileNode> nodes) =>
        nodes is [{ Element.Max: 0 }, ..] ? new ExistsCondition(path, exists: false) : null;

    private List<ProfileNode> Below(List<ProfileNode> nodes, Step step)
    {
        var below = new List<ProfileNode>();
        foreach (var node in nodes)
        {
            foreach (var holder in HoldersOf(node, step))
            {
                var child = step.Kind switch
                {
                    StepKind.Name => holder.Find(Encoding.UTF8.GetString(step.Text)),
                    StepKind.Extension => holder.Find("extension")?.Slices.Find(known => IsExtension(known, Encoding.UTF8.GetString(step.Text))),
                    _ => holder,
                };
                if (child is not null)
                {
                    below.Add(child);
                    below.AddRange(child.Slices.Where(inner => inner.Element is { Min: > 0 }));
                }
            }
        }

        return below;
    }

    private static bool IsExtension(ProfileNode node, string url) =>
        node.Element?.Types is [{ Profiles: [var profile, ..] }] && profile.Split('|')[0] == url || node.Find("url")?.Value?.Json.Trim('"') == url;

    // What a node says of its children may stand in the profile of its type, or of the resource that it refers to.
    private IEnumerable<ProfileNode> HoldersOf(ProfileNode node, Step step)
    {
        if (step.Kind != StepKind.Resolve)
        {
            yield return node;
        }

        foreach (var known in node.Element?.Types ?? [])
        {
            foreach (var canonical in step.Kind == StepKind.Resolve ? known.TargetProfiles : known.Profiles)
            {
                if (plans.Catalog.Profile(canonical, profile.Source) is { } definition)
                {
                    yield return ProfileNode.Build(definition);
                }
            }
        }
    }

    private BoundCondition? Bound(DiscriminatorPath path, List<ProfileNode> nodes)
    {
        var target = type;
        foreach (var step in path.Steps)
        {
            target = target?.Element(Encoding.UTF8.GetString(step.Text))?.Members[0].Type;
        }

        foreach (var node in nodes)
        {
            if (target is not null && node.Element?.Binding is { Strength: BindingStrength.Required } binding && BindingCheck.For(binding, target, plans.Types.Bindings, profile.Source) is { } check)
            {
                return new BoundCondition(path, check);
            }
        }

        return null;
    }

    private ExistsCondition? Exists(DiscriminatorPath path)
    {
        var nodes = path.Steps.Aggregate(new List<ProfileNode> { slice }, Below);
        return nodes is [{ Element: { } element }, ..] ? element.Max == 0 ? new ExistsCondition(path, exists: false) : element.Min > 0 ? new ExistsCondition(path, exists: true) : null : null;
    }

    private SliceCondition? TypeAt(DiscriminatorPath path)
    {
        if (path.IsThis)
        {
            // value[x]:valueQuantity says its type by its name.
            var codes = slice.Element is { Types.Count: > 0 } element ? element.Types.Select(known => known.Code).ToArray() : type is not null ? [type.Name] : [];
            return codes.Length > 0 ? new TypeCondition(new TypeCheck(codes)) : null;
        }

        var types = TypesAt(path);
        return types.Length > 0 ? new TypeAtCondition(path, types) : null;
    }

    private string[] TypesAt(DiscriminatorPath path)
    {
        if (path.Steps[^1].Kind == StepKind.Resolve)
        {
            var references = path.Steps.Take(path.Steps.Count - 1).Aggregate(new List<ProfileNode> { slice }, Below);
            return [.. references.SelectMany(node => node.Element?.Types ?? []).SelectMany(known => known.TargetProfiles).Select(TypeOf).OfType<string>().Distinct(StringComparer.Ordinal)];
        }

        var nodes = path.Steps.Aggregate(new List<ProfileNode> { slice }, Below);
        var choice = nodes is [{ Slices: [{ } only] }] ? only : nodes.FirstOrDefault();
        return choice?.Element?.Types.Select(known => known.Code).Where(code => code is not ("Resource" or "")).Distinct(StringComparer.Ordinal).ToArray() ?? [];
    }

    private string? TypeOf(string canonical) =>
        canonical.StartsWith(CoreUrl, StringComparison.Ordinal) && plans.Types.Definitions.IsResourceType(canonical[CoreUrl.Length..]) ? canonical[CoreUrl.Length..]
        : plans.Catalog.Profile(canonical, profile.Source)?.Type;

    private ProfileCondition? ProfileAt(DiscriminatorPath path)
    {
        var isReference = path.Steps is [.., { Kind: StepKind.Resolve }];
        var nodes = path.Steps.Take(isReference ? path.Steps.Count - 1 : path.Steps.Count).Aggregate(new List<ProfileNode> { slice }, Below);
        var profiles = nodes.SelectMany(node => node.Element?.Types ?? []).SelectMany(known => isReference ? known.TargetProfiles : known.Profiles).Distinct(StringComparer.Ordinal).ToArray();
        return profiles.Length > 0 ? new ProfileCondition(path, profiles) : null;
    }
}
