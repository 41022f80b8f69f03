using System.Text;
using System.Xml;

namespace FhirIomt.Fhir.Xml;

/// <summary>
/// XHTML written again with its namespace declared on itself and no prefixes. Used where the text that came in cannot stand alone;
/// elsewhere that text is kept to the letter.
/// </summary>
internal sealed class XhtmlCopy
{
    private readonly StringBuilder _text = new();
    private readonly Stack<string> _spaces = new();

    /// <summary>Whether what was met so far reads the same when it is cut out of the document.</summary>
    public bool StandsAlone { get; private set; } = true;

    public override string ToString() => _text.ToString();

    /// <summary>Adds what the reader stands on.</summary>
    public void Add(XmlReader reader)
    {
        switch (reader.NodeType)
        {
            case XmlNodeType.Element:
                AddElement(reader);
                break;
            case XmlNodeType.EndElement:
                _spaces.Pop();
                _text.Append("</").Append(reader.LocalName).Append('>');
                break;
            case XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace:
                Escape(reader.Value, isAttribute: false);
                break;
            case XmlNodeType.Comment:
                _text.Append("<!--").Append(reader.Value).Append("-->");
                break;
        }
    }

    private void AddElement(XmlReader reader)
    {
        var isEmpty = reader.IsEmptyElement;
        var space = reader.NamespaceURI;
        _text.Append('<').Append(reader.LocalName);
        if (_spaces.Count == 0 || _spaces.Peek() != space)
        {
            AddAttribute("xmlns", space);
        }

        StandsAlone &= reader.Prefix.Length == 0 && (_spaces.Count > 0 || reader.GetAttribute("xmlns") is not null);
        while (reader.MoveToNextAttribute())
        {
            if (reader.NamespaceURI == XmlNames.Declarations)
            {
                continue;
            }

            var isOwn = reader.Prefix.Length == 0 || reader.NamespaceURI == XmlNames.Xml;
            StandsAlone &= isOwn;
            if (!isOwn)
            {
                AddAttribute("xmlns:" + reader.Prefix, reader.NamespaceURI);
            }

            AddAttribute(reader.Name, reader.Value);
        }

        reader.MoveToElement();
        _text.Append(isEmpty ? "/>" : ">");
        if (!isEmpty)
        {
            _spaces.Push(space);
        }
    }

    private void AddAttribute(string name, string value)
    {
        _text.Append(' ').Append(name).Append("=\"");
        Escape(value, isAttribute: true);
        _text.Append('"');
    }

    private void Escape(string text, bool isAttribute)
    {
        foreach (var letter in text)
        {
            _ = letter switch
            {
                '&' => _text.Append("&amp;"),
                '<' => _text.Append("&lt;"),
                '>' => _text.Append("&gt;"),
                '"' when isAttribute => _text.Append("&quot;"),
                '\n' or '\t' when isAttribute => _text.Append("&#").Append((int)letter).Append(';'),
                '\r' => _text.Append("&#13;"),
                _ => _text.Append(letter),
            };
        }
    }
}
