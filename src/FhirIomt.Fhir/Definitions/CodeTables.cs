namespace FhirIomt.Fhir.Definitions;

/// <summary>The value sets of the compiled definitions: per set its systems, each with its codes.</summary>
internal sealed class CodeTables
{
    private readonly DefinitionBook _book;
    private readonly Dictionary<string, int> _offsets = new(StringComparer.Ordinal);

    public CodeTables(DefinitionBook book)
    {
        _book = book;
        var directory = book.Directory();
        for (var left = directory.Int(); left > 0; left--)
        {
            _offsets.Add(directory.Text(), directory.Int());
        }
    }

    public IReadOnlyCollection<string> Urls => _offsets.Keys;

    public CodeSet? Load(string url)
    {
        if (!_offsets.TryGetValue(url, out var offset))
        {
            return null;
        }

        var cursor = _book.At(offset);
        var systems = new KeyValuePair<string, IReadOnlyCollection<string>>[cursor.Int()];
        for (var index = 0; index < systems.Length; index++)
        {
            systems[index] = new(cursor.Text(), cursor.Texts());
        }

        return new CodeSet(url, systems);
    }
}
