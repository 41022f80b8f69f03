using System.Buffers;

namespace FhirIomt.Ingest.HealthExport;

/// <summary>What came of a step over a tag.</summary>
internal enum XmlStep
{
    /// <summary>An attribute, or the tag's name.</summary>
    Name,

    /// <summary>The tag ends, and its element begins.</summary>
    Open,

    /// <summary>The tag ends, and its element with it.</summary>
    Empty,

    /// <summary>The tag goes on behind what is there of it.</summary>
    Cut,

    /// <summary>It is no tag: <see cref="XmlTagReader.Problem"/>, at <see cref="XmlTagReader.Position"/>.</summary>
    Bad,
}

/// <summary>Steps over one start tag (XML 1.0, 3.1), from its name on; copies nothing.</summary>
internal ref struct XmlTagReader(ReadOnlySpan<byte> text)
{
    // Apple's have at most twenty; each is compared with those before it.
    private const int MaxAttributes = 64;

    private static readonly SearchValues<byte> NameBytes = SearchValues.Create(
        [.. "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."u8, .. Enumerable.Range(0x80, 0x80).Select(value => (byte)value)]);

    /// <summary>What cannot be copied into a JSON text as it is, or not stand in an attribute at all.</summary>
    public static readonly SearchValues<byte> Special = SearchValues.Create("&<\"\\\t\r\n"u8);

    private readonly ReadOnlySpan<byte> _text = text;
    private AttributeNames _seen;
    private int _count;

    public int Position { get; private set; }

    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>Between its quotes, as it stands in the text.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>The value reads in JSON as in XML.</summary>
    public bool IsPlain { get; private set; }

    public string? Problem { get; private set; }

    public XmlStep ReadName()
    {
        var length = NameLength(Position);
        if (Position + length == _text.Length)
        {
            return XmlStep.Cut;
        }

        if (length == 0 || IsNoStart(_text[Position]))
        {
            return Bad("A name is expected.", Position);
        }

        Name = _text.Slice(Position, length);
        Position += length;
        return XmlStep.Name;
    }

    public XmlStep Next()
    {
        var at = SkipSpace(Position);
        if (at == _text.Length)
        {
            return XmlStep.Cut;
        }

        if (_text[at] == '>')
        {
            Position = at + 1;
            return XmlStep.Open;
        }

        if (_text[at] == '/')
        {
            Position = at + 2;
            return at + 1 == _text.Length ? XmlStep.Cut : _text[at + 1] == '>' ? XmlStep.Empty : Bad("'>' is expected.", at + 1);
        }

        return at == Position ? Bad("White space or the end of the tag is expected.", at) : Attribute(at);
    }

    private XmlStep Attribute(int at)
    {
        var length = NameLength(at);
        if (at + length == _text.Length)
        {
            return XmlStep.Cut;
        }

        if (length == 0 || IsNoStart(_text[at]))
        {
            return Bad("A name is expected.", at);
        }

        var equals = SkipSpace(at + length);
        var quote = equals < _text.Length && _text[equals] == '=' ? SkipSpace(equals + 1) : equals;
        if (quote == _text.Length)
        {
            return XmlStep.Cut;
        }

        if (quote == equals || _text[quote] is not ((byte)'"' or (byte)'\''))
        {
            return Bad(quote != equals ? "A quotation mark is expected." : _text[equals] == ':' ? "Names with a prefix are no part of an export." : "'=' is expected.", quote);
        }

        return ValueOf(at, length, quote);
    }

    private XmlStep ValueOf(int at, int length, int quote)
    {
        var rest = _text[(quote + 1)..];
        var size = rest.IndexOf(_text[quote]);
        var value = size < 0 ? rest : rest[..size];
        var special = value.IndexOfAny(Special);
        if (special >= 0 && value[special..].IndexOf((byte)'<') is >= 0 and var angle)
        {
            return Bad("'<' is not allowed in an attribute.", quote + 1 + special + angle);
        }

        if (size < 0)
        {
            return XmlStep.Cut;
        }

        Name = _text.Slice(at, length);
        if (!IsNew(at, length))
        {
            return Bad(_count == MaxAttributes ? $"An element has more than {MaxAttributes} attributes." : "The attribute stands there twice.", at);
        }

        if (special >= 0 && XmlText.BadReference(value, value.Length) is >= 0 and var reference)
        {
            return Bad("The reference refers to nothing.", quote + 1 + reference);
        }

        Value = value;
        (IsPlain, Position) = (special < 0, quote + size + 2);
        return XmlStep.Name;
    }

    private bool IsNew(int at, int length)
    {
        for (var index = 0; index < _count; index++)
        {
            var (start, size) = _seen[index];
            if (size == length && _text.Slice(start, size).SequenceEqual(Name))
            {
                return false;
            }
        }

        if (_count == MaxAttributes)
        {
            return false;
        }

        _seen[_count++] = (at, length);
        return true;
    }

    private readonly int NameLength(int at)
    {
        var length = _text[at..].IndexOfAnyExcept(NameBytes);
        return length < 0 ? _text.Length - at : length;
    }

    private readonly int SkipSpace(int at)
    {
        while (at < _text.Length && _text[at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
        {
            at++;
        }

        return at;
    }

    private static bool IsNoStart(byte value) => value is (>= (byte)'0' and <= (byte)'9') or (byte)'-' or (byte)'.';

    private XmlStep Bad(string problem, int at)
    {
        (Problem, Position) = (problem, at);
        return XmlStep.Bad;
    }

    [System.Runtime.CompilerServices.InlineArray(MaxAttributes)]
    private struct AttributeNames
    {
        private (int Start, int Length) _first;
    }
}
