namespace FhirIomt.Storage.Sql.Checking;

/// <summary>Adds up the rows that a resource should have, and writes nothing.</summary>
/// <param name="unsettled">Parameters whose rows do not count.</param>
internal sealed class HashingRowWriter(IReadOnlySet<long> unsettled) : RowWriter
{
    /// <summary>The sum so far; each resource begins with 0.</summary>
    public ulong Sum { get; set; }

    public override void Timeline(bool adding, long subject, long codes, long start, long key) => Add(new RowHash("timeline").Add(subject).Add(codes).Add(start));

    public override void Token(bool adding, long parameter, long concept, long key) => Once(parameter, new RowHash("token_index").Add(parameter).Add(concept));

    public override void Identifier(bool adding, long parameter, string value, long key, long system) => Once(parameter, new RowHash("identifier_index").Add(parameter).Add(value).Add(system));

    public override void Text(bool adding, long parameter, string folded, long key, string value) => Once(parameter, new RowHash("string_index").Add(parameter).Add(folded).Add(value));

    public override void Date(bool adding, long parameter, long start, long stop, long key) => Once(parameter, new RowHash("date_index").Add(parameter).Add(start).Add(stop));

    public override void Number(bool adding, long parameter, double low, double high, long key) => Once(parameter, new RowHash("number_index").Add(parameter).Add(low).Add(high));

    public override void Quantity(bool adding, long parameter, long unit, double low, double high, long codes, long key) =>
        Once(parameter, new RowHash("quantity_index").Add(parameter).Add(unit).Add(low).Add(high).Add(codes));

    public override void Reference(bool adding, long parameter, long target, long key) => Once(parameter, new RowHash("reference_index").Add(parameter).Add(target));

    public override void Uri(bool adding, long parameter, string value, long key) => Once(parameter, new RowHash("uri_index").Add(parameter).Add(value));

    public override void Component(in ComponentRow row) => Once(row.Parameter, new RowHash("component_index")
        .Add(row.Parameter).Add(row.Repetition).Add(row.Component).Add(row.Item).Add(row.Concept).Add(row.Value).Add(row.System).Add(row.Low).Add(row.High).Add(row.Unit).Add(row.Target));

    // Its words are the engine's own; that there is such a row is what can be compared.
    public override void FullText(long key, string narrative, string content) => Add(new RowHash("full_text"));

    public override void CodeSetMember(long parameter, long concept, long codeSet)
    {
    }

    public override Clock Begin(IReadOnlyCollection<(long Type, string Id)> reads) => throw Unused();

    public override void Commit(Clock clock) => throw Unused();

    public override void RollBack() => throw Unused();

    public override void BeginAttempt() => throw Unused();

    public override void EndAttempt(bool keep) => throw Unused();

    public override void Flush() => throw Unused();

    public override ResourceRow? Find(long type, string id) => throw Unused();

    public override StoredRecord? FindRecord(string kind, string id) => throw Unused();

    public override void Resource(in ResourceRow row) => throw Unused();

    public override void History(in ResourceRow row) => throw Unused();

    public override void Retire(in ResourceRow row) => throw Unused();

    public override void Columns(long key, in ResourceColumns columns) => throw Unused();

    public override void Record(StoredRecord record) => throw Unused();

    public override void DeleteRecord(string kind, string id) => throw Unused();

    public override void RemoveComponents(long key) => throw Unused();

    public override void Audit(long key, ReadOnlyMemory<byte> body) => throw Unused();

    public override void AuditPatient(AuditHeading heading, long last, byte[] earlier) => throw Unused();

    public override void AuditBatch(long first, long last, long size, byte[] hash) => throw Unused();

    public override void RemoveFullText(long key) => throw Unused();

    /// <summary>The next resource.</summary>
    public void Clear()
    {
        Sum = 0;
        _seen.Clear();
    }

    private readonly HashSet<ulong> _seen = [];

    // One resource may say the same value twice; the index holds it once.
    private void Once(long parameter, RowHash row)
    {
        if (!unsettled.Contains(parameter) && _seen.Add(row.Value))
        {
            Add(row);
        }
    }

    private void Add(RowHash row) => Sum += row.Value;

    private static InvalidOperationException Unused() => new("Checking writes nothing.");
}
