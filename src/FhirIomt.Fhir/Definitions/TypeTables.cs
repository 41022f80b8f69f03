using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.Definitions;

/// <summary>The types, search parameters and compartments of the compiled definitions. The directory is read at once, everything else when asked for.</summary>
internal sealed class TypeTables : ITypeTables
{
    private readonly DefinitionBook _book;
    private readonly FhirType[] _types;
    private readonly Dictionary<string, FhirType> _byName;
    private readonly Dictionary<string, int> _search = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Compartment, string Type), string[]> _compartments = [];
    private readonly Lazy<FhirConstraint[]> _constraints;

    public TypeTables(DefinitionBook book)
    {
        _book = book;
        var directory = book.Directory();
        var constraintsAt = directory.Int();
        _constraints = new Lazy<FhirConstraint[]>(() => ReadConstraintTable(constraintsAt));
        _types = ReadTypes(ref directory);
        _byName = _types.ToDictionary(type => type.Name, StringComparer.Ordinal);
        for (var left = directory.Int(); left > 0; left--)
        {
            _search.Add(directory.Text(), directory.Int());
        }

        for (var left = directory.Int(); left > 0; left--)
        {
            _compartments.Add((directory.Text(), directory.Text()), directory.Texts());
        }
    }

    public IReadOnlyList<FhirType> All => _types;

    public FhirType? Find(string name) => _byName.GetValueOrDefault(name);

    public IReadOnlyList<string> CompartmentParameters(string compartment, string type) => _compartments.GetValueOrDefault((compartment, type)) ?? [];

    public FhirTypeTable Load(FhirType type)
    {
        var cursor = _book.At(type.Position);
        var pattern = cursor.OptionalText();
        var constraints = ReadConstraints(ref cursor);
        var elements = new FhirElement[cursor.Int()];
        var ordinal = 0;
        for (var index = 0; index < elements.Length; index++)
        {
            elements[index] = ReadElement(ref cursor, ref ordinal);
        }

        return new FhirTypeTable(elements, constraints, pattern);
    }

    public SearchParameter[] LoadSearchParameters(string resourceType)
    {
        if (!_search.TryGetValue(resourceType, out var offset))
        {
            return [];
        }

        var cursor = _book.At(offset);
        var parameters = new SearchParameter[cursor.Int()];
        for (var index = 0; index < parameters.Length; index++)
        {
            var (code, url, type) = (cursor.Text(), cursor.Text(), (SearchParameterType)cursor.Int());
            var (expression, targets) = (cursor.OptionalText(), cursor.Texts());
            var components = new SearchParameterComponent[cursor.Int()];
            for (var part = 0; part < components.Length; part++)
            {
                components[part] = new SearchParameterComponent(cursor.Text(), cursor.Text());
            }

            expression = resourceType == "Provenance" && code == "patient" ? ProvenancePatient.Expression(expression!) : expression;
            parameters[index] = new SearchParameter(resourceType, code, url, type, expression, targets, components);
        }

        return parameters;
    }

    private FhirType[] ReadTypes(ref BookCursor directory)
    {
        // The compiler writes a base type before the types derived from it.
        var types = new FhirType[directory.Int()];
        for (var index = 0; index < types.Length; index++)
        {
            var name = directory.Text();
            var flags = directory.Int();
            var baseType = directory.OptionalInt() is { } number ? types[number] : null;
            types[index] = new FhirType(name, (FhirTypeKind)(flags & 3), (flags & 4) != 0, baseType, this, directory.Int());
        }

        return types;
    }

    private FhirElement ReadElement(ref BookCursor cursor, ref int ordinal)
    {
        var (name, path, min, max, flags) = (cursor.Text(), cursor.Text(), cursor.Int(), cursor.OptionalInt(), cursor.Int());
        var element = new FhirElement(name, path, min, max)
        {
            IsArray = (flags & 1) != 0,
            IsChoice = (flags & 2) != 0,
            IsSummary = (flags & 4) != 0,
            IsModifier = (flags & 8) != 0,
            Binding = (flags & 16) != 0 ? new FhirBinding((BindingStrength)cursor.Int(), cursor.Text(), cursor.OptionalText()) : null,
            Constraints = ReadConstraints(ref cursor),
        };
        var members = new FhirMember[cursor.Int()];
        for (var index = 0; index < members.Length; index++)
        {
            members[index] = new FhirMember(cursor.Text(), element, _types[cursor.Int()], cursor.Texts()) { Profiles = cursor.Texts(), Ordinal = ordinal++ };
        }

        element.Members = members;
        return element;
    }

    private FhirConstraint[] ReadConstraints(ref BookCursor cursor)
    {
        var count = cursor.Int();
        if (count == 0)
        {
            return [];
        }

        var constraints = new FhirConstraint[count];
        for (var index = 0; index < count; index++)
        {
            constraints[index] = _constraints.Value[cursor.Int()];
        }

        return constraints;
    }

    private FhirConstraint[] ReadConstraintTable(int offset)
    {
        var cursor = _book.At(offset);
        var constraints = new FhirConstraint[cursor.Int()];
        for (var index = 0; index < constraints.Length; index++)
        {
            constraints[index] = ProfileReader.MakeConstraint(cursor.Text(), cursor.Int() == 1, cursor.Text());
        }

        return constraints;
    }
}
