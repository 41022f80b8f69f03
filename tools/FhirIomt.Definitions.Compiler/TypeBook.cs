using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Definitions.Compiler;

/// <summary>Compiles the StructureDefinitions of types into the first book; TypeTables reads it.</summary>
internal sealed class TypeBook
{
    private const string Root = "http://hl7.org/fhir/StructureDefinition/";

    private readonly BookWriter _writer;
    private readonly List<TypeSource> _types = [];
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> _rootKeys = new(StringComparer.Ordinal);
    private readonly List<FhirConstraint> _constraints = [];
    private readonly Dictionary<FhirConstraint, int> _constraintNumbers = [];

    public TypeBook(BookWriter writer, PackageSource source)
    {
        _writer = writer;
        var definitions = source.All("StructureDefinition").Where(IsType).ToDictionary(definition => definition["type"u8].AsString()!, StringComparer.Ordinal);
        foreach (var name in definitions.Keys.Order(StringComparer.Ordinal))
        {
            AddType(name, definitions);
        }
    }

    public IEnumerable<string> ConcreteResources => _types.Where(type => type is { Kind: FhirTypeKind.Resource, IsAbstract: false }).Select(type => type.Name);

    /// <summary>Writes every table; the returned action writes the directory's part.</summary>
    public Action Write()
    {
        var offsets = _types.ConvertAll(WriteTable);
        var constraintsAt = _writer.Offset;
        _writer.Int(_constraints.Count);
        foreach (var constraint in _constraints)
        {
            _writer.Text(constraint.Key);
            _writer.Int(constraint.IsError ? 1 : 0);
            _writer.Text(constraint.Expression);
        }

        return () =>
        {
            _writer.Int(constraintsAt);
            _writer.Int(_types.Count);
            foreach (var (type, offset) in _types.Zip(offsets))
            {
                _writer.Text(type.Name);
                _writer.Int((int)type.Kind | (type.IsAbstract ? 4 : 0));
                _writer.OptionalInt(type.Base);
                _writer.Int(offset);
            }
        };
    }

    private static bool IsType(ResourceNode definition)
    {
        var isConcrete = definition["derivation"u8] is { Exists: false } || definition["derivation"u8].TextEquals("specialization"u8);
        return isConcrete && definition["kind"u8].AsString() is "primitive-type" or "complex-type" or "resource" && definition["derivation"u8].AsString() != "constraint";
    }

    private int AddType(string name, Dictionary<string, ResourceNode> definitions)
    {
        if (_numbers.TryGetValue(name, out var known))
        {
            return known;
        }

        var definition = definitions[name];
        int? baseNumber = definition["baseDefinition"u8].AsString() is { } url && definitions.ContainsKey(url[Root.Length..]) ? AddType(url[Root.Length..], definitions) : null;
        var kind = definition["kind"u8].AsString() switch
        {
            "primitive-type" => FhirTypeKind.Primitive,
            "resource" => FhirTypeKind.Resource,
            _ => FhirTypeKind.Complex,
        };
        var elements = definition["snapshot"u8]["element"u8].Items;
        var tree = new List<ResourceNode>();
        foreach (var element in elements)
        {
            tree.Add(element);
        }

        var number = Add(new TypeSource(name, kind, definition["abstract"u8].Kind == NodeKind.True, baseNumber, tree[0], ChildrenOf(name, tree, kind), Pattern(kind, tree)));
        _rootKeys[name] = [.. ProfileReader.ReadConstraints(tree[0]).Select(constraint => constraint.Key)];
        foreach (var element in tree.Skip(1))
        {
            var path = element["path"u8].AsString()!;
            var children = ChildrenOf(path, tree, FhirTypeKind.Backbone);
            if (children.Count > 0)
            {
                var baseName = ProfileReader.TypeCode(element["type"u8].First());
                Add(new TypeSource(path, FhirTypeKind.Backbone, IsAbstract: false, AddType(baseName, definitions), element, children, Pattern: null));
            }
        }

        return number;
    }

    private int Add(TypeSource type)
    {
        _numbers.Add(type.Name, _types.Count);
        _types.Add(type);
        return _types.Count - 1;
    }

    private static List<ResourceNode> ChildrenOf(string path, List<ResourceNode> elements, FhirTypeKind kind) => elements.FindAll(element =>
    {
        var child = element["path"u8].AsString()!;
        var isDirect = child.Length > path.Length && child.StartsWith(path + ".", StringComparison.Ordinal) && child.IndexOf('.', path.Length + 1) < 0;
        return isDirect && !(kind == FhirTypeKind.Primitive && child == path + ".value");
    });

    private static string? Pattern(FhirTypeKind kind, List<ResourceNode> elements)
    {
        if (kind != FhirTypeKind.Primitive)
        {
            return null;
        }

        foreach (var extension in elements[^1]["type"u8].First()["extension"u8].Items)
        {
            if (extension["url"u8].TextEquals("http://hl7.org/fhir/StructureDefinition/regex"u8))
            {
                return extension["valueString"u8].AsString();
            }
        }

        return null;
    }

