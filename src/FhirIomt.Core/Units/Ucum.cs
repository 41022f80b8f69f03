using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace FhirIomt.Core.Units;

/// <summary>
/// UCUM codes in case-sensitive form (ucum.org, version as in the embedded table). Safe for many threads; codes once read are kept, since a
/// server meets the same few dozen again and again.
/// </summary>
public sealed class Ucum
{
    // UCUM's common-units list has about 1,400 codes. When full, further codes are read each time, which costs about a microsecond.
    private const int MaxKept = 4096;

    private static readonly Lazy<Ucum> Embedded = new(() => new Ucum());

    private readonly UcumTable _table = UcumTable.Load();
    private readonly ConcurrentDictionary<string, Outcome<UcumUnit>> _known = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Outcome<UcumUnit>>.AlternateLookup<ReadOnlySpan<char>> _byCharacters;
    private int _kept;

    private Ucum() => _byCharacters = _known.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>The table embedded in this assembly; loaded on first use.</summary>
    public static Ucum Standard => Embedded.Value;

    /// <summary>The unit, or why the code is none (IOMT-0060, IOMT-0061).</summary>
    public Outcome<UcumUnit> Parse(string code)
    {
        if (_known.TryGetValue(code, out var known))
        {
            return known;
        }

        var outcome = UcumParser.Parse(code, _table.Find);
        if (Volatile.Read(ref _kept) < MaxKept && _known.TryAdd(code, outcome))
        {
            Interlocked.Increment(ref _kept);
        }

        return outcome;
    }

    public bool TryParse(string code, [NotNullWhen(true)] out UcumUnit? unit) => Parse(code).TryGetValue(out unit, out _);

    public bool IsValid(string code) => Parse(code).Succeeded;

    /// <summary>For validation: without making a string of a code met before.</summary>
    public bool IsValid(ReadOnlySpan<byte> utf8)
    {
        Span<char> code = stackalloc char[64];
        return Encoding.UTF8.TryGetChars(utf8, code, out var length) && _byCharacters.TryGetValue(code[..length], out var known) ? known.Succeeded : IsValid(Encoding.UTF8.GetString(utf8));
    }

    /// <summary>The value in another unit; null when one code is none, the units are not comparable, or the result does not fit 28 digits.</summary>
    public decimal? Convert(decimal value, string from, string to) =>
        from == to ? value : TryParse(from, out var one) && TryParse(to, out var other) ? one.Convert(value, other) : null;

    public bool AreComparable(string one, string other) => one == other || (TryParse(one, out var left) && TryParse(other, out var right) && left.IsComparableTo(right));
}
