using FhirIomt.Access;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Storage.Sql.Checking;

/// <summary>
/// Compares a store with itself, at one moment and beside whoever uses it: the index rows of every resource with those that its body gives, rows that belong to
/// nothing, versions without gaps, and sets of codes with their members. Memory: 16 bytes for each resource.
/// </summary>
internal sealed class StoreCheck(SqlEngine engine, SqlConnection connection)
{
    private const int GroupSize = 500;

    // A person reads the first few; repair takes all of them.
    private const int MaxNamed = 100;

    private readonly List<string> _problems = [];
    private readonly List<long> _wrong = [];
    private long _problemCount;
    private long _orphans;
    private long _checked;
    private bool _brokenSets;

    public StoreFindings Run(IProgress<long>? progress)
    {
        connection.TakeTime();
        connection.BeginSnapshot();
        try
        {
            foreach (var damage in connection.Damage())
            {
                Found(damage);
            }

            CheckVersions();
            CheckCodeSets();
            CheckIndex(progress);
        }
        finally
        {
            if (!connection.IsLost)
            {
                connection.EndSnapshot();
            }
        }

        return new StoreFindings(new StoreCheckReport(_checked, _problemCount, _problems), _wrong, _orphans > 0, _brokenSets);
    }

    private void Found(string problem)
    {
        _problemCount++;
        if (_problems.Count < MaxNamed)
        {
            _problems.Add(problem);
        }
    }

    private void CheckVersions()
    {
        Each(
            "SELECT r.type, r.id FROM resource r WHERE r.version>1 AND r.version-1<>(SELECT count(*) FROM resource_history h WHERE h.type=r.type AND h.id=r.id AND h.version<r.version)",
            rows => Found($"{engine.TypeName(rows.Int64(0))}/{rows.Text(1)}: versions are missing from its history"));
        Each(
            "SELECT h.type, h.id, h.version FROM resource_history h WHERE NOT EXISTS(SELECT 1 FROM resource r WHERE r.type=h.type AND r.id=h.id AND r.version>h.version)",
            rows => Found($"{engine.TypeName(rows.Int64(0))}/{rows.Text(1)}: version {rows.Int64(2)} is history of nothing"));
        Each(
            $"SELECT r.type, r.id FROM resource r WHERE (r.key & {ResourceKey.TickMask})>(SELECT last FROM clock) OR (r.key >> {ResourceKey.TypeBit})<>r.type",
            rows => Found($"{engine.TypeName(rows.Int64(0))}/{rows.Text(1)}: its key is of another type or ahead of the store's clock"));
    }

    private void CheckCodeSets()
    {
        var members = new Dictionary<long, List<(long, long)>>();
        Each("SELECT code_set, parameter, concept FROM code_set_concept", rows =>
        {
            var set = rows.Int64(0);
            if (!members.TryGetValue(set, out var list))
            {
                members[set] = list = [];
            }

            list.Add((rows.Int64(1), rows.Int64(2)));
        });
        Each("SELECT id, members FROM code_set", rows =>
        {
            if (Facets.NameOf(members.GetValueOrDefault(rows.Int64(0)) ?? []) != rows.Text(1))
            {
                _brokenSets = true;
                Found($"set of codes {rows.Int64(0)}: its members are not entered");
            }
        });
    }

    private void CheckIndex(IProgress<long>? progress)
    {
        var unsettled = Unsettled();
        var keys = Keys();
        var sums = ActualSums(keys, unsettled);
        var expected = new HashingRowWriter(unsettled);
        var dictionaries = new Dictionaries.Pending(engine.Dictionaries, connection, mayAdd: false);
        var index = new IndexRows(expected, dictionaries);
        for (var after = -1L; ;)
        {
            var group = Group(after);
            if (group.Count == 0)
            {
                return;
            }

            foreach (var row in group)
            {
                expected.Clear();
                var problem = CheckRow(row, index) ?? (expected.Sum == sums[keys.BinarySearch(row.Key)] ? null : "its index rows are not what its body gives");
                if (problem is not null)
                {
                    Found($"{engine.TypeName(row.Type)}/{row.Id}: {problem}");
                    _wrong.Add(row.Key);
                }
            }

            // What was looked up for this group is not kept for all of them.
            dictionaries.RolledBack();
            after = group[^1].Key;
            _checked += group.Count;
            progress?.Report(_checked);
        }
    }

