using System.Buffers.Binary;
using System.Text;

namespace FhirIomt.Fhir.Definitions;

/// <summary>
/// One part of the compiled definitions: a string table and a body of variable-length integers. A string becomes a .NET string when it is
/// first asked for. Layout: count, length of each string, the strings' UTF-8, the body; the body's last four bytes say where its directory starts.
/// </summary>
internal sealed class DefinitionBook
{
    private readonly byte[] _bytes;
    private readonly int[] _stringEnds;
    private readonly string?[] _strings;
    private readonly int _textStart;
    private readonly int _bodyStart;

    public DefinitionBook(byte[] bytes)
    {
        _bytes = bytes;
        var cursor = new BookCursor(this, 0);
        var count = cursor.Int();
        _stringEnds = new int[count];
        _strings = new string?[count];
        var end = 0;
        for (var index = 0; index < count; index++)
        {
            end += cursor.Int();
            _stringEnds[index] = end;
        }

        _textStart = cursor.Position;
        _bodyStart = _textStart + end;
    }

    /// <summary>A cursor at the directory.</summary>
    public BookCursor Directory() => At(BinaryPrimitives.ReadInt32LittleEndian(_bytes.AsSpan(_bytes.Length - 4)));

    /// <summary>A cursor at an offset of the body.</summary>
    public BookCursor At(int offset) => new(this, _bodyStart + offset);

    internal byte ByteAt(int position) => _bytes[position];

    // Two threads may both decode a string; both results are equal and either may stay.
    internal string StringAt(int index)
    {
        if (_strings[index] is { } known)
        {
            return known;
        }

        var start = index == 0 ? 0 : _stringEnds[index - 1];
        return _strings[index] = Encoding.UTF8.GetString(_bytes, _textStart + start, _stringEnds[index] - start);
    }
}

/// <summary>Reads a book forward.</summary>
internal struct BookCursor(DefinitionBook book, int position)
{
    public int Position { get; private set; } = position;

    public int Int()
    {
        var value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var part = book.ByteAt(Position++);
            value |= (part & 0x7F) << shift;
            if (part < 0x80)
            {
                return value;
            }
        }
    }

    public string Text() => book.StringAt(Int());

    /// <summary>A string or null; null is written as 0, others one higher.</summary>
    public string? OptionalText() => Int() is > 0 and var index ? book.StringAt(index - 1) : null;

    public string[] Texts()
    {
        var count = Int();
        if (count == 0)
        {
            return [];
        }

        var texts = new string[count];
        for (var index = 0; index < count; index++)
        {
            texts[index] = Text();
        }

        return texts;
    }

    /// <summary>A number or null, as <see cref="OptionalText"/>.</summary>
    public int? OptionalInt() => Int() is > 0 and var value ? value - 1 : null;
}
