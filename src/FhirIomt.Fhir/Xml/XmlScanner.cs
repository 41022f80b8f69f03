using System.Text;
using System.Xml;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Xml;

/// <summary>
/// Reads an XML text into its elements: no document type, no entities of its own, nothing from outside. What stops the reading is one fatal
/// issue; what is wrong with an element is noted on it.
/// </summary>
internal ref struct XmlScanner
{
    private readonly ReadOnlySpan<byte> _utf8;
    private readonly XmlReader _reader;
    private readonly JsonLimits _limits;
    private readonly Stack<XmlItem> _open = new();
    private XmlPlaces _places;
    private XmlItem? _root;

    private XmlScanner(ReadOnlySpan<byte> utf8, XmlReader reader, JsonLimits limits)
    {
        _utf8 = utf8;
        _reader = reader;
        _limits = limits;
        _places = new XmlPlaces(utf8);
    }

    public static Outcome<XmlItem> Scan(ReadOnlyMemory<byte> utf8, JsonLimits limits)
    {
        if (utf8.Length > limits.MaxBytes)
        {
            return JsonIssues.TooLong(utf8.Length, limits.MaxBytes);
        }

        if (JsonIssues.FindBadUtf8(utf8.Span) is { } bad)
        {
            return bad;
        }

        var text = utf8.Span.StartsWith(Encoding.UTF8.Preamble) ? utf8[Encoding.UTF8.Preamble.Length..] : utf8;
        var settings = new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, MaxCharactersInDocument = limits.MaxBytes, CheckCharacters = true };
        using var characters = new StringReader(Encoding.UTF8.GetString(text.Span));
        using var reader = XmlReader.Create(characters, settings);
        try
        {
            return new XmlScanner(text.Span, reader, limits).Read();
        }
        catch (XmlException exception)
        {
            return Refuse(text.Span, exception);
        }
    }

    private static Issue Refuse(ReadOnlySpan<byte> utf8, XmlException exception)
    {
        var position = new XmlPlaces(utf8).Find(Math.Max(1, exception.LineNumber), Math.Max(1, exception.LinePosition));
        if (utf8.Trim(" \t\r\n"u8).IsEmpty)
        {
            return XmlIssues.NotXml("it is empty.", position);
        }

        var offset = Math.Clamp(OffsetOf(utf8, position), 0, utf8.Length);
        var isDocumentType = utf8[Math.Max(0, offset - 16)..Math.Min(utf8.Length, offset + 16)].IndexOf("<!DOCTYPE"u8) >= 0;
        return isDocumentType ? XmlIssues.DocumentType(position) : XmlIssues.NotXml(exception.Message, position);
    }

    private static int OffsetOf(ReadOnlySpan<byte> utf8, TextPosition position)
    {
        var places = new XmlPlaces(utf8);
        places.Find(position.Line, 1);
        return places.Offset + position.Column - 1;
    }

    private Outcome<XmlItem> Read()
    {
        while (_reader.Read())
        {
            if (Step() is { } issue)
            {
                return issue;
            }
        }

        return _root ?? throw new XmlException("Root element is missing.");
    }

    private Issue? Step()
    {
        switch (_reader.NodeType)
        {
            case XmlNodeType.XmlDeclaration:
                return _reader.GetAttribute("encoding") is { } encoding && !IsUtf8(encoding) ? XmlIssues.OtherEncoding(encoding, Position()) : null;
            case XmlNodeType.Element:
                return Open();
            case XmlNodeType.EndElement:
                _open.Pop();
                return null;
            case XmlNodeType.Text or XmlNodeType.CDATA when _open.Count > 0:
                _open.Peek().Report(XmlIssues.Text() with { Position = Position() });
                return null;
            case XmlNodeType.ProcessingInstruction when _open.Count > 0:
                _open.Peek().Report(XmlIssues.Instruction() with { Position = Position() });
                return null;
            default:
                return null;
        }
    }

    private static bool IsUtf8(string encoding) =>
        encoding.Equals("utf-8", StringComparison.OrdinalIgnoreCase) || encoding.Equals("us-ascii", StringComparison.OrdinalIgnoreCase) || encoding.Equals("ascii", StringComparison.OrdinalIgnoreCase);

    private Issue? Open()
    {
        var item = new XmlItem(_reader.LocalName, _reader.NamespaceURI, Position());
        if (_open.Count >= _limits.MaxDepth)
        {
            return XmlIssues.TooDeep(_limits, item.Position);
        }

        _root ??= item;
        if (_open.Count > 0)
        {
            _open.Peek().Children.Add(item);
        }

        if (_open.Count > 0 && item.Namespace == XmlNames.Xhtml)
        {
            return ReadXhtml(item);
        }

        var isEmpty = _reader.IsEmptyElement;
        while (_reader.MoveToNextAttribute())
        {
            ReadAttribute(item);
        }

        if (!isEmpty)
        {
            _open.Push(item);
        }

        return null;
    }

    private void ReadAttribute(XmlItem item)
    {
        var isPlain = _reader.Prefix.Length == 0;
        switch (_reader.LocalName)
        {
            case "value" when isPlain:
                item.Value = Checked(item);
                break;
            case "id" when isPlain:
                item.Id = Checked(item);
                break;
            case "url" when isPlain:
                item.Url = Checked(item);
                break;
            case "schemaLocation" when _reader.NamespaceURI == XmlNames.SchemaInstance:
                break;
            default:
                if (_reader.NamespaceURI != XmlNames.Declarations)
                {
                    item.Report(XmlIssues.Attribute(_reader.Name) with { Position = Position() });
                }

                break;
        }
    }

    private string Checked(XmlItem item)
    {
        if (_reader.Value.Length == 0)
        {
            item.Report(XmlIssues.EmptyAttribute(_reader.LocalName) with { Position = Position() });
        }

        return _reader.Value;
    }

    private Issue? ReadXhtml(XmlItem item)
    {
        // The reader names the place of the tag's name, one after its bracket.
        var start = _places.Offset - 1;
        var depth = _reader.Depth;
        var copy = new XhtmlCopy();
        copy.Add(_reader);
        var isEmpty = _reader.IsEmptyElement;
        while (!isEmpty && _reader.Read() && !(_reader.NodeType == XmlNodeType.EndElement && _reader.Depth == depth))
        {
            if (_reader.Depth - depth > _limits.MaxDepth)
            {
                return XmlIssues.TooDeep(_limits, Position());
            }

            copy.Add(_reader);
        }

        if (!isEmpty)
        {
            copy.Add(_reader);
        }

        if (isEmpty || !copy.StandsAlone)
        {
            item.Xhtml = copy.ToString();
            return null;
        }

        Position();
        var end = _places.Offset + _utf8[_places.Offset..].IndexOf((byte)'>') + 1;
        item.Xhtml = Encoding.UTF8.GetString(_utf8[start..end]);
        return null;
    }

    private TextPosition Position()
    {
        var info = (IXmlLineInfo)_reader;
        return _places.Find(info.LineNumber, info.LinePosition);
    }
}
