using FhirIomt.Fhir;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Storage.Sql;

/// <summary>
/// The index rows of one resource. Adding and removing walk the same values, so an update takes away exactly what the old version put there.
/// </summary>
internal sealed class IndexRows
{
    /// <summary>Stands for "no effective time": sorts first, and date criteria leave it out.</summary>
    public const long NoStart = long.MinValue;

    private readonly RowWriter _rows;
    private readonly Dictionaries.Pending _dictionaries;
    private readonly ValueRows _values;
    private readonly ObservationRows _observation;

    public IndexRows(RowWriter rows, Dictionaries.Pending dictionaries)
    {
        _rows = rows;
        _dictionaries = dictionaries;
        _values = new ValueRows(rows, dictionaries);
        _observation = new ObservationRows(rows, dictionaries, _values);
    }

    /// <param name="source">The key that gave the id, where it is known.</param>
    public ResourceColumns Add(long type, string resourceType, long key, string id, IReadOnlyList<IndexValue> values, string? owner, SearchText? text, SourceKey? source = null)
    {
        if (text is not null)
        {
            _rows.FullText(key, text.Narrative, text.Content);
        }

        WriteValues(adding: true, type, resourceType, key, id, values, source);
        return resourceType == "Observation"
            ? _observation.Add(type, key, values)
            : new ResourceColumns(owner is null ? null : _dictionaries.GetOrAdd(DictionaryKey.Entity("Patient", owner)), null, null, null);
    }

    /// <param name="columns">What the resource row holds: says which set of codes was chosen then.</param>
    public void Remove(long type, string resourceType, long key, string id, IReadOnlyList<IndexValue> values, in ResourceColumns columns)
    {
        _rows.RemoveFullText(key);
        WriteValues(adding: false, type, resourceType, key, id, values, source: null);
        if (resourceType == "Observation")
        {
            _observation.Remove(type, key, values, columns);
        }
    }

    private void WriteValues(bool adding, long type, string resourceType, long key, string id, IReadOnlyList<IndexValue> values, SourceKey? source)
    {
        var isObservation = resourceType == "Observation";
        var (repetition, last) = (0, (SearchParameter?)null);
        foreach (var value in values)
        {
            // The repetitions of one composite stand together.
            repetition = ReferenceEquals(last, value.Parameter) ? repetition + 1 : 0;
            last = value.Parameter;
            if (isObservation && (ObservationRows.Takes(value) || IsDerived(value, id, source)))
            {
                continue;
            }

            if (value is not IndexValue.Composite composite)
            {
                _values.Write(adding, type, key, value);
            }
            else if (adding)
            {
                _values.Composite(type, key, composite, repetition);
            }
            else if (repetition == 0)
            {
                _rows.RemoveComponents(key);
            }
        }
    }

    // A device reading's id is the hash of its source key, so the id's own index finds it: no second row, which would touch one more random page.
    private static bool IsDerived(IndexValue value, string id, SourceKey? source) =>
        value is IndexValue.Token { IsIdentifier: true, System: SourceKey.ConnectorSystem, Texts.Count: 0, IdentifierTypes.Count: 0 } token
        && id.Length == 64 && IdOf(token.Code, source) == id;

    private static string IdOf(string identifier, SourceKey? source) =>
        source is { System: SourceKey.ConnectorSystem } key && key.Value == identifier ? key.ResourceId : SourceKey.IdOf(SourceKey.ConnectorSystem, identifier);
}
