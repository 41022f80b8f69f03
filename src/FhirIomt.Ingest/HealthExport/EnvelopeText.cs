using System.Text;

namespace FhirIomt.Ingest.HealthExport;

/// <summary>JSON while it is made out of XML's bytes: the texts go over without becoming strings. What is written can be taken back, since a tag may end behind what has been read.</summary>
internal sealed class EnvelopeText
{
    private byte[] _bytes = new byte[4096];

    /// <summary>Setting it to an earlier length takes back what was written since.</summary>
    public int Length { get; set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public void Append(ReadOnlySpan<byte> json)
    {
        json.CopyTo(Room(json.Length));
        Length += json.Length;
    }

    /// <summary><c>"name":"value",</c></summary>
    /// <param name="isPlain">The value reads in JSON as in XML.</param>
    public void Member(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool isPlain)
    {
        Name(name);
        if (isPlain)
        {
            var room = Room(value.Length);
            value.CopyTo(room);
            Length += value.Length;
        }
        else
        {
            Attribute(value);
        }

        Append("\","u8);
    }

    /// <summary><c>"name":"</c></summary>
    public void Name(ReadOnlySpan<byte> name)
    {
        var room = Room(name.Length + 4);
        room[0] = (byte)'"';
        name.CopyTo(room[1..]);
        "\":\""u8.CopyTo(room[(name.Length + 1)..]);
        Length += name.Length + 4;
    }

    /// <summary>The end of an object or array, in the place of the comma behind its last member.</summary>
    public void Close(ReadOnlySpan<byte> end)
    {
        if (_bytes[Length - 1] == ',')
        {
            Length--;
        }

        Append(end);
    }

    /// <summary>An attribute's value, its references good, as it is inside of a JSON text: references replaced, white space made blanks (XML 1.0, 3.3.3).</summary>
    public void Attribute(ReadOnlySpan<byte> value)
    {
        for (var at = 0; at < value.Length;)
        {
            switch (value[at])
            {
                case (byte)'&':
                    XmlText.TryReference(value[at..], out var character, out var length);
                    Character(character);
                    at += length;
                    break;
                case (byte)'\r' when at + 1 < value.Length && value[at + 1] == '\n':
                    at++;
                    break;
                case (byte)'\r' or (byte)'\n' or (byte)'\t':
                    Append(" "u8);
                    at++;
                    break;
                case (byte)'"' or (byte)'\\':
                    Append([(byte)'\\', value[at++]]);
                    break;
                default:
                    var run = value[at..].IndexOfAny(XmlTagReader.Special);
                    run = run < 0 ? value.Length - at : run;
                    Append(value.Slice(at, run));
                    at += run;
                    break;
            }
        }
    }

    private void Character(Rune character)
    {
        switch (character.Value)
        {
            case '"' or '\\':
                Append([(byte)'\\', (byte)character.Value]);
                break;
            case < 0x20:
                Append(character.Value == '\t' ? "\\t"u8 : character.Value == '\n' ? "\\n"u8 : "\\r"u8);
                break;
            default:
                Length += character.EncodeToUtf8(Room(4));
                break;
        }
    }

    private Span<byte> Room(int size)
    {
        if (_bytes.Length - Length < size)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + size));
        }

        return _bytes.AsSpan(Length);
    }
}
