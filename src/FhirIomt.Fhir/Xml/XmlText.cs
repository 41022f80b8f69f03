using System.Buffers;
using System.Text;

namespace FhirIomt.Fhir.Xml;

/// <summary>XML being written: UTF-8, attributes escaped so that they read back to the letter.</summary>
internal sealed class XmlText(bool indented)
{
    private readonly ArrayBufferWriter<byte> _output = new(4096);
    private int _depth;
    private bool _tagOpen;
    private bool _justOpened;

    public ReadOnlyMemory<byte> Utf8 => _output.WrittenMemory;

    public void Declaration() => Text("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");

    public void Open(string name)
    {
        CloseTag();
        NewLine();
        Text("<");
        Text(name);
        _depth++;
        (_tagOpen, _justOpened) = (true, true);
    }

    public void Attribute(string name, string value)
    {
        Text(" ");
        Text(name);
        Text("=\"");
        var start = 0;
        for (var index = 0; index < value.Length; index++)
        {
            if (Escaped(value[index]) is { } escaped)
            {
                Text(value.AsSpan(start, index - start));
                Text(escaped);
                start = index + 1;
            }
        }

        Text(value.AsSpan(start));
        Text("\"");
    }

    /// <summary>An element that is XML text already.</summary>
    public void Raw(string xml)
    {
        CloseTag();
        NewLine();
        Text(xml);
        _justOpened = false;
    }

    public void Close(string name)
    {
        _depth--;
        if (_tagOpen)
        {
            Text("/>");
            (_tagOpen, _justOpened) = (false, false);
            return;
        }

        if (!_justOpened)
        {
            NewLine();
        }

        Text("</");
        Text(name);
        Text(">");
        _justOpened = false;
    }

    private void CloseTag()
    {
        if (_tagOpen)
        {
            Text(">");
        }

        _tagOpen = false;
    }

    private void NewLine()
    {
        if (indented)
        {
            Text("\n");
            for (var level = 0; level < _depth; level++)
            {
                Text("  ");
            }
        }
    }

    // A reader turns a bare line end or tab in an attribute into a space (XML 1.0 §3.3.3).
    private static string? Escaped(char letter) => letter switch
    {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&quot;",
        '\n' => "&#xA;",
        '\r' => "&#xD;",
        '\t' => "&#x9;",
        _ => null,
    };

    private void Text(ReadOnlySpan<char> text) => Encoding.UTF8.GetBytes(text, _output);
}
