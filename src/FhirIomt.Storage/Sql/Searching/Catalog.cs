using System.Collections.Concurrent;

namespace FhirIomt.Storage.Sql.Searching;

/// <summary>
/// What searches need to know of the store as a whole before they can be written as SQL: which parameters have rows, which sets of codes have a code, which units
/// there are. It changes seldom; asked anew by each search it cost PostgreSQL ten round trips of fifteen. So it is remembered, with the number that the clock row had
/// then (<see cref="Clock.Catalog"/>), and a search that used it counts only when its own statement read the same number (docs/adr/0015).
/// </summary>
internal sealed class Catalog
{
    // An entry is about 100 bytes, sets of codes more; searches of all parameters of all types need some thousands.
    private const int MaxFacts = 20_000;

    /// <summary>No store has this number.</summary>
    public const long Unknown = -1;

    private volatile Facts _facts = new(Unknown);

    /// <summary>What is known at that number, or the newest when none is given.</summary>
    public Facts At(long? number)
    {
        var facts = _facts;
        if (number is not { } wanted || facts.Number == wanted)
        {
            return facts;
        }

        var empty = new Facts(wanted);
        if (wanted > facts.Number)
        {
            _facts = empty;
        }

        return empty;
    }

    internal sealed class Facts(long number)
    {
        private readonly ConcurrentDictionary<CatalogKey, object?> _known = new();

        public long Number => number;

        public bool TryGet(CatalogKey key, out object? fact) => _known.TryGetValue(key, out fact);

        public void Add(IReadOnlyList<(CatalogKey Key, object? Fact)> learned)
        {
            if (_known.Count + learned.Count > MaxFacts)
            {
                _known.Clear();
            }

            foreach (var (key, fact) in learned)
            {
                _known[key] = fact;
            }
        }
    }
}

internal enum CatalogKind : byte
{
    /// <summary>Whether a table has rows of a parameter.</summary>
    HasRows,

    /// <summary>The number of a parameter that is not in the dictionary: none.</summary>
    Parameter,

    /// <summary>The sets of codes with a member that meets a condition.</summary>
    Sets,

    /// <summary>The concepts of a code, whatever their system.</summary>
    Concepts,

    /// <summary>The codes of the stored units of a system.</summary>
    Units,
}

/// <param name="Text">A table, a code, or a condition with its values.</param>
internal readonly record struct CatalogKey(CatalogKind Kind, long Number, string Text);

/// <summary>The catalog as one search sees it. The writer's own connection sees what is not committed, so there nothing is remembered.</summary>
/// <param name="inSnapshot">Otherwise the search's statements are each of their own moment: all that find something must read the same number, and nothing before them may have been missing. The number only grows, so the last statement speaks for those before it.</param>
internal sealed class CatalogView(SqlConnection connection, Catalog.Facts facts, bool inSnapshot)
{
    private readonly List<(CatalogKey Key, object? Fact)> _learned = [];

    public bool InSnapshot => inSnapshot;

    /// <summary>The number that the search's last statement read.</summary>
    public long? Seen { get; private set; }

    /// <summary>What was looked up could have come into being before the search's statements ran, outside of a snapshot.</summary>
    public bool IsUncertain { get; private set; }

    /// <summary>To be selected by the statements that find the matches and what belongs to them.</summary>
    public const string Column = "(SELECT catalog FROM clock)";

    public T Fact<T>(CatalogKey key, Func<T> ask)
    {
        if (!connection.IsReadOnly)
        {
            return ask();
        }

        if (!facts.TryGet(key, out var known))
        {
            known = ask();
            _learned.Add((key, known));
        }

        return (T)known!;
    }

    /// <summary>Hears the number of each statement that found something.</summary>
    public void Sees(long number)
    {
        IsUncertain |= Seen is { } before && before != number;
        Seen = number;
    }

    /// <summary>Something had no number. It may get one at any moment, and then what is newer would be found without it.</summary>
    public void Lacks() => IsUncertain = true;

    /// <summary>Whether what was used held when the matches were read; then what was learned is remembered.</summary>
    public bool Confirm()
    {
        Seen ??= connection.Scalar("SELECT catalog FROM clock");
        if (Seen != facts.Number)
        {
            return false;
        }

        facts.Add(_learned);
        return true;
    }
}
