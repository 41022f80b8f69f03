using System.Runtime.InteropServices;
using FhirIomt.Access;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage.Sql.Checking;

namespace FhirIomt.Storage.Sql;

/// <summary>The running write transaction on the writer's connection.</summary>
internal sealed class WriteTransaction : IWriteTransaction
{
    private readonly SqlConnection _connection;
    private readonly SqlEngine _engine;
    private readonly RowWriter _rows;
    private readonly Dictionaries.Pending _dictionaries;
    private readonly IndexRows _index;
    private Clock _clock;
    private bool _configurationChanged;
    private bool _accessChanged;
    private readonly List<AuditRow> _audit = [];
    private readonly List<(long Key, IReadOnlyDictionary<string, bool> Patients)> _audited = [];
    private readonly AuditFiling _filing;
    private long _begun;

    public WriteTransaction(SqlConnection connection, SqlEngine engine, RowWriter rows)
    {
        _connection = connection;
        _engine = engine;
        _rows = rows;
        _dictionaries = new Dictionaries.Pending(engine.Dictionaries, connection);
        _index = new IndexRows(rows, _dictionaries);
        _filing = new AuditFiling(connection, engine.UnfiledAudit, rows, engine.Time);
    }

    /// <param name="reads">What the operations will certainly ask for.</param>
    public void Begin(IEnumerable<(string Type, string Id)> reads)
    {
        _clock = _rows.Begin([.. reads.Select(read => (_engine.TypeNumber(read.Type), read.Id))]);
        _begun = _clock.Last;
        (_configurationChanged, _accessChanged) = (false, false);
        _audit.Clear();
        _audited.Clear();
    }

    public void Commit()
    {
        WriteAudit();
        _clock = _clock with { Audit = _filing.GoOn(_clock.Audit, _begun, _audited.Sum(row => row.Patients.Count)) };
        var generation = _clock.Generation + (_configurationChanged ? 1 : 0) + (_accessChanged ? SqlEngine.AccessStep : 0);
        _clock = _clock with { Generation = generation, Catalog = _clock.Catalog + (_dictionaries.CatalogChanged ? 1 : 0) };
        _rows.Commit(_clock);
        _engine.UnfiledAudit.Committed(_begun, _clock.Last, _audited, _clock.Audit.Filed);
        _dictionaries.Committed();
        if (_configurationChanged || _accessChanged)
        {
            _engine.Generations = _clock.Generation;
        }
    }

    public void RollBack()
    {
        // Forgotten first: whatever becomes of the engine's own rollback, these numbers are not in the store.
        _dictionaries.RolledBack();
        _dictionaries.CatalogChanged = false;
        _rows.RollBack();
    }

    public StoredResource? Find(string type, string id) => _rows.Find(_engine.TypeNumber(type), id) is { } row
        ? new StoredResource(type, id, row.Version, ResourceKey.TimeOf(row.Key), row.Body) { IsDeleted = row.Deleted }
        : null;

    public StoredResource? FindVersion(string type, string id, long version)
    {
        _rows.Flush();
        return _engine.ReadVersion(_connection, type, id, version);
    }

    public IReadOnlyList<StoredResource> Search(SearchQuery query, SearchAccess access)
    {
        _rows.Flush();
        return _engine.Search(_connection, query, access).TryGetValue(out var page, out var issues) ? page.Matches : throw new SearchRefusedException(issues);
    }

    public StoredResource Put(PreparedResource resource, string id, StoredResource? previous)
    {
        var type = _engine.TypeNumber(resource.Type);
        var key = NextKey(type);
        var version = (previous?.Version ?? 0) + 1;
        var time = ResourceKey.TimeOf(key);
        var body = ResourceStamp.Apply(resource.Tree, id, version, time);
        if (previous is not null)
        {
            Retire(type, previous);
        }

        var owner = resource.Type == "Patient" ? id : _engine.OwnerOf(resource.Type, resource.Tree);
        var columns = _index.Add(type, resource.Type, key, id, resource.Index, owner, resource.Text, resource.Key);
        _rows.Resource(new ResourceRow(key, type, id, version, Deleted: false, columns, body));
        Changed(resource.Type, previous, resource.Tree);
        return new StoredResource(resource.Type, id, version, time, body);
    }

    public StoredResource Delete(StoredResource previous)
    {
        var type = _engine.TypeNumber(previous.Type);
        var key = NextKey(type);
        Retire(type, previous);
        _rows.Resource(new ResourceRow(key, type, previous.Id, previous.Version + 1, Deleted: true, default, ReadOnlyMemory<byte>.Empty));
        Changed(previous.Type, previous, after: null);
        return new StoredResource(previous.Type, previous.Id, previous.Version + 1, ResourceKey.TimeOf(key), ReadOnlyMemory<byte>.Empty) { IsDeleted = true };
    }

