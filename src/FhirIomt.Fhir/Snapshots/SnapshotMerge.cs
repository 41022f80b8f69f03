using System.Text.Json;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Snapshots;

/// <summary>Lays a differential over a base, element by element.</summary>
/// <param name="isConstraint">A profile may only narrow; a specialisation (a logical model, a new type) may add elements.</param>
internal sealed class SnapshotMerge(SnapshotGenerator.SnapshotBases bases, int depth, bool isConstraint)
{
    // Elements walked into, types within types: the deepest real profile goes nine deep.
    private const int MaxNesting = 40;

    private const string Core = "http://hl7.org/fhir/StructureDefinition/";

    private SnapshotNode? _base;

    public SnapshotGenerator.SnapshotBases Bases => bases;

    public SnapshotNode Build(SnapshotNode baseTree, SnapshotNode differential, string type)
    {
        if (isConstraint && differential.Name.Length > 0 && differential.Name != baseTree.Name)
        {
            throw new SnapshotException(SnapshotIssues.NoElement(differential.Name));
        }

        if (isConstraint && type != baseTree.Name && !type.EndsWith("/" + baseTree.Name, StringComparison.Ordinal))
        {
            throw new SnapshotException(SnapshotIssues.WrongType(baseTree.Name, type));
        }

        _base = baseTree;
        var root = isConstraint || baseTree.Name == type ? baseTree.Clone() : Renamed(baseTree, type);
        SetBases(root, baseTree.Name);
        if (differential.Name.Length > 0)
        {
            Apply(root, differential, root.Name, nesting: 0);
        }

        return root;
    }

    // Each element says where it was first defined (ElementDefinition.base).
    private static void SetBases(SnapshotNode node, string path)
    {
        if (node.Element is { } element && !element["base"].Exists)
        {
            element.SetJson("base", $$"""{"path":"{{JsonEncodedText.Encode(path)}}","min":{{element.Min}},"max":"{{JsonEncodedText.Encode(element["max"].AsString() ?? "*")}}"}""");
        }

        foreach (var child in node.Children)
        {
            SetBases(child, $"{path}.{child.Name}");
        }

        foreach (var slice in node.Slices)
        {
            SetBases(slice, path);
        }
    }

    private static SnapshotNode Renamed(SnapshotNode tree, string name)
    {
        var root = new SnapshotNode(name) { Element = tree.Element?.Clone() };
        root.Children.AddRange(tree.Children.Select(child => child.Clone()));
        return root;
    }

    internal void Apply(SnapshotNode target, SnapshotNode differential, string path, int nesting)
    {
        if (nesting > MaxNesting)
        {
            throw new SnapshotException(SnapshotIssues.Circular(path));
        }

        // Slices start from what the base says; what the differential says of all entries applies to each entry anyway.
        var start = differential.Slices.Count > 0 ? Copy(target, path) : target;
        if (differential.Element is { } said)
        {
            Element(target, said, path);
        }

        foreach (var child in differential.Children)
        {
            Child(target, child, path, nesting);
        }

        if (differential.Slices.Count > 0)
        {
            new SliceMerge(this, target, start, path, nesting).Run(differential);
        }
    }

    private SnapshotNode Copy(SnapshotNode node, string path)
    {
        Bases.Spend(node, path);
        return node.Clone();
    }

    private void Element(SnapshotNode target, ElementDraft said, string path)
    {
        var element = target.Element ??= new ElementDraft();
        SnapshotRules.Check(element, said, path, target.Slice is not null);
        TakeProfile(element, said, target, path);
        ElementMerge.Apply(element, said, mayWiden: target.Slice is not null);
        if (element["binding"].Exists && element.TypeCodes() is { Count: > 0 } codes && !codes.Any(SnapshotRules.HasCodes))
        {
            element.Remove("binding");
        }

        if (said["slicing"].Exists)
        {
            element.Set("slicing", said["slicing"]);
        }
    }

    // An extension, or a type with a profile, brings its profile's own words for the element (short, definition, whether it modifies).
    private void TakeProfile(ElementDraft element, ElementDraft said, SnapshotNode target, string path)
    {
        if (said["type"].Count != 1 || said["type"].First()["profile"u8].First().AsString() is not { } profile || Bases.Find(profile, depth) is not { Element: { } root })
        {
            return;
        }

        SnapshotRules.CheckProfile(said, root, path);
        if (target.Name is not ("extension" or "modifierExtension"))
        {
            return;
        }

        foreach (var name in (string[])["short", "definition", "comment", "requirements", "alias", "isModifier", "isModifierReason"])
        {
            if (root[name].Exists)
            {
                element.Set(name, root[name]);
            }
        }

        if (root["max"].Exists)
        {
            // How often an extension may stand is its own to say; the profile that uses it has the last word.
            element.Set("max", root["max"]);
        }

    }

