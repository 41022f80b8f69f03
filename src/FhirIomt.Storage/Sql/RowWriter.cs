namespace FhirIomt.Storage.Sql;

/// <summary>
/// What a write transaction tells its engine: when it begins and ends, and every row that comes or goes. An engine in the same process runs each at once; one
/// behind a network keeps them and sends a table's rows together, at the latest with <see cref="Flush"/>. A row that is there already is added again without harm
/// (one resource may say the same value twice), and one that is not there is removed without harm.
/// </summary>
internal abstract class RowWriter
{
    /// <summary>Begins the transaction and answers the store's clock, which nobody else can move until it ends.</summary>
    /// <param name="reads">Current rows that the operations will ask for; an engine behind a network fetches them now.</param>
    public abstract Clock Begin(IReadOnlyCollection<(long Type, string Id)> reads);

    /// <summary>The current row, a deletion included, with what this transaction wrote.</summary>
    public abstract ResourceRow? Find(long type, string id);

    /// <summary>The record as it stands, also one whose time is over; with what this transaction wrote.</summary>
    public abstract StoredRecord? FindRecord(string kind, string id);

    public abstract void Commit(Clock clock);

    public abstract void RollBack();

    /// <summary>Everything after it can be undone by <see cref="EndAttempt"/>; attempts do not nest.</summary>
    public abstract void BeginAttempt();

    public abstract void EndAttempt(bool keep);

    /// <summary>Everything written so far can be read on the connection.</summary>
    public abstract void Flush();

    public abstract void Resource(in ResourceRow row);

    /// <summary>An old version.</summary>
    public abstract void History(in ResourceRow row);

    /// <summary>Moves the current resource row to the history.</summary>
    public abstract void Retire(in ResourceRow row);

    /// <summary>Gives the resource row other columns.</summary>
    public abstract void Columns(long key, in ResourceColumns columns);

    public abstract void Record(StoredRecord record);

    public abstract void DeleteRecord(string kind, string id);

    public abstract void Timeline(bool adding, long subject, long codes, long start, long key);

    public abstract void Token(bool adding, long parameter, long concept, long key);

    public abstract void Identifier(bool adding, long parameter, string value, long key, long system);

    public abstract void Text(bool adding, long parameter, string folded, long key, string value);

    public abstract void Date(bool adding, long parameter, long start, long stop, long key);

    public abstract void Number(bool adding, long parameter, double low, double high, long key);

    public abstract void Quantity(bool adding, long parameter, long unit, double low, double high, long codes, long key);

    public abstract void Reference(bool adding, long parameter, long target, long key);

    public abstract void Uri(bool adding, long parameter, string value, long key);

    public abstract void Component(in ComponentRow row);

    public abstract void RemoveComponents(long key);

    public abstract void FullText(long key, string narrative, string content);

    public abstract void RemoveFullText(long key);

    public abstract void Audit(long key, ReadOnlyMemory<byte> body);

    /// <summary>Files rows of the audit under a patient (<see cref="AuditKeys"/>).</summary>
    public abstract void AuditPatient(AuditHeading heading, long last, byte[] earlier);

    /// <summary>The lines of one commit, and the hash of the chain with them.</summary>
    public abstract void AuditBatch(long first, long last, long size, byte[] hash);

    public abstract void CodeSetMember(long parameter, long concept, long codeSet);
}

/// <param name="Last">The tick of the newest version.</param>
/// <param name="Generation">Grows with every change that caches must see.</param>
/// <param name="Catalog">Grows with every change to what searches remember of the store as a whole (<see cref="Searching.Catalog"/>).</param>
/// <param name="Chain">The hash at the end of the audit; empty before its first line.</param>
/// <param name="Audit">How far the audit is filed under its patients.</param>
internal readonly record struct Clock(long Last, long Generation, long Catalog, byte[] Chain, AuditFiled Audit);

internal readonly record struct ResourceRow(long Key, long Type, string Id, long Version, bool Deleted, ResourceColumns Columns, ReadOnlyMemory<byte> Body);

/// <summary>What the resource row itself answers: the subject, and for an Observation its set of codes (<see cref="Facets"/>) and its time (ticks, UTC).</summary>
internal readonly record struct ResourceColumns(long? Subject, long? Codes, long? Start, long? Stop);

/// <summary>One value of one component of one repetition of a composite; which of the values is set follows from the component's type.</summary>
/// <param name="Item">Tells the values of one component apart.</param>
internal readonly record struct ComponentRow(long Parameter, long Key, int Repetition, int Component, int Item)
{
    /// <summary>A token.</summary>
    public long? Concept { get; init; }

    /// <summary>A folded string, a uri, or the value of an identifier.</summary>
    public string? Value { get; init; }

    /// <summary>The system of an identifier.</summary>
    public long? System { get; init; }

    /// <summary>A number or quantity, or the first tick of a date.</summary>
    public double? Low { get; init; }

    /// <summary>A number or quantity, or the first tick after a date.</summary>
    public double? High { get; init; }

    public long? Unit { get; init; }

    /// <summary>A reference.</summary>
    public long? Target { get; init; }
}
