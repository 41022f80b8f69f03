using System.Net;
using System.Text;
using System.Xml;

namespace FhirIomt.Fhir.Xml;

/// <summary>A narrative's <c>div</c> on its way from a JSON string into an XML document.</summary>
internal static class XhtmlText
{
    /// <summary>The text as it can stand in XML: kept to the letter where it can, else with named HTML entities as characters and its namespace
    /// declared. Null when it is not one well-formed <c>div</c>.</summary>
    public static string? ToXml(string xhtml)
    {
        var text = WithoutNamedEntities(xhtml).Trim();
        return Read(text) switch
        {
            { Root: XmlNames.Xhtml, StandsAlone: true } => text,
            { Root: XmlNames.Xhtml } => Declared(text),
            { Root: "" } when text.StartsWith("<div", StringComparison.Ordinal) => Declared($"<div xmlns=\"{XmlNames.Xhtml}\"{text["<div".Length..]}"),
            _ => null,
        };
    }

    private static (string Root, bool StandsAlone)? Read(string text)
    {
        try
        {
            using var reader = Reader(text);
            if (reader.MoveToContent() != XmlNodeType.Element || reader.LocalName != "div")
            {
                return null;
            }

            var root = reader.NamespaceURI;
            var copy = new XhtmlCopy();
            do
            {
                copy.Add(reader);
            }
            while (reader.Read());

            // A comment before the div, or anything after it, has no place in the element.
            return (root, copy.StandsAlone && text.StartsWith("<div", StringComparison.Ordinal) && text.EndsWith('>') && !text.EndsWith("-->", StringComparison.Ordinal));
        }
        catch (XmlException)
        {
            return null;
        }
    }

    private static string? Declared(string text)
    {
        try
        {
            using var reader = Reader(text);
            var copy = new XhtmlCopy();
            reader.MoveToContent();
            do
            {
                copy.Add(reader);
            }
            while (reader.Read());
            var plain = copy.ToString().Trim();
            return Read(plain) is { Root: XmlNames.Xhtml, StandsAlone: true } ? plain : null;
        }
        catch (XmlException)
        {
            return null;
        }
    }

    private static XmlReader Reader(string text) =>
        XmlReader.Create(new StringReader(text), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, MaxCharactersInDocument = Math.Max(1, text.Length) });

    // XML knows five names; XHTML's others came from its document type, which a resource must not have.
    private static string WithoutNamedEntities(string text)
    {
        var at = text.IndexOf('&', StringComparison.Ordinal);
        if (at < 0)
        {
            return text;
        }

        var result = new StringBuilder(text.Length);
        var start = 0;
        for (; at >= 0; at = text.IndexOf('&', at + 1))
        {
            var end = text.AsSpan(at, Math.Min(12, text.Length - at)).IndexOf(';');
            if (end < 2 || text[at + 1] == '#' || text.AsSpan(at + 1, end - 1) is "amp" or "lt" or "gt" or "quot" or "apos")
            {
                continue;
            }

            var name = text.Substring(at, end + 1);
            if (WebUtility.HtmlDecode(name) is var letter && letter != name)
            {
                result.Append(text, start, at - start).Append(letter);
                start = at + end + 1;
            }
        }

        return result.Append(text, start, text.Length - start).ToString();
    }
}