    private int WriteTable(TypeSource type)
    {
        var offset = _writer.Offset;
        _writer.OptionalText(type.Pattern);
        WriteConstraints(ProfileReader.ReadConstraints(type.Root));
        _writer.Int(type.Children.Count);
        foreach (var element in type.Children)
        {
            WriteElement(element);
        }

        return offset;
    }

    private void WriteElement(ResourceNode element)
    {
        var path = element["path"u8].AsString()!;
        var name = path[(path.LastIndexOf('.') + 1)..];
        var isChoice = name.EndsWith("[x]", StringComparison.Ordinal);
        name = isChoice ? name[..^3] : name;
        var binding = ProfileReader.ReadBinding(element);
        var members = MembersOf(element, name, isChoice);
        _writer.Text(name);
        _writer.Text(path);
        _writer.Int(ProfileReader.ReadMin(element["min"u8]));
        _writer.OptionalInt(ProfileReader.ReadMax(element["max"u8]));
        _writer.Int((element["base"u8]["max"u8].AsString() is not ("0" or "1") ? 1 : 0) | (isChoice ? 2 : 0) | Flag(element["isSummary"u8], 4) | Flag(element["isModifier"u8], 8) | (binding is null ? 0 : 16));
        if (binding is not null)
        {
            _writer.Int((int)binding.Strength);
            _writer.Text(binding.ValueSet);
            _writer.OptionalText(binding.MaxValueSet);
        }

        // What the types' own roots or the backbone's own table demand is not repeated on the element.
        WriteConstraints([.. ProfileReader.ReadConstraints(element).Where(constraint => !members.TrueForAll(member => HoldsAtRoot(member.Type, constraint.Key)))]);
        _writer.Int(members.Count);
        foreach (var member in members)
        {
            _writer.Text(member.JsonName);
            _writer.Int(member.Type);
            _writer.Texts(member.Targets);
            _writer.Texts(member.Profiles);
        }
    }

    private bool HoldsAtRoot(int type, string key) => _types[type].Kind == FhirTypeKind.Backbone || _rootKeys[_types[type].Name].Contains(key);

    private static int Flag(ResourceNode node, int flag) => node is { Exists: true, Kind: NodeKind.True } ? flag : 0;

    private List<MemberSource> MembersOf(ResourceNode element, string name, bool isChoice)
    {
        var path = element["path"u8].AsString()!;
        if (element["contentReference"u8].AsString() is { } reference)
        {
            return [new MemberSource(name, _numbers[reference[(reference.IndexOf('#') + 1)..]], [], [])];
        }

        if (_numbers.TryGetValue(path, out var backbone))
        {
            return [new MemberSource(name, backbone, [], [])];
        }

        // Several entries with the same code (Reference in some versions) are one JSON member.
        var members = new List<MemberSource>();
        foreach (var type in element["type"u8].Items)
        {
            // Resource.id is of type id (§2.27); its snapshot calls it string.
            var code = path.EndsWith(".id", StringComparison.Ordinal) && element["base"u8]["path"u8].TextEquals("Resource.id"u8) ? "id" : ProfileReader.TypeCode(type);
            var json = isChoice ? name + char.ToUpperInvariant(code[0]) + code[1..] : name;
            var targets = ProfileReader.ReadTexts(type["targetProfile"u8]).Select(target => target[(target.LastIndexOf('/') + 1)..]).ToList();
            members.Add(new MemberSource(json, _numbers[code], targets.Contains("Resource") ? [] : targets, ProfileReader.ReadTexts(type["profile"u8])));
        }

        return members;
    }

    private void WriteConstraints(IReadOnlyList<FhirConstraint> constraints)
    {
        _writer.Int(constraints.Count);
        foreach (var constraint in constraints.Select(Corrected))
        {
            if (!_constraintNumbers.TryGetValue(constraint, out var number))
            {
                number = _constraints.Count;
                _constraintNumbers.Add(constraint, number);
                _constraints.Add(constraint);
            }

            _writer.Int(number);
        }
    }

    // R4's que-7 asks for System.Boolean, which an answerBoolean (FHIR.boolean) never is; R4B writes "boolean".
    private static FhirConstraint Corrected(FhirConstraint constraint) => constraint.Key == "que-7"
        ? constraint with { Expression = constraint.Expression.Replace("is Boolean", "is boolean", StringComparison.Ordinal) }
        : constraint;

    private sealed record TypeSource(string Name, FhirTypeKind Kind, bool IsAbstract, int? Base, ResourceNode Root, List<ResourceNode> Children, string? Pattern);

    private sealed record MemberSource(string JsonName, int Type, IReadOnlyList<string> Targets, IReadOnlyList<string> Profiles);
}
