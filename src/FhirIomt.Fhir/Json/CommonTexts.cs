using System.Runtime.InteropServices;
using System.Text;

namespace FhirIomt.Fhir.Json;

/// <summary>
/// Strings for texts that come again and again: systems, codes, units, displays, names of types. Each message brings two dozen of them, and one that is here already costs
/// neither memory nor decoding. A text has one place, which the latest takes; two threads may both put theirs, and either is right.
/// </summary>
internal static class CommonTexts
{
    private const int Places = 4096;

    // What is longer is hardly met twice; with it the table stays below a megabyte.
    private const int MaxLength = 100;

    private static readonly string?[] Texts = new string?[Places];

    /// <param name="utf8">Without escapes.</param>
    public static string Of(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length is 0 or > MaxLength)
        {
            return Encoding.UTF8.GetString(utf8);
        }

        ref var place = ref Texts[PlaceOf(utf8)];
        var known = Volatile.Read(ref place);
        if (known is not null && Ascii.Equals(utf8, known))
        {
            return known;
        }

        var text = Encoding.UTF8.GetString(utf8);
        if (text.Length == utf8.Length)
        {
            Volatile.Write(ref place, text);
        }

        return text;
    }

    public static string Of(ReadOnlySpan<char> text)
    {
        Span<byte> utf8 = stackalloc byte[MaxLength];
        return text.Length <= MaxLength && Encoding.UTF8.TryGetBytes(text, utf8, out var length) ? Of(utf8[..length]) : text.ToString();
    }

    // By its ends and its length: what a table of codes differs in. Who sends texts that share a place gains nothing by it.
    private static uint PlaceOf(ReadOnlySpan<byte> utf8)
    {
        var hash = utf8.Length >= sizeof(ulong)
            ? MemoryMarshal.Read<ulong>(utf8) ^ (MemoryMarshal.Read<ulong>(utf8[^sizeof(ulong)..]) * 31) ^ (ulong)utf8.Length
            : Short(utf8);
        return (uint)((hash * 0x9E3779B97F4A7C15) >> 40) % Places;
    }

    private static ulong Short(ReadOnlySpan<byte> utf8)
    {
        var hash = (ulong)utf8.Length;
        foreach (var value in utf8)
        {
            hash = (hash << 8) ^ value;
        }

        return hash;
    }
}