    public bool TryAtomically(Func<bool> work)
    {
        _rows.BeginAttempt();
        if (work())
        {
            _rows.EndAttempt(keep: true);
            return true;
        }

        _rows.EndAttempt(keep: false);

        // Numbers given since are gone with it; those from before it are found again by a look-up.
        _dictionaries.RolledBack();
        return false;
    }

    public StoredRecord? FindRecord(string kind, string id) =>
        _rows.FindRecord(kind, id) is { } record && !(record.ExpiresAt <= _engine.Time.GetUtcNow()) ? record : null;

    public void PutRecord(StoredRecord record)
    {
        _rows.Record(record);
        _configurationChanged |= RecordKind.IsConfiguration(record.Kind);
        _accessChanged |= AccessData.IsRecord(record.Kind);
    }

    public void DeleteRecord(string kind, string id)
    {
        _rows.DeleteRecord(kind, id);
        _configurationChanged |= RecordKind.IsConfiguration(kind);
        _accessChanged |= AccessData.IsRecord(kind);
    }

    public void DeleteExpiredRecords()
    {
        _rows.Flush();
        _connection.Prepare("DELETE FROM record WHERE expires<?").Add(_engine.Time.GetUtcNow().ToUnixTimeMilliseconds()).Done();
    }

    public void Audit(AuditRow row) => _audit.Add(row);

    public long PruneAudit(DateTimeOffset before, int limit)
    {
        var (last, size) = new AuditPruning(_connection, _rows).Run(AuditKey.FirstOf(before), limit);
        _clock = _clock with { Audit = _clock.Audit.UpTo(last) };
        return size;
    }

    // At the end: keys and hashes are given in the order of the commit, and nothing that is undone on the way has had one.
    private void WriteAudit()
    {
        if (_audit.Count == 0)
        {
            return;
        }

        var first = 0L;
        using var chain = new AuditChain();
        chain.Begin(_clock.Chain);
        var all = CollectionsMarshal.AsSpan(_audit);
        for (var start = 0; start < all.Length; start += AuditPack.MaxLines)
        {
            var lines = all.Slice(start, Math.Min(AuditPack.MaxLines, all.Length - start));
            var tick = ResourceKey.NextTick(_clock.Last, _engine.Time.GetUtcNow());
            first = first == 0 ? tick : first;
            _clock = _clock with { Last = tick + lines.Length - 1 };
            var body = AuditPack.Of(lines);
            chain.Add(_clock.Last, body.Span);
            _rows.Audit(_clock.Last, body);
            _audited.Add((_clock.Last, AuditPack.PatientsOf(lines)));
        }

        _clock = _clock with { Chain = chain.End() };
        _rows.AuditBatch(first, _clock.Last, _audit.Count, _clock.Chain);
    }

    /// <summary>
    /// Writes the index rows of a current version again, and of its row what they give; rows that are there already stay. Adds what a new parameter finds;
    /// what a parameter no longer finds must have been taken away by parameter.
    /// </summary>
    /// <param name="key">The key that the version was read with.</param>
    /// <returns>False when that version is no longer the current one: whoever replaced it has indexed it.</returns>
    public bool Reindex(long key)
    {
        _rows.Flush();
        if (SqlEngine.ReadRow(_connection, key) is not { } row || row.Deleted)
        {
            return false;
        }

        var type = _engine.TypeName(row.Type);
        var tree = JsonTree.Parse(row.Body).Require();
        var owner = type == "Patient" ? row.Id : _engine.OwnerOf(type, tree);
        var columns = _index.Add(row.Type, type, key, row.Id, _engine.Extract(type, tree), owner, SearchText.Of(type, tree));
        if (columns != row.Columns)
        {
            if (type == "Observation" && row.Columns.Codes is { } codes)
            {
                _rows.Timeline(adding: false, row.Columns.Subject ?? 0, codes, row.Columns.Start ?? IndexRows.NoStart, key);
            }

            _rows.Columns(key, columns);
        }

        return true;
    }

    public (long Position, int Count) ReindexNext(string type, long after, DateTimeOffset since, int limit)
    {
        _rows.Flush();
        var number = _engine.TypeNumber(type);
        var from = Math.Max(after, ResourceKey.Of(number, ResourceKey.FirstTickOf(since)) - 1);
        var keys = new List<long>(limit);
        using (var rows = _connection.Prepare("SELECT key FROM resource WHERE key>? AND key<=? ORDER BY key LIMIT ?").Add(from).Add(ResourceKey.LastOf(number)).Add((long)limit).Run())
        {
            while (rows.Step())
            {
                keys.Add(rows.Int64(0));
            }
        }

        foreach (var key in keys)
        {
            Reindex(key);
        }

        return (keys.Count == 0 ? from : keys[^1], keys.Count);
    }

