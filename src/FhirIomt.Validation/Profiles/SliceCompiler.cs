using FhirIomt.Fhir.Definitions;
using FhirIomt.Validation.Base;

namespace FhirIomt.Validation.Profiles;

/// <summary>Finds out what tells a slice from others: for each discriminator the value, set or type that the slice fixes there.</summary>
internal sealed class SliceCompiler(ProfilePlans plans, ProfileNode slice, FhirType? type)
{
    /// <summary>Null when a discriminator cannot be told here (profiles, resolve(), or nothing fixed).</summary>
    public SliceCondition[]? Conditions(ProfileSlicing slicing)
    {
        var conditions = new List<SliceCondition>();
        foreach (var discriminator in slicing.Discriminators)
        {
            if (DiscriminatorPath.Parse(discriminator.Path) is not { } path || Condition(discriminator, path) is not { } condition)
            {
                return null;
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
        _ => null,
    };

    private SliceCondition? Value(DiscriminatorPath path)
    {
        var names = path.Names.ToArray();
        var nodes = new List<ProfileNode> { slice };
        for (var depth = 0; ; depth++)
        {
            var values = nodes.Where(node => node.Value is not null).Select(node => new ValueCheck(node.Value!, node.Element!.Fixed is not null)).ToArray();
            if (values.Length > 0)
            {
                // A pattern above the discriminator fixes what is below it.
                return new ValueCondition(path.Take(depth), values);
            }

            if (names is ["url"] && slice.Element?.Types is [{ Code: "Extension", Profiles: [var url, ..] }])
            {
                return new ValueCondition(path, [new ValueCheck(new ProfileValue("uri", $"\"{url.Split('|')[0]}\""), isFixed: true)]);
            }

            if (depth == names.Length)
            {
                return Bound(path, nodes);
            }

            nodes = Below(nodes, names[depth]);
        }
    }

    private static List<ProfileNode> Below(List<ProfileNode> nodes, string name)
    {
        var below = new List<ProfileNode>();
        foreach (var node in nodes)
        {
            if (node.Find(name) is { } child)
            {
                below.Add(child);
                below.AddRange(child.Slices.Where(inner => inner.Element is { Min: > 0 }));
            }
        }

        return below;
    }

    private BoundCondition? Bound(DiscriminatorPath path, List<ProfileNode> nodes)
    {
        var target = type;
        foreach (var name in path.Names)
        {
            target = target?.Element(name)?.Members[0].Type;
        }

        foreach (var node in nodes)
        {
            if (target is not null && node.Element?.Binding is { Strength: BindingStrength.Required } binding && BindingCheck.For(binding, target, plans.Catalog.ValueSet) is { } check)
            {
                return new BoundCondition(path, check);
            }
        }

        return null;
    }

    private ExistsCondition? Exists(DiscriminatorPath path)
    {
        var nodes = path.Names.Aggregate(new List<ProfileNode> { slice }, Below);
        return nodes is [{ Element: { } element }, ..] ? element.Max == 0 ? new ExistsCondition(path, exists: false) : element.Min > 0 ? new ExistsCondition(path, exists: true) : null : null;
    }

    private SliceCondition? TypeAt(DiscriminatorPath path)
    {
        if (!path.Names.Any())
        {
            // value[x]:valueQuantity says its type by its name.
            var codes = slice.Element is { Types.Count: > 0 } element ? element.Types.Select(known => known.Code).ToArray() : type is not null ? [type.Name] : [];
            return codes.Length > 0 ? new TypeCondition(new TypeCheck(codes)) : null;
        }

        var nodes = path.Names.Aggregate(new List<ProfileNode> { slice }, Below);
        return nodes is [{ Element.Types: [var only] }, ..] && plans.Types.Definitions.IsResourceType(only.Code) ? new ResourceTypeCondition(path, only.Code) : null;
    }
}