    private string? CheckRow(in ResourceRow row, IndexRows index)
    {
        var type = engine.TypeName(row.Type);
        if (!JsonTree.Parse(row.Body).TryGetValue(out var tree, out _))
        {
            return "its body is not JSON";
        }

        if (tree.Root["id"u8].AsString() != row.Id || tree.Root["meta"u8]["versionId"u8].AsString() != $"{row.Version}" || tree.Root["resourceType"u8].AsString() != type)
        {
            return "its body names another type, id or version";
        }

        var owner = type == "Patient" ? row.Id : engine.OwnerOf(type, tree);
        var columns = index.Add(row.Type, type, row.Key, row.Id, engine.Extract(type, tree), owner, SearchText.Of(type, tree));
        return columns == row.Columns ? null : "its row's subject, codes or time are not what its body says";
    }

    // Parameters of somebody's own that are being indexed, or are gone: some resources have their rows and some do not, and no search asks for them.
    private HashSet<long> Unsettled()
    {
        var unsettled = new HashSet<long>();
        Each("SELECT id, type, code FROM parameter", rows =>
        {
            var code = rows.Text(2);
            var name = code.EndsWith(ValueRows.ByIdentifier, StringComparison.Ordinal) ? code[..^ValueRows.ByIdentifier.Length]
                : code.EndsWith(ValueRows.OfType, StringComparison.Ordinal) ? code[..^ValueRows.OfType.Length] : code;
            if (!engine.IsSettled(engine.TypeName(rows.Int64(1)), name))
            {
                unsettled.Add(rows.Int64(0));
            }
        });
        return unsettled;
    }

    private List<long> Keys()
    {
        var keys = new List<long>((int)Math.Min(int.MaxValue - 64, connection.Scalar("SELECT count(*) FROM resource WHERE deleted=0")));
        Each("SELECT key FROM resource WHERE deleted=0 ORDER BY key", rows => keys.Add(rows.Int64(0)));
        return keys;
    }

    private ulong[] ActualSums(List<long> keys, HashSet<long> unsettled)
    {
        var sums = new ulong[keys.Count];
        foreach (var table in IndexTable.All(connection.Dialect))
        {
            var orphans = 0L;
            using (var rows = connection.Prepare(table.Select).Run())
            {
                while (rows.Step())
                {
                    var at = keys.BinarySearch(rows.Int64(0));
                    if (at < 0)
                    {
                        orphans++;
                    }
                    else if (!table.HasParameter || !unsettled.Contains(rows.Int64(1)))
                    {
                        sums[at] += table.HashOf(rows);
                    }
                }
            }

            if (orphans > 0)
            {
                _orphans += orphans;
                Found($"{table.Name}: {orphans} rows belong to no resource");
            }
        }

        return sums;
    }

    private List<ResourceRow> Group(long after)
    {
        var group = new List<ResourceRow>(GroupSize);
        using var rows = connection.Prepare($"SELECT {SqlEngine.RowColumns} FROM resource WHERE key>? AND deleted=0 ORDER BY key LIMIT ?").Add(after).Add((long)GroupSize).Run();
        while (rows.Step())
        {
            group.Add(SqlEngine.RowOf(rows));
        }

        return group;
    }

    private void Each(string sql, RowAction action)
    {
        using var rows = connection.Prepare(sql).Run();
        while (rows.Step())
        {
            action(rows);
        }
    }

    private delegate void RowAction(SqlStatement.Rows rows);
}

/// <param name="Wrong">Keys of the resources to index anew.</param>
internal sealed record StoreFindings(StoreCheckReport Report, IReadOnlyList<long> Wrong, bool HasOrphans, bool HasBrokenSets)
{
    public bool NeedRepair => Wrong.Count > 0 || HasOrphans || HasBrokenSets;
}