    /// <summary>Takes the index rows of those resources away and writes them from their bodies; takes away rows of nothing, and enters the members of all sets of codes.</summary>
    public void Repair(IReadOnlyList<long> keys, bool orphans, bool codeSets)
    {
        _rows.Flush();
        foreach (var table in IndexTable.All(_connection.Dialect))
        {
            if (keys.Count > 0)
            {
                new Condition($"DELETE FROM {table.Name} WHERE ").Append(Condition.In(table.Key, [.. keys])).Prepare(_connection).Done();
            }

            if (orphans)
            {
                _connection.Prepare($"DELETE FROM {table.Name} WHERE {table.Key} NOT IN (SELECT key FROM resource WHERE deleted=0)").Done();
            }
        }

        if (codeSets)
        {
            EnterCodeSets();
        }

        foreach (var key in keys)
        {
            Reindex(key);
        }
    }

    /// <summary>Writes a version as another store has it: with its key, and so with its time.</summary>
    /// <param name="isCurrent">Otherwise it is history.</param>
    public void Import(in ResourceRow row, bool isCurrent)
    {
        _clock = _clock with { Last = Math.Max(_clock.Last, row.Key & ResourceKey.TickMask) };
        if (!isCurrent)
        {
            _rows.History(row);
            return;
        }

        var columns = default(ResourceColumns);
        if (!row.Deleted)
        {
            var type = _engine.TypeName(row.Type);
            var tree = JsonTree.Parse(row.Body).Require();
            var owner = type == "Patient" ? row.Id : _engine.OwnerOf(type, tree);
            columns = _index.Add(row.Type, type, row.Key, row.Id, _engine.Extract(type, tree), owner, SearchText.Of(type, tree));
        }

        _rows.Resource(row with { Columns = columns });
    }

    /// <summary>Writes rows of another store's audit as they are.</summary>
    public void ImportAudit(IReadOnlyList<StoredAudit> audit)
    {
        var entries = new List<(AuditHeading, long)>();
        foreach (var row in audit)
        {
            _rows.Audit(row.Key, row.Body);
            entries.AddRange(AuditRows.PatientsOf(AuditPack.Lines(row) ?? [])?.Select(patient => (new AuditHeading(patient.Key, patient.Value), row.Key)) ?? []);
        }

        AuditFiling.File(_rows, entries);
        _clock = _clock with { Last = Math.Max(_clock.Last, audit[^1].Key), Audit = _clock.Audit.UpTo(audit[^1].Key) };
    }

    /// <summary>Goes on with another store's audit.</summary>
    public void ImportChain(long last, byte[] hash) => _clock = _clock with { Last = Math.Max(_clock.Last, last), Chain = hash };

    // All of them again: there are few, and a member that is entered stays.
    private void EnterCodeSets()
    {
        var sets = new List<(long Id, string Members)>();
        using (var rows = _connection.Prepare("SELECT id, members FROM code_set").Run())
        {
            while (rows.Step())
            {
                sets.Add((rows.Int64(0), rows.Text(1)));
            }
        }

        _dictionaries.CatalogChanged = true;
        _connection.Prepare("DELETE FROM code_set_concept").Done();
        foreach (var (id, members) in sets)
        {
            foreach (var (parameter, concept) in Facets.MembersOf(members))
            {
                _rows.CodeSetMember(parameter, concept, id);
            }
        }
    }

    // A previous version that is a deletion has no body.
    private void Changed(string type, StoredResource? previous, JsonTree? after)
    {
        _configurationChanged |= IsConfiguration(type);
        _accessChanged = _accessChanged
            || (AccessData.Holds(type) && AccessData.Moves(type, previous is { IsDeleted: false } ? JsonTree.Parse(previous.Body).Require() : null, after));
    }

    private static bool IsConfiguration(string type) =>
        type is "Device" or "DeviceUseStatement" or "StructureDefinition" or "ValueSet" or "CodeSystem" or "ConceptMap" or "SearchParameter";

    private long NextKey(long type)
    {
        _clock = _clock with { Last = ResourceKey.NextTick(_clock.Last, _engine.Time.GetUtcNow()) };
        return ResourceKey.Of(type, _clock.Last);
    }

    /// <summary>Moves the current version to history and takes its index rows away, found again from its own bytes.</summary>
    private void Retire(long type, StoredResource previous)
    {
        var row = _rows.Find(type, previous.Id) ?? throw new InvalidOperationException("The version to be replaced is not there.");
        if (!previous.IsDeleted)
        {
            var tree = JsonTree.Parse(previous.Body).Require();
            _index.Remove(type, previous.Type, row.Key, previous.Id, _engine.Extract(previous.Type, tree), row.Columns);
        }

        _rows.Retire(row);
    }
}