    private void Child(SnapshotNode target, SnapshotNode differential, string path, int nesting)
    {
        Expand(target, path, nesting);
        var childPath = $"{path}.{differential.Name}";
        if (target.Find(differential.Name) is { } child)
        {
            Apply(child, differential, childPath, nesting + 1);
        }
        else if (ChoiceOf(target, differential.Name) is var (choice, type))
        {
            Typed(choice, type, differential, $"{path}.{choice.Name}", nesting);
        }
        else if (target.Find(differential.Name + "[x]") is { } open)
        {
            Apply(open, differential, $"{path}.{open.Name}", nesting + 1);
        }
        else if (isConstraint)
        {
            throw new SnapshotException(SnapshotIssues.NoElement(childPath));
        }
        else
        {
            Add(target, differential, childPath);
        }
    }

    // valueDecimal where the base allows a decimal only is the element itself; elsewhere it is a slice.
    private void Typed(SnapshotNode choice, string type, SnapshotNode differential, string path, int nesting)
    {
        if (choice.IsSingleInBase && choice.Slices.Count == 0 && differential.Slices.Count == 0 && differential.Element?.SliceName is null)
        {
            Apply(choice, differential, path, nesting + 1);
            return;
        }

        new SliceMerge(this, choice, choice, path, nesting).RunType(differential, type);
    }

    private static void Add(SnapshotNode target, SnapshotNode differential, string path)
    {
        var added = new SnapshotNode(differential.Name) { Element = differential.Element?.Clone() ?? new ElementDraft() };
        added.Children.AddRange(differential.Children.Select(child => child.Clone()));
        SetBases(added, path);
        target.Children.Add(added);
    }

    /// <summary>valueQuantity is value[x] with the type Quantity.</summary>
    private static (SnapshotNode Choice, string Type)? ChoiceOf(SnapshotNode target, string name)
    {
        foreach (var child in target.Children)
        {
            if (!child.Name.EndsWith("[x]", StringComparison.Ordinal) || !name.StartsWith(child.Name[..^3], StringComparison.Ordinal))
            {
                continue;
            }

            var suffix = name[(child.Name.Length - 3)..];
            foreach (var code in child.Element?.TypeCodes() ?? [])
            {
                if (code.Length > 0 && char.ToUpperInvariant(code[0]) + code[1..] == suffix)
                {
                    return (child, code);
                }
            }
        }

        return null;
    }

    /// <summary>Gives an element the children of its type, so that the differential can speak of them.</summary>
    internal void Expand(SnapshotNode target, string path, int nesting)
    {
        if (target.Children.Count > 0 || target.Element is not { } element)
        {
            return;
        }

        if (element["contentReference"].AsString() is { } reference)
        {
            ExpandReference(target, element, reference);
            return;
        }

        var types = element["type"];
        var profile = types.Count == 1 ? types.First()["profile"u8] : default;
        var code = types.Count == 1 ? types.First()["code"u8].AsString() ?? "" : types.Count > 1 && types.Items is var all && AllAre(all, "Reference") ? "Reference" : "Element";
        var canonical = profile.Count == 1 && code != "Reference" ? profile.First().AsString()! : Canonical(code);
        var found = Bases.Find(canonical, depth + nesting / 8) ?? Bases.Find(Canonical(code), depth);
        if (found is null)
        {
            throw new SnapshotException(SnapshotIssues.NoBase(path, canonical));
        }

        Bases.Spend(found, path);
        var children = found.Clone();
        SetBases(children, found.Name);
        target.Children.AddRange(children.Children);
    }

    private static bool AllAre(ResourceNode.ItemEnumerator types, string code)
    {
        foreach (var type in types)
        {
            if (!(type["code"u8].AsString() == code))
            {
                return false;
            }
        }

        return true;
    }

    private static string Canonical(string code) => code.Contains(':') ? code.StartsWith("http://hl7.org/fhirpath/System.", StringComparison.Ordinal) && code.Length > 31 ? Core + char.ToLowerInvariant(code[31]) + code[32..] : code : Core + code;

    private void ExpandReference(SnapshotNode target, ElementDraft element, string reference)
    {
        var hash = reference.IndexOf('#');
        var node = _base;
        foreach (var name in reference[(hash + 1)..].Split('.').Skip(1))
        {
            node = node?.Find(name);
        }

        if (node is null)
        {
            return;
        }

        Bases.Spend(node, reference);
        var copy = node.Clone();
        target.Children.AddRange(copy.Children);
        element.Remove("contentReference");
        if (node.Element is { } defined)
        {
            element.Set("type", defined["type"]);
        }
    }
}
