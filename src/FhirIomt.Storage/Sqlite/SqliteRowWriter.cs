using FhirIomt.Storage.Sql;

namespace FhirIomt.Storage.Sqlite;

/// <summary>Runs each row at once: a statement costs 2 to 5 µs, and nothing is between this and the tree.</summary>
/// <param name="checkpoints">Null where the connection carries its log itself.</param>
internal sealed class SqliteRowWriter(SqliteConnection connection, Checkpoints? checkpoints = null) : RowWriter
{
    public override Clock Begin(IReadOnlyCollection<(long Type, string Id)> reads)
    {
        checkpoints?.Between();
        connection.Prepare("BEGIN IMMEDIATE").Done();
        using var clock = connection.Prepare("SELECT last, generation, catalog, chain, audit_filed, audit_target, audit_after FROM clock").Run();
        clock.Step();
        return new Clock(clock.Int64(0), clock.Int64(1), clock.Int64(2), clock.Blob(3), new AuditFiled(clock.Int64(4), clock.Int64(5), clock.Text(6)));
    }

    public override ResourceRow? Find(long type, string id) => SqlEngine.ReadRow(connection, type, id);

    public override StoredRecord? FindRecord(string kind, string id) => SqlEngine.ReadRecord(connection, kind, id);

    public override void Commit(Clock clock)
    {
        connection.Prepare("UPDATE clock SET last=?, generation=?, catalog=?, chain=?, audit_filed=?, audit_target=?, audit_after=?")
            .Add(clock.Last).Add(clock.Generation).Add(clock.Catalog).Add(clock.Chain.AsSpan()).Add(clock.Audit.Filed).Add(clock.Audit.Target).Add(clock.Audit.After).Done();
        connection.Prepare("COMMIT").Done();
    }

    public override void RollBack() => connection.Prepare("ROLLBACK").Done();

    public override void BeginAttempt() => connection.Prepare("SAVEPOINT attempt").Done();

    public override void EndAttempt(bool keep)
    {
        if (!keep)
        {
            connection.Prepare("ROLLBACK TO attempt").Done();
        }

        connection.Prepare("RELEASE attempt").Done();
    }

    public override void Flush()
    {
    }

    public override void Resource(in ResourceRow row) =>
        connection.Prepare("INSERT INTO resource(key, type, id, version, deleted, subject, codes, start, stop, body) VALUES (?,?,?,?,?,?,?,?,?,?)")
            .Add(row.Key).Add(row.Type).Add(row.Id).Add(row.Version).Add(row.Deleted ? 1L : 0L)
            .Add(row.Columns.Subject).Add(row.Columns.Codes).Add(row.Columns.Start).Add(row.Columns.Stop).Add(row.Body.Span).Done();

    public override void History(in ResourceRow row) =>
        connection.Prepare("INSERT INTO resource_history(type, id, version, key, deleted, body) VALUES (?,?,?,?,?,?)")
            .Add(row.Type).Add(row.Id).Add(row.Version).Add(row.Key).Add(row.Deleted ? 1L : 0L).Add(row.Body.Span).Done();

    public override void Retire(in ResourceRow row)
    {
        var key = row.Key;
        connection.Prepare("INSERT INTO resource_history(type, id, version, key, deleted, body) SELECT type, id, version, key, deleted, body FROM resource WHERE key=?").Add(key).Done();
        connection.Prepare("DELETE FROM resource WHERE key=?").Add(key).Done();
    }

    public override void Columns(long key, in ResourceColumns columns) =>
        connection.Prepare("UPDATE resource SET subject=?, codes=?, start=?, stop=? WHERE key=?")
            .Add(columns.Subject).Add(columns.Codes).Add(columns.Start).Add(columns.Stop).Add(key).Done();

    public override void Record(StoredRecord record) =>
        connection.Prepare("INSERT INTO record(kind, id, body, expires) VALUES (?,?,?,?) ON CONFLICT(kind, id) DO UPDATE SET body=excluded.body, expires=excluded.expires")
            .Add(record.Kind).Add(record.Id).Add(record.Body.Span).Add(record.ExpiresAt?.ToUnixTimeMilliseconds()).Done();

    public override void DeleteRecord(string kind, string id) => connection.Prepare("DELETE FROM record WHERE kind=? AND id=?").Add(kind).Add(id).Done();

    public override void Timeline(bool adding, long subject, long codes, long start, long key) =>
        connection.Prepare(adding ? "INSERT OR IGNORE INTO timeline(subject, codes, start, key) VALUES (?,?,?,?)" : "DELETE FROM timeline WHERE subject=? AND codes=? AND start=? AND key=?")
            .Add(subject).Add(codes).Add(start).Add(key).Done();

    public override void Token(bool adding, long parameter, long concept, long key) =>
        connection.Prepare(adding ? "INSERT OR IGNORE INTO token_index(parameter, concept, key) VALUES (?,?,?)" : "DELETE FROM token_index WHERE parameter=? AND concept=? AND key=?")
            .Add(parameter).Add(concept).Add(key).Done();

