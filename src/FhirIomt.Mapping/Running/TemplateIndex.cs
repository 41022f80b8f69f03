using System.Text;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Mapping.Running;

/// <summary>
/// Which templates can match a message at all, by the member names that their match expression needs. One walk over the message's names replaces
/// one evaluation per template, so cost hardly grows with the number of templates. It may name too many templates, never too few.
/// </summary>
internal sealed class TemplateIndex
{
    /// <summary>Up to here, running each match expression is cheaper than walking all names.</summary>
    private const int WorthIt = 3;

    private readonly Entry[]?[] _buckets;
    private readonly ulong[] _always;

    private TemplateIndex(Entry[]?[] buckets, ulong[] always)
    {
        _buckets = buckets;
        _always = always;
    }

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

    // False: a name is written with escapes, so bytes cannot be compared; then every template is tried.
    private bool Mark(ResourceNode node, Span<ulong> candidates)
    {
        foreach (var child in node.Children)
        {
            var name = child.NameSpan;
            if (name.Contains((byte)'\\'))
            {
                return false;
            }

            foreach (var entry in _buckets[Hash(name) & (_buckets.Length - 1)] ?? [])
            {
                if (name.SequenceEqual(entry.Name))
                {
                    foreach (var template in entry.Templates)
                    {
                        candidates[template / 64] |= 1UL << (template % 64);
                    }
                }
            }

            if (child.Count > 0 && !Mark(child, candidates))
            {
                return false;
            }
        }

        return true;
    }

    private static Entry[]?[] Buckets(Dictionary<string, List<int>> byName)
    {
        var buckets = new Entry[]?[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(8, byName.Count * 2))];
        foreach (var (text, templates) in byName)
        {
            var name = Encoding.UTF8.GetBytes(text);
            ref var bucket = ref buckets[Hash(name) & (buckets.Length - 1)];
            bucket = [.. bucket ?? [], new Entry(name, [.. templates])];
        }

        return buckets;
    }

    private static int Hash(ReadOnlySpan<byte> name) =>
        name.IsEmpty ? 0 : (name.Length * 31) + (name[0] * 7) + (name[^1] * 131) + (name[name.Length / 2] * 17);

    private readonly record struct Entry(byte[] Name, int[] Templates);
}
