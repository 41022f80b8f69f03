using System.Buffers.Text;
using System.Text;

namespace FhirIomt.Ingest.HealthExport;

/// <summary>References in texts and attributes (XML 1.0, 4.1): to characters by their number, and the five that every reader knows. An export's own DTD defines no others that count.</summary>
internal static class XmlText
{
    // "&#x10FFFF;" with zeros before it is longer than anybody writes.
    public const int LongestReference = 32;

    /// <summary>The character that a text beginning with <c>&amp;</c> refers to, and how long the reference is; false where it refers to nothing.</summary>
    public static bool TryReference(ReadOnlySpan<byte> text, out Rune character, out int length)
    {
        character = default;
        var end = text[..Math.Min(text.Length, LongestReference)].IndexOf((byte)';');
        length = end + 1;
        if (end < 2)
        {
            return false;
        }

        var name = text[1..end];
        if (name[0] == '#')
        {
            return TryNumber(name[1..], out character);
        }

        var known = name switch
        {
            _ when name.SequenceEqual("lt"u8) => '<',
            _ when name.SequenceEqual("gt"u8) => '>',
            _ when name.SequenceEqual("amp"u8) => '&',
            _ when name.SequenceEqual("quot"u8) => '"',
            _ when name.SequenceEqual("apos"u8) => '\'',
            _ => '\0',
        };
        character = new Rune(known);
        return known != '\0';
    }

    /// <summary>Where the first reference that refers to nothing begins; -1 without one.</summary>
    /// <param name="until">References that begin behind it are not looked at.</param>
    public static int BadReference(ReadOnlySpan<byte> text, int until)
    {
        for (var at = 0; at < until;)
        {
            var next = text[at..until].IndexOf((byte)'&');
            if (next < 0)
            {
                return -1;
            }

            at += next;
            if (!TryReference(text[at..], out _, out var length))
            {
                return at;
            }

            at += length;
        }

        return -1;
    }

    private static bool TryNumber(ReadOnlySpan<byte> digits, out Rune character)
    {
        character = default;
        var isHex = digits.Length > 0 && digits[0] == 'x';
        digits = isHex ? digits[1..] : digits;
        return digits.Length > 0 && Utf8Parser.TryParse(digits, out uint number, out var used, isHex ? 'x' : 'D') && used == digits.Length && IsDigits(digits, isHex)
            && number is 9 or 10 or 13 or (>= 0x20 and not 0xFFFE and not 0xFFFF) && Rune.TryCreate(number, out character);
    }

    private static bool IsDigits(ReadOnlySpan<byte> digits, bool isHex)
    {
        foreach (var digit in digits)
        {
            if (!(isHex ? char.IsAsciiHexDigit((char)digit) : char.IsAsciiDigit((char)digit)))
            {
                return false;
            }
        }

        return true;
    }
}
