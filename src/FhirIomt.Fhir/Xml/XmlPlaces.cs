using FhirIomt.Core;

namespace FhirIomt.Fhir.Xml;

/// <summary>
/// From the line and character that an XML reader tells to the byte. Asked in the order of the document, so that it walks the text once
/// however long its lines are.
/// </summary>
internal ref struct XmlPlaces(ReadOnlySpan<byte> utf8)
{
    private readonly ReadOnlySpan<byte> _utf8 = utf8;
    private int _line = 1;
    private int _lineStart;
    private int _character = 1;

    /// <summary>Offset of the byte last asked for.</summary>
    public int Offset { get; private set; }

    public TextPosition Find(int line, int character)
    {
        while (_line < line && Offset < _utf8.Length)
        {
            SkipLine();
        }

        while (_line == line && _character < character && Offset < _utf8.Length)
        {
            // A character beyond the basic plane has four bytes, and the reader counts it as two.
            var width = _utf8[Offset] switch { < 0x80 => 1, < 0xE0 => 2, < 0xF0 => 3, _ => 4 };
            _character += width == 4 ? 2 : 1;
            Offset = Math.Min(Offset + width, _utf8.Length);
        }

        return new TextPosition(_line, Offset - _lineStart + 1);
    }

    // XML 1.0 §2.11: a line ends with LF, CR LF or CR.
    private void SkipLine()
    {
        var rest = _utf8[Offset..];
        var end = rest.IndexOfAny((byte)'\n', (byte)'\r');
        if (end < 0)
        {
            Offset = _utf8.Length;
            return;
        }

        var isPair = rest[end] == (byte)'\r' && end + 1 < rest.Length && rest[end + 1] == (byte)'\n';
        Offset += end + (isPair ? 2 : 1);
        _lineStart = Offset;
        _line++;
        _character = 1;
    }
}
