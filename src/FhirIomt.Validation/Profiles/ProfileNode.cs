using FhirIomt.Fhir.Definitions;

namespace FhirIomt.Validation.Profiles;

/// <summary>The elements of a profile as the tree that their ids spell: <c>Observation.code.coding:mdc.system</c>.</summary>
internal sealed class ProfileNode(string name, string? slice)
{
    /// <summary>FHIRPath name, without <c>[x]</c>.</summary>
    public string Name => name;

    public string? Slice => slice;

    public ProfileElement? Element { get; private set; }

    public List<ProfileNode> Children { get; } = [];

    public List<ProfileNode> Slices { get; } = [];

    /// <summary>fixed[x] or pattern[x], whichever the element has.</summary>
    public ProfileValue? Value => Element?.Fixed ?? Element?.Pattern;

    public static ProfileNode Build(StructureProfile profile)
    {
        var root = new ProfileNode(profile.Type, slice: null);
        foreach (var element in profile.Elements)
        {
            var node = root;
            foreach (var part in element.Id.Split('.').Skip(1))
            {
                var colon = part.IndexOf(':');
                var name = colon < 0 ? part : part[..colon];
                node = node.Child(name.EndsWith("[x]", StringComparison.Ordinal) ? name[..^3] : name);
                node = colon < 0 ? node : node.SliceOf(part[(colon + 1)..]);
            }

            node.Element = element;
        }

        return root;
    }

    public ProfileNode? Find(string name) => Children.Find(child => child.Name == name);

    private ProfileNode Child(string name)
    {
        if (Find(name) is { } known)
        {
            return known;
        }

        Children.Add(new ProfileNode(name, slice: null));
        return Children[^1];
    }

    private ProfileNode SliceOf(string name)
    {
        if (Slices.Find(known => known.Slice == name) is { } found)
        {
            return found;
        }

        Slices.Add(new ProfileNode(Name, name));
        return Slices[^1];
    }
}
