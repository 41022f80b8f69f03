using System.Collections.Frozen;

namespace FhirIomt.Validation.Narrative;

/// <summary>
/// The XHTML of a narrative (FHIR R4 §2.26.2, txt-1 and txt-2): one well-formed div with some content, of formatting elements and
/// attributes only. An own scanner, because an XML reader resolves entities and tells nothing about scripts.
/// </summary>
internal static class XhtmlCheck
{
    private const int MaxDepth = 256;

    private static readonly FrozenSet<string> Elements = FrozenSet.Create(StringComparer.Ordinal,
        "div", "p", "br", "h1", "h2", "h3", "h4", "h5", "h6", "a", "span", "b", "em", "i", "u", "s", "strong", "strike", "small", "big", "tt", "dfn", "q", "var", "abbr", "acronym",
        "cite", "blockquote", "hr", "address", "bdo", "kbd", "sub", "sup", "ul", "ol", "li", "dl", "dt", "dd", "pre", "table", "caption", "colgroup", "col", "thead", "tr", "tfoot",
        "tbody", "th", "td", "code", "samp", "img", "map", "area", "ins", "del", "font", "center");

    private static readonly FrozenSet<string> Attributes = FrozenSet.Create(StringComparer.Ordinal,
        "xmlns", "title", "style", "class", "id", "lang", "xml:lang", "dir", "accesskey", "tabindex", "name", "href", "rel", "rev", "charset", "hreflang", "type", "shape", "coords",
        "src", "alt", "longdesc", "height", "width", "usemap", "ismap", "nohref", "cite", "datetime", "span", "align", "valign", "char", "charoff", "abbr", "axis", "headers", "scope",
        "rowspan", "colspan", "border", "frame", "rules", "cellspacing", "cellpadding", "summary", "bgcolor", "color", "face", "size", "nowrap", "start", "value", "target", "hspace", "vspace", "clear", "compact", "noshade", "xml:space");

    /// <summary>What is wrong, or null.</summary>
    public static string? Find(string xhtml) => new Scanner(xhtml).Run();

    private ref struct Scanner(ReadOnlySpan<char> text)
    {
        private readonly Stack<string> _open = new();
        private ReadOnlySpan<char> _rest = text;
        private bool _hasContent;
        private bool _hadRoot;

        public string? Run()
        {
            while (!_rest.IsEmpty)
            {
                if ((_rest[0] == '<' ? Markup() : Text()) is { } fault)
                {
                    return fault;
                }
            }

            return _open.Count > 0 ? $"The element {_open.Peek()} is not closed." : !_hadRoot ? "The narrative is no XHTML div." : !_hasContent ? "The narrative has no content." : null;
        }

        private string? Text()
        {
            var end = _rest.IndexOf('<');
            var run = end < 0 ? _rest : _rest[..end];
            _rest = _rest[run.Length..];
            if (run.IsWhiteSpace())
            {
                return null;
            }

            _hasContent = true;
            return _open.Count == 0 ? "There is text outside the div." : XhtmlText.HasBadEntity(run) ? "An & does not begin an entity." : null;
        }

        private string? Markup()
        {
            if (_rest.StartsWith("<!--"))
            {
                var end = _rest.IndexOf("-->");
                _rest = end < 0 ? default : _rest[(end + 3)..];
                return end < 0 ? "A comment is not closed." : null;
            }

            if (_rest.Length < 3 || _rest[1] is '!' or '?')
            {
                return "Only elements, text and comments are allowed.";
            }

            return _rest[1] == '/' ? EndTag() : StartTag();
        }

        private string? EndTag()
        {
            var end = _rest.IndexOf('>');
            if (end < 0)
            {
                return "A tag is not closed.";
            }

            var name = _rest[2..end].TrimEnd();
            _rest = _rest[(end + 1)..];
            return _open.TryPop(out var open) && name.SequenceEqual(open) ? null : "The tags do not nest.";
        }

        private string? StartTag()
        {
            _rest = _rest[1..];
            var name = XhtmlText.TakeName(ref _rest).ToString();
            if (!Elements.Contains(name))
            {
                return "An element is not allowed in a narrative.";
            }

            if (_open.Count == 0 && (_hadRoot || name != "div"))
            {
                return "The narrative is not one div.";
            }

            var isRoot = !_hadRoot;
            _hadRoot = true;
            if (ReadAttributes(isRoot) is { } fault)
            {
                return fault;
            }

            var isEmpty = _rest[0] == '/';
            _rest = _rest[(isEmpty ? 2 : 1)..];
            _hasContent |= name == "img";
            if (!isEmpty)
            {
                _open.Push(name);
            }

            return _open.Count > MaxDepth ? "The narrative nests too deep." : null;
        }

        // Ends before ">" or "/>".
        private string? ReadAttributes(bool isRoot)
        {
            var hasNamespace = false;
            while (true)
            {
                var hadSpace = XhtmlText.SkipSpace(ref _rest);
                if (_rest.StartsWith(">") || _rest.StartsWith("/>"))
                {
                    return isRoot && !hasNamespace ? "The div is not in the namespace http://www.w3.org/1999/xhtml." : null;
                }

                var name = XhtmlText.TakeName(ref _rest);
                if (!hadSpace || name.IsEmpty || !XhtmlText.TryTakeValue(ref _rest, out var value))
                {
                    return "A tag is not well-formed.";
                }

                var attribute = name.ToString();
                if (!Attributes.Contains(attribute) || XhtmlText.HasBadEntity(value))
                {
                    return "An attribute is not allowed in a narrative.";
                }

                if (XhtmlText.IsActive(attribute, value))
                {
                    return "An attribute has active content.";
                }

                hasNamespace |= attribute == "xmlns" && value is "http://www.w3.org/1999/xhtml";
            }
        }
    }
}
