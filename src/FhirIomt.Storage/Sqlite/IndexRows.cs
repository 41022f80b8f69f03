using FhirIomt.Fhir;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Storage.Sqlite;

/// <summary>
/// The index rows of one resource. Adding and removing walk the same values, so an update takes away exactly what the old version put there.
/// </summary>
internal sealed class IndexRows(SqliteConnection connection, Dictionaries.Pending dictionaries)
{
    /// <summary>Stands for "no effective time": sorts first, and date criteria leave it out.</summary>
    public const long NoStart = long.MinValue;

    // The resource row and the timeline answer these for Observations; they get no further row.
    private static readonly string[] TimelineParameters = ["code", "subject", "patient", "date"];

    public ResourceColumns Add(long type, string resourceType, long key, string id, IReadOnlyList<IndexValue> values, string? owner) =>
        Walk(type, resourceType, key, id, values, owner, adding: true);

    public void Remove(long type, string resourceType, long key, string id, IReadOnlyList<IndexValue> values, string? owner) =>
        Walk(type, resourceType, key, id, values, owner, adding: false);

    private ResourceColumns Walk(long type, string resourceType, long key, string id, IReadOnlyList<IndexValue> values, string? owner, bool adding)
    {
        var isObservation = resourceType == "Observation";
        foreach (var value in values)
        {
            if (!isObservation || !(TimelineParameters.Contains(value.Parameter.Code, StringComparer.Ordinal) || IsDerived(value, id)))
            {
                WalkValue(type, key, value, adding);
            }
        }

        return isObservation ? WalkTimeline(key, values, adding) : new ResourceColumns(owner is null ? null : dictionaries.GetOrAdd(DictionaryKey.Entity("Patient", owner)), null, null, null);
    }

    // A device reading's id is the hash of its source key, so the id's own index finds it: no second row, which would touch one more random page.
    private static bool IsDerived(IndexValue value, string id) =>
        value is IndexValue.Token { IsIdentifier: true, System: SourceKey.ConnectorSystem } token && id.Length == 64 && SourceKey.IdOf(SourceKey.ConnectorSystem, token.Code) == id;

    private ResourceColumns WalkTimeline(long key, IReadOnlyList<IndexValue> values, bool adding)
    {
        long? subject = null;
        var (start, stop) = (NoStart, NoStart);
        var concepts = new List<long>(4);
        foreach (var value in values)
        {
            switch (value)
            {
                case IndexValue.Reference reference when reference.Parameter.Code == "subject":
                    subject = Entity(reference);
                    break;
                case IndexValue.Date date when date.Parameter.Code == "date":
                    // A Timing counts by its outer limits (R4 §3.1.1.4.7).
                    start = start == NoStart ? date.Start.UtcTicks : Math.Min(start, date.Start.UtcTicks);
                    stop = Math.Max(stop, date.End.UtcTicks);
                    break;
                case IndexValue.Token { Code.Length: > 0 } token when token.Parameter.Code == "code":
                    var concept = dictionaries.GetOrAdd(DictionaryKey.Concept(dictionaries.GetOrAdd(DictionaryKey.System(token.System)), token.Code));
                    if (!concepts.Contains(concept))
                    {
                        concepts.Add(concept);
                    }

                    break;
            }
        }

        var codes = dictionaries.GetOrAddCodeSet(concepts);
        connection.Prepare(adding ? "INSERT INTO timeline(subject, codes, start, key) VALUES (?,?,?,?)" : "DELETE FROM timeline WHERE subject=? AND codes=? AND start=? AND key=?")
            .Add(subject ?? 0).Add(codes).Add(start).Add(key).Done();
        return new ResourceColumns(subject, codes, start, stop);
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
            case IndexValue.Token { Code.Length: 0 }:
                // A concept that is text only: nothing to match a code by.
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

/// <summary>What the resource row itself answers: the subject, and for an Observation its codings and time (ticks, UTC).</summary>
internal readonly record struct ResourceColumns(long? Subject, long? Codes, long? Start, long? Stop);
