namespace FhirIomt.Fhir.Definitions;

/// <summary>R4's own profiles and extensions in compiled form; the order of fields is that of the compiler's ProfileBook.</summary>
internal sealed class ProfileTables
{
    private readonly DefinitionBook _book;
    private readonly Dictionary<string, int> _offsets = new(StringComparer.Ordinal);

    public ProfileTables(DefinitionBook book)
    {
        _book = book;
        var directory = book.Directory();
        for (var left = directory.Int(); left > 0; left--)
        {
            _offsets.Add(directory.Text(), directory.Int());
        }
    }

    public IReadOnlyCollection<string> Urls => _offsets.Keys;

    public StructureProfile? Load(string url)
    {
        if (!_offsets.TryGetValue(url, out var offset))
        {
            return null;
        }

        var cursor = _book.At(offset);
        var (version, type, baseUrl) = (cursor.OptionalText(), cursor.Text(), cursor.OptionalText());
        var contexts = new ExtensionContext[cursor.Int()];
        for (var index = 0; index < contexts.Length; index++)
        {
            contexts[index] = new ExtensionContext(cursor.Text(), cursor.Text());
        }

        var elements = new ProfileElement[cursor.Int()];
        for (var index = 0; index < elements.Length; index++)
        {
            elements[index] = ReadElement(ref cursor);
        }

        return new StructureProfile(url, version, type, baseUrl, elements, contexts);
    }

    private static ProfileElement ReadElement(ref BookCursor cursor)
    {
        var flags = cursor.Int();
        return new ProfileElement
        {
            MustSupport = (flags & 1) != 0,
            IsModifier = (flags & 2) != 0,
            Id = cursor.Text(),
            Path = cursor.Text(),
            SliceName = cursor.OptionalText(),
            Min = cursor.Int(),
            Max = cursor.OptionalInt(),
            Types = ReadTypes(ref cursor),
            Fixed = ReadValue(ref cursor),
            Pattern = ReadValue(ref cursor),
            MinValue = ReadValue(ref cursor),
            MaxValue = ReadValue(ref cursor),
            MaxLength = cursor.OptionalInt(),
            Binding = cursor.OptionalInt() is { } strength ? new FhirBinding((BindingStrength)strength, cursor.Text(), cursor.OptionalText()) : null,
            Slicing = ReadSlicing(ref cursor),
            Constraints = ReadConstraints(ref cursor),
            ContentReference = cursor.OptionalText(),
        };
    }

    private static ProfileType[] ReadTypes(ref BookCursor cursor)
    {
        var types = new ProfileType[cursor.Int()];
        for (var index = 0; index < types.Length; index++)
        {
            types[index] = new ProfileType(cursor.Text(), cursor.Texts(), cursor.Texts());
        }

        return types;
    }

    private static ProfileValue? ReadValue(ref BookCursor cursor) => cursor.OptionalText() is { } type ? new ProfileValue(type, cursor.Text()) : null;

    private static ProfileSlicing? ReadSlicing(ref BookCursor cursor)
    {
        if (cursor.OptionalText() is not { } rules)
        {
            return null;
        }

        var ordered = cursor.Int() == 1;
        var discriminators = new ProfileDiscriminator[cursor.Int()];
        for (var index = 0; index < discriminators.Length; index++)
        {
            discriminators[index] = new ProfileDiscriminator(cursor.Text(), cursor.Text());
        }

        return new ProfileSlicing(discriminators, rules, ordered);
    }

    private static FhirConstraint[] ReadConstraints(ref BookCursor cursor)
    {
        var constraints = new FhirConstraint[cursor.Int()];
        for (var index = 0; index < constraints.Length; index++)
        {
            constraints[index] = ProfileReader.MakeConstraint(cursor.Text(), cursor.Int() == 1, cursor.Text());
        }

        return constraints;
    }
}
