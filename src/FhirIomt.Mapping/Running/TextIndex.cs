using System.Text;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.JsonPath;

namespace FhirIomt.Mapping.Running;

/// <summary>
/// Which rules can match a message, by one text that most of them ask for: what kind of thing a record is. For each text it is decided once, by the rules' own conditions, and then
/// remembered. It may name too many rules, never too few. Worth an eighth of mapping a record of a watch, where five of twenty rules were tried and now three are.
/// </summary>
internal sealed class TextIndex
{
    // For each rule the condition that asks for the text. Of several behind one another each may be met by another value, so only the first counts.
    private readonly PathPredicate?[] _conditions;
    private readonly string _name;
    private readonly byte[] _utf8;

    // Rules that may match where there is no such text.
    private readonly ulong[] _without;
    private readonly KnownAnswers<ulong[]> _known = new();

    private TextIndex(PathPredicate[][] filters, string name)
    {
        _conditions = [.. filters.Select(rule => Array.Find(rule, filter => filter.TextNames.Contains(name, StringComparer.Ordinal)))];
        (_name, _utf8) = (name, Encoding.UTF8.GetBytes(name));
        _without = CandidatesFor(null);
    }

    /// <summary>Null where less than half of the rules ask for the same text.</summary>
    public static TextIndex? For(IReadOnlyList<JsonPathExpression> matches)
    {
        var filters = matches.Select(match => match.Filters.ToArray()).ToArray();
        var names = filters.SelectMany(rule => rule).SelectMany(filter => filter.TextNames).CountBy(name => name, StringComparer.Ordinal).ToArray();
        if (names.Length == 0)
        {
            return null;
        }

        var index = new TextIndex(filters, names.MaxBy(name => name.Value).Key);
        return index._without.Sum(System.Numerics.BitOperations.PopCount) <= matches.Count / 2 ? index : null;
    }

    /// <summary>Sets the bit of every rule that may match.</summary>
    public void Find(ResourceNode root, Span<ulong> candidates)
    {
        // A name written with escapes cannot be compared by its bytes; then every rule is tried.
        if (root.Tree.HasEscapes)
        {
            candidates.Fill(ulong.MaxValue);
            return;
        }

        _without.CopyTo(candidates);
        Mark(root, candidates);
    }

    private void Mark(ResourceNode node, Span<ulong> candidates)
    {
        foreach (var child in node.Children)
        {
            if (child.Kind == NodeKind.String)
            {
                if (child.NameSpan.SequenceEqual(_utf8))
                {
                    Join(_known.Of(child, this, static (index, text) => index.CandidatesFor(text)), candidates);
                }
            }
            else if (child.Count > 0)
            {
                Mark(child, candidates);
            }
        }
    }

    private static void Join(ulong[] known, Span<ulong> candidates)
    {
        for (var word = 0; word < known.Length; word++)
        {
            candidates[word] |= known[word];
        }
    }

    private ulong[] CandidatesFor(string? text)
    {
        var candidates = new ulong[(_conditions.Length + 63) / 64];
        for (var rule = 0; rule < _conditions.Length; rule++)
        {
            if (_conditions[rule]?.HoldsFor(_name, text) != false)
            {
                candidates[rule / 64] |= 1UL << (rule % 64);
            }
        }

        return candidates;
    }
}
