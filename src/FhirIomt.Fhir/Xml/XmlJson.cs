using System.Buffers;
using System.Text;
using FhirIomt.Core;

namespace FhirIomt.Fhir.Xml;

/// <summary>JSON being written, with the place in the XML that each value comes from. A value is one row of the tree that is read from it.</summary>
internal sealed class XmlJson
{
    private readonly ArrayBufferWriter<byte> _output = new(4096);
    private readonly List<TextPosition> _places = [];
    private bool _needsComma;

    public ReadOnlyMemory<byte> Utf8 => _output.WrittenMemory;

    public TextPosition[] Places => [.. _places];

    /// <summary>Objects and arrays open at the moment.</summary>
    public int Depth { get; private set; }

    public void Name(string name)
    {
        Separate();
        Put((byte)'"');
        Text(name);
        Put((byte)'"');
        Put((byte)':');
        _needsComma = false;
    }

    public void Start(char bracket, TextPosition place)
    {
        Separate();
        _places.Add(place);
        Put((byte)bracket);
        Depth++;
        _needsComma = false;
    }

    public void End(char bracket)
    {
        Put((byte)bracket);
        Depth--;
        _needsComma = true;
    }

    /// <summary>A number, true, false or null, as it is.</summary>
    public void Token(string token, TextPosition place)
    {
        Separate();
        _places.Add(place);
        Text(token);
        _needsComma = true;
    }

    public void String(string text, TextPosition place)
    {
        Separate();
        _places.Add(place);
        Put((byte)'"');
        var start = 0;
        for (var index = 0; index < text.Length; index++)
        {
            if (text[index] is '"' or '\\' or < ' ')
            {
                Text(text.AsSpan(start, index - start));
                Escape(text[index]);
                start = index + 1;
            }
        }

        Text(text.AsSpan(start));
        Put((byte)'"');
        _needsComma = true;
    }

    private void Escape(char letter)
    {
        Text(letter switch
        {
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '"' => "\\\"",
            '\\' => "\\\\",
            _ => $"\\u{(int)letter:x4}",
        });
    }

    private void Separate()
    {
        if (_needsComma)
        {
            Put((byte)',');
        }

        _needsComma = false;
    }

    private void Put(byte value)
    {
        _output.GetSpan(1)[0] = value;
        _output.Advance(1);
    }

    private void Text(ReadOnlySpan<char> text) => Encoding.UTF8.GetBytes(text, _output);
}
