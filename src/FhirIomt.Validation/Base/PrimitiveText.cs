using System.Buffers;
using System.Globalization;

namespace FhirIomt.Validation.Base;

/// <summary>
/// The text forms of FHIR R4 §2.24.0.1, checked over UTF-8 by hand: the definitions' regular expressions say the same, but cost some
/// hundred nanoseconds per value.
/// </summary>
internal static class PrimitiveText
{
    private static readonly SearchValues<byte> Spaces = SearchValues.Create(" \t\r\n\f\v"u8);
    private static readonly SearchValues<byte> IdLetters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-."u8);
    private static readonly SearchValues<byte> Base64Letters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"u8);

    // §2.24.0.1: no characters below 32 but tab, CR and LF.
    private static readonly SearchValues<byte> Controls = SearchValues.Create([0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31]);

    /// <param name="text">JSON escapes undone; not empty.</param>
    public static bool IsValid(ValueShape shape, ReadOnlySpan<byte> text) => shape switch
    {
        ValueShape.Integer => IsInteger(text, int.MinValue),
        ValueShape.UnsignedInt => IsInteger(text, 0),
        ValueShape.PositiveInt => IsInteger(text, 1),
        ValueShape.Code => IsCode(text),
        ValueShape.Id => text.Length <= 64 && !text.ContainsAnyExcept(IdLetters),
        ValueShape.Uri => IsUri(text),
        ValueShape.Oid => IsOid(text),
        ValueShape.Uuid => IsUuid(text) && !text.ContainsAnyInRange((byte)'A', (byte)'F'),
        ValueShape.Base64 => IsBase64(text),
        ValueShape.Date => DateText.IsDate(text),
        ValueShape.DateTime => DateText.IsDateTime(text),
        ValueShape.Instant => DateText.IsInstant(text),
        ValueShape.Time => DateText.IsTime(text),
        ValueShape.String or ValueShape.Markdown => !text.ContainsAny(Controls),
        _ => true,
    };

    private static bool IsInteger(ReadOnlySpan<byte> text, int min)
    {
        var digits = text[0] == '-' ? text[1..] : text;
        var wellFormed = !digits.IsEmpty && !digits.ContainsAnyExceptInRange((byte)'0', (byte)'9') && (digits[0] != '0' || text.Length == 1);
        return wellFormed && int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= min;
    }

    private static bool IsCode(ReadOnlySpan<byte> text)
    {
        var wasSpace = true;
        foreach (var letter in text)
        {
            var isSpace = letter <= ' ';
            if (isSpace && wasSpace)
            {
                return false;
            }

            wasSpace = isSpace;
        }

        return !wasSpace;
    }

    // A uri may be any text without spaces; one that says it is a UUID must be one (§2.24.0.1 uri). OIDs are not held to that: R4's own
    // example Library-zika-virus-intervention-logic has a urn:oid that is none.
    private static bool IsUri(ReadOnlySpan<byte> text)
    {
        if (text.ContainsAny(Spaces) || text.ContainsAny(Controls))
        {
            return false;
        }

        return !text.StartsWith("urn:uuid:"u8) || IsUuid(text);
    }

    private static bool IsOid(ReadOnlySpan<byte> text)
    {
        if (!text.StartsWith("urn:oid:"u8) || text.Length < 11 || text[8] is < (byte)'0' or > (byte)'2')
        {
            return false;
        }

        var rest = text[9..];
        while (!rest.IsEmpty)
        {
            if (rest[0] != '.')
            {
                return false;
            }

            rest = rest[1..];
            var end = rest.IndexOf((byte)'.');
            var arc = end < 0 ? rest : rest[..end];
            if (arc.IsEmpty || arc.ContainsAnyExceptInRange((byte)'0', (byte)'9') || (arc[0] == '0' && arc.Length > 1))
            {
                return false;
            }

            rest = rest[arc.Length..];
        }

        return true;
    }

    private static bool IsUuid(ReadOnlySpan<byte> text)
    {
        if (text.Length != 45 || !text.StartsWith("urn:uuid:"u8))
        {
            return false;
        }

        for (var index = 9; index < text.Length; index++)
        {
            var isDash = index is 17 or 22 or 27 or 32;
            var fits = isDash ? text[index] == '-' : text[index] is (>= (byte)'0' and <= (byte)'9') or (>= (byte)'a' and <= (byte)'f') or (>= (byte)'A' and <= (byte)'F');
            if (!fits)
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsBase64(ReadOnlySpan<byte> text)
    {
        var (letters, padding) = (0, 0);
        while (!text.IsEmpty)
        {
            var run = text.IndexOfAnyExcept(Base64Letters);
            run = run < 0 ? text.Length : run;
            if (run > 0 && padding > 0)
            {
                return false;
            }

            letters += run;
            text = text[run..];
            if (!text.IsEmpty)
            {
                var isPadding = text[0] == '=';
                if (!isPadding && !Spaces.Contains(text[0]))
                {
                    return false;
                }

                padding += isPadding ? 1 : 0;
                text = text[1..];
            }
        }

        return letters > 0 && padding <= 2 && (letters + padding) % 4 == 0;
    }
}
