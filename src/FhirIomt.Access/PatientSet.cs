using System.Collections.Frozen;

namespace FhirIomt.Access;

/// <summary>Patients that somebody may see, by id. Immutable; the same object for every request until something about it changes.</summary>
public sealed class PatientSet
{
    /// <summary>
    /// Five times the ten thousand of a large practice; more than any person cares for, and a policy that
    /// means everybody says so.
    /// </summary>
    public const int MaxPatients = 50_000;

    // An array of a few, or a frozen set.
    private readonly IReadOnlyCollection<string> _ids;

    private PatientSet(IReadOnlyCollection<string> ids) => _ids = ids;

    public static PatientSet Empty { get; } = new(Array.Empty<string>());

    public int Count => _ids.Count;

    public IReadOnlyCollection<string> Ids => _ids;

    public static PatientSet Of(IEnumerable<string> ids)
    {
        // Each search makes sets of one or two; a table of hashes costs more than all it answers for them.
        const int MaxListed = 8;
        var distinct = ids.Distinct(StringComparer.Ordinal).ToArray();
        return new(distinct.Length <= MaxListed ? distinct : distinct.ToFrozenSet(StringComparer.Ordinal));
    }

    public bool Contains(string id) => _ids is string[] few ? Array.IndexOf(few, id) >= 0 : ((FrozenSet<string>)_ids).Contains(id);

    public PatientSet Within(IReadOnlyList<string> patients) => _ids.Count == 0 ? this
        : patients is [var one] ? (!Contains(one) ? Empty : _ids.Count == 1 ? this : new(new[] { one }))
        : Of(patients.Where(Contains));
}
