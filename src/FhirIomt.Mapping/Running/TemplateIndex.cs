using System.Text;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.Running;

/// <summary>
/// Which templates can match a message at all, by the member names that their match expression needs. One walk over the message's names replaces
/// one evaluation per template, so cost hardly grows with the number of templates. It may name too many templates, never too few. Where a match expression asks for a text
/// (<c>[?@.type == 'HeartRate']</c>), that tells more than any name.
/// </summary>
internal sealed class TemplateIndex
{
    /// <summary>Up to here, running each match expression is cheaper than walking all names.</summary>
    private const int WorthIt = 3;

    // No JSON holds half a character, so no member is called like this.
    private const char TextMark = '\uD800';

    private readonly Entry[]?[] _buckets;
    private readonly ulong[] _always;
    private readonly bool _hasTexts;

    private TemplateIndex(Entry[]?[] buckets, ulong[] always)
    {
        _buckets = buckets;
        _always = always;
        _hasTexts = buckets.Any(bucket => bucket?.Any(entry => entry.IsText) == true);
    }

    /// <summary>Stands among names for a text that must be a value somewhere in the message.</summary>
    public static string Text(string value) => TextMark + value;

    public static bool IsText(string name) => name.StartsWith(TextMark);

    /// <summary>64-bit words of a candidate set.</summary>
    public int Words => _always.Length;

    /// <summary>Null when there are too few templates for it to pay.</summary>
    /// <param name="sets">For each template its sets of names, of each of which one must stand in the message.</param>
    public static TemplateIndex? For(string[][][] sets)
    {
        if (sets.Length <= WorthIt)
        {
            return null;
        }

        var uses = sets.SelectMany(set => set).SelectMany(names => names).CountBy(name => name, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
        var always = new ulong[(sets.Length + 63) / 64];
        var byName = new Dictionary<string, List<int>>(StringComparer.Ordinal);
        for (var i = 0; i < sets.Length; i++)
        {
            // The rarest name tells most: every mapping asks for Body, few for systolic.
            if (sets[i].MinBy(names => names.Max(name => uses[name])) is not { } rarest)
            {
                always[i / 64] |= 1UL << (i % 64);
                continue;
            }

            foreach (var name in rarest.Distinct(StringComparer.Ordinal))
            {
                (byName.TryGetValue(name, out var list) ? list : byName[name] = []).Add(i);
            }
        }

        return new TemplateIndex(Buckets(byName), always);
    }

    /// <summary>Sets the bit of every template that may match.</summary>
    public void Find(ResourceNode root, Span<ulong> candidates)
    {
        _always.CopyTo(candidates);
        if (!Mark(root, candidates))
        {
            candidates.Fill(ulong.MaxValue);
        }
    }

    // False: a name or text is written with escapes, so bytes cannot be compared; then every template is tried.
    private bool Mark(ResourceNode node, Span<ulong> candidates)
    {
        foreach (var child in node.Children)
        {
            var name = child.NameSpan;
            if (name.Contains((byte)'\\'))
            {
                return false;
            }

            Mark(name, isText: false, candidates);
            if (_hasTexts && child.Kind == NodeKind.String)
            {
                var text = child.RawSpan[1..^1];
                if (text.Contains((byte)'\\'))
                {
                    return false;
                }

                Mark(text, isText: true, candidates);
            }

            if (child.Count > 0 && !Mark(child, candidates))
            {
                return false;
            }
        }

        return true;
    }

    private void Mark(ReadOnlySpan<byte> found, bool isText, Span<ulong> candidates)
    {
        foreach (var entry in _buckets[Hash(found) & (_buckets.Length - 1)] ?? [])
        {
            if (entry.IsText == isText && found.SequenceEqual(entry.Name))
            {
                foreach (var template in entry.Templates)
                {
                    candidates[template / 64] |= 1UL << (template % 64);
                }
            }
        }
    }

    private static Entry[]?[] Buckets(Dictionary<string, List<int>> byName)
    {
        var buckets = new Entry[]?[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(8, byName.Count * 2))];
        foreach (var (text, templates) in byName)
        {
            var isText = IsText(text);
            var name = Encoding.UTF8.GetBytes(isText ? text[1..] : text);
            ref var bucket = ref buckets[Hash(name) & (buckets.Length - 1)];
            bucket = [.. bucket ?? [], new Entry(name, isText, [.. templates])];
        }

        return buckets;
    }

    private static int Hash(ReadOnlySpan<byte> name) =>
        name.IsEmpty ? 0 : (name.Length * 31) + (name[0] * 7) + (name[^1] * 131) + (name[name.Length / 2] * 17);

    private readonly record struct Entry(byte[] Name, bool IsText, int[] Templates);
}
