using FhirIomt.Fhir.Search;

namespace FhirIomt.Storage.Sqlite;

/// <summary>
/// The index rows of one resource. Adding and removing walk the same values, so an update takes away exactly what the old version put there.
/// </summary>
internal sealed class IndexRows(SqliteConnection connection, Dictionaries.Pending dictionaries)
{
    /// <summary>Stands for "no effective time": sorts first, and date criteria leave it out.</summary>
    public const long NoStart = long.MinValue;

    // Timeline answers these for Observations; they get no second row.
    private static readonly string[] TimelineParameters = ["code", "subject", "patient", "date"];

    public (long? Subject, long? Start) Add(long type, string resourceType, long key, IReadOnlyList<IndexValue> values, string? owner) =>
        Walk(type, resourceType, key, values, owner, adding: true);

    public void Remove(long type, string resourceType, long key, IReadOnlyList<IndexValue> values, string? owner) =>
        Walk(type, resourceType, key, values, owner, adding: false);

    private (long? Subject, long? Start) Walk(long type, string resourceType, long key, IReadOnlyList<IndexValue> values, string? owner, bool adding)
    {
        var isObservation = resourceType == "Observation";
        foreach (var value in values)
        {
            if (!isObservation || !TimelineParameters.Contains(value.Parameter.Code, StringComparer.Ordinal))
            {
                WalkValue(type, key, value, adding);
            }
        }

        return isObservation ? WalkTimeline(key, values, adding) : (owner is null ? null : dictionaries.GetOrAdd(DictionaryKey.Entity("Patient", owner)), null);
    }

    private (long? Subject, long? Start) WalkTimeline(long key, IReadOnlyList<IndexValue> values, bool adding)
    {
        long? subject = null;
        var (start, stop) = (NoStart, NoStart);
        var concepts = new List<long> { 0 };
        foreach (var value in values)
        {
            switch (value)
            {
                case IndexValue.Reference reference when reference.Parameter.Code == "subject":
                    subject = Entity(reference);
                    break;
                case IndexValue.Date date when date.Parameter.Code == "date":
                    (start, stop) = (date.Start.UtcTicks, date.End.UtcTicks);
                    break;
                case IndexValue.Token token when token.Parameter.Code == "code":
                    var concept = dictionaries.GetOrAdd(DictionaryKey.Concept(dictionaries.GetOrAdd(DictionaryKey.System(token.System)), token.Code));
                    if (!concepts.Contains(concept))
                    {
                        concepts.Add(concept);
                    }

                    break;
            }
        }

        foreach (var concept in concepts)
        {
            var sql = adding
                ? "INSERT INTO timeline(subject, concept, start, key, stop) VALUES (?,?,?,?,?)"
                : "DELETE FROM timeline WHERE subject=? AND concept=? AND start=? AND key=? AND stop=?";
            connection.Prepare(sql).Add(subject ?? 0).Add(concept).Add(start).Add(key).Add(stop).Done();
        }

        return (subject, start);
    }

    private void WalkValue(long type, long key, IndexValue value, bool adding)
    {
        var parameter = dictionaries.GetOrAdd(DictionaryKey.Parameter(type, value.Parameter.Code));
        switch (value)
        {
            case IndexValue.Token { IsIdentifier: true } token:
                var system = dictionaries.GetOrAdd(DictionaryKey.System(token.System));
                Statement("identifier_index", "value", "system", adding).Add(parameter).Add(token.Code).Add(key).Add(system).Done();
                break;
            case IndexValue.Token token:
                var concept = dictionaries.GetOrAdd(DictionaryKey.Concept(dictionaries.GetOrAdd(DictionaryKey.System(token.System)), token.Code));
                Statement("token_index", "concept", null, adding).Add(parameter).Add(concept).Add(key).Done();
                break;
            case IndexValue.Text text:
                Statement("string_index", "folded", "value", adding).Add(parameter).Add(TextFolding.Fold(text.Value)).Add(key).Add(text.Value).Done();
                break;
            case IndexValue.Date date:
                Statement("date_index", "start", "stop", adding).Add(parameter).Add(date.Start.UtcTicks).Add(key).Add(date.End.UtcTicks).Done();
                break;
            case IndexValue.Reference reference when Entity(reference) is { } target:
                Statement("reference_index", "target", null, adding).Add(parameter).Add(target).Add(key).Done();
                break;
            case IndexValue.Uri uri:
                Statement("uri_index", "value", null, adding).Add(parameter).Add(uri.Value).Add(key).Done();
                break;
        }
    }

    // OR IGNORE: one resource may say the same value twice, and the row stands for "has it".
    private SqliteStatement Statement(string table, string value, string? extra, bool adding) => connection.Prepare((adding, extra) switch
    {
        (true, null) => $"INSERT OR IGNORE INTO {table}(parameter, {value}, key) VALUES (?,?,?)",
        (true, _) => $"INSERT OR IGNORE INTO {table}(parameter, {value}, key, {extra}) VALUES (?,?,?,?)",
        (false, null) => $"DELETE FROM {table} WHERE parameter=? AND {value}=? AND key=?",
        (false, _) => $"DELETE FROM {table} WHERE parameter=? AND {value}=? AND key=? AND {extra}=?",
    });

    private long? Entity(IndexValue.Reference reference) => reference switch
    {
        { Type: { } type, Id: { } id } => dictionaries.GetOrAdd(DictionaryKey.Entity(type, id)),
        { Url: { } url } => dictionaries.GetOrAdd(DictionaryKey.Entity("", url)),
        _ => null,
    };
}