    public override void Identifier(bool adding, long parameter, string value, long key, long system) =>
        connection.Prepare(adding ? "INSERT OR IGNORE INTO identifier_index(parameter, value, key, system) VALUES (?,?,?,?)" : "DELETE FROM identifier_index WHERE parameter=? AND value=? AND key=? AND system=?")
            .Add(parameter).Add(value).Add(key).Add(system).Done();

    public override void Text(bool adding, long parameter, string folded, long key, string value) =>
        connection.Prepare(adding ? "INSERT OR IGNORE INTO string_index(parameter, folded, key, value) VALUES (?,?,?,?)" : "DELETE FROM string_index WHERE parameter=? AND folded=? AND key=? AND value=?")
            .Add(parameter).Add(folded).Add(key).Add(value).Done();

    public override void Date(bool adding, long parameter, long start, long stop, long key) =>
        connection.Prepare(adding ? "INSERT OR IGNORE INTO date_index(parameter, start, stop, key) VALUES (?,?,?,?)" : "DELETE FROM date_index WHERE parameter=? AND start=? AND stop=? AND key=?")
            .Add(parameter).Add(start).Add(stop).Add(key).Done();

    public override void Number(bool adding, long parameter, double low, double high, long key) =>
        connection.Prepare(adding ? "INSERT OR IGNORE INTO number_index(parameter, low, high, key) VALUES (?,?,?,?)" : "DELETE FROM number_index WHERE parameter=? AND low=? AND high=? AND key=?")
            .Add(parameter).Add(low).Add(high).Add(key).Done();

    public override void Quantity(bool adding, long parameter, long unit, double low, double high, long codes, long key) =>
        connection.Prepare(adding
                ? "INSERT OR IGNORE INTO quantity_index(parameter, unit, low, high, codes, key) VALUES (?,?,?,?,?,?)"
                : "DELETE FROM quantity_index WHERE parameter=? AND unit=? AND low=? AND high=? AND codes=? AND key=?")
            .Add(parameter).Add(unit).Add(low).Add(high).Add(codes).Add(key).Done();

    public override void Reference(bool adding, long parameter, long target, long key) =>
        connection.Prepare(adding ? "INSERT OR IGNORE INTO reference_index(parameter, target, key) VALUES (?,?,?)" : "DELETE FROM reference_index WHERE parameter=? AND target=? AND key=?")
            .Add(parameter).Add(target).Add(key).Done();

    public override void Uri(bool adding, long parameter, string value, long key) =>
        connection.Prepare(adding ? "INSERT OR IGNORE INTO uri_index(parameter, value, key) VALUES (?,?,?)" : "DELETE FROM uri_index WHERE parameter=? AND value=? AND key=?")
            .Add(parameter).Add(value).Add(key).Done();

    public override void Component(in ComponentRow row) =>
        connection.Prepare("INSERT OR IGNORE INTO component_index(key, parameter, repetition, component, item, concept, value, system, low, high, unit, target) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)")
            .Add(row.Key).Add(row.Parameter).Add((long)row.Repetition).Add((long)row.Component).Add((long)row.Item)
            .Add(row.Concept).AddText(row.Value).Add(row.System).Add(row.Low).Add(row.High).Add(row.Unit).Add(row.Target).Done();

    public override void RemoveComponents(long key) => connection.Prepare("DELETE FROM component_index WHERE key=?").Add(key).Done();

    public override void FullText(long key, string narrative, string content) =>
        connection.Prepare("INSERT OR REPLACE INTO full_text(rowid, narrative, content) VALUES (?,?,?)").Add(key).Add(narrative).Add(content).Done();

    public override void RemoveFullText(long key) => connection.Prepare("DELETE FROM full_text WHERE rowid=?").Add(key).Done();

    public override void Audit(long key, ReadOnlyMemory<byte> body) => connection.Prepare("INSERT INTO audit(key, body) VALUES (?,?)").Add(key).Add(body.Span).Done();

    public override void AuditPatient(AuditHeading heading, long last, byte[] earlier) =>
        connection.Prepare("INSERT OR IGNORE INTO audit_patient(patient, readings, last, earlier) VALUES (?,?,?,?)").Add(heading.Patient).Add(heading.Readings ? 1L : 0L).Add(last).Add(earlier.AsSpan()).Done();

    public override void AuditBatch(long first, long last, long size, byte[] hash) =>
        connection.Prepare("INSERT INTO audit_batch(last, first, size, hash) VALUES (?,?,?,?)").Add(last).Add(first).Add(size).Add(hash.AsSpan()).Done();

    public override void CodeSetMember(long parameter, long concept, long codeSet) =>
        connection.Prepare("INSERT OR IGNORE INTO code_set_concept(parameter, concept, code_set) VALUES (?,?,?)").Add(parameter).Add(concept).Add(codeSet).Done();
}
