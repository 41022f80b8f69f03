using System.Globalization;
using System.Text;

namespace FhirIomt.Ingest.Hl7;

/// <summary>The characters that a message separates and escapes by, as its MSH-1 and MSH-2 say.</summary>
public sealed record Hl7Separators(char Field, char Component, char Repetition, char Escape, char Subcomponent)
{
    public static Hl7Separators Usual { get; } = new('|', '^', '~', '\\', '&');

    /// <summary>Reads them from a text that begins with MSH; null when it does not.</summary>
    public static Hl7Separators? Of(ReadOnlySpan<char> message)
    {
        if (message.Length < 8 || !message.StartsWith("MSH") || char.IsLetterOrDigit(message[3]) || char.IsControl(message[3]))
        {
            return null;
        }

        var encoding = message[4..];
        var end = encoding.IndexOf(message[3]);
        char At(int index, char usual, ReadOnlySpan<char> text) => index < end && index < text.Length ? text[index] : usual;
        return end is < 1 or > 5 ? null : new Hl7Separators(message[3], encoding[0], At(1, '~', encoding), At(2, '\\', encoding), At(3, '&', encoding));
    }

    /// <summary>A text with its escape sequences replaced (HL7 v2.6, 2.7); one that is not known stays as it is.</summary>
    public string Unescape(ReadOnlySpan<char> text)
    {
        if (!text.Contains(Escape))
        {
            return text.ToString();
        }

        var plain = new StringBuilder(text.Length);
        while (text.IndexOf(Escape) is >= 0 and var start)
        {
            plain.Append(text[..start]);
            var rest = text[(start + 1)..];
            var end = rest.IndexOf(Escape);
            if (end < 0 || !TryReplace(rest[..end], plain))
            {
                plain.Append(Escape);
                text = rest;
                continue;
            }

            text = rest[(end + 1)..];
        }

        return plain.Append(text).ToString();
    }

    private bool TryReplace(ReadOnlySpan<char> sequence, StringBuilder plain)
    {
        char? single = sequence switch
        {
            "F" => Field,
            "S" => Component,
            "T" => Subcomponent,
            "R" => Repetition,
            "E" => Escape,
            ".br" => '\n',
            _ => null,
        };
        if (single is { } character)
        {
            plain.Append(character);
            return true;
        }

        if (sequence is not ['X', .. { Length: > 0 } digits] || digits.Length % 2 != 0)
        {
            // Highlighting and its end change nothing of the text.
            return sequence is "H" or "N";
        }

        for (var index = 0; index < digits.Length; index += 2)
        {
            if (!byte.TryParse(digits.Slice(index, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var value))
            {
                return false;
            }

            plain.Append((char)value);
        }

        return true;
    }
}
