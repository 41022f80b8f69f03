using FhirIomt.Core;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Fhir.Xml;

/// <summary>Every refusal of the XML reader and writer: IOMT-0110 to IOMT-0133; size, depth and encoding have the codes they have in JSON.</summary>
internal static class XmlIssues
{
    public static Issue NotXml(string what, TextPosition position) =>
        Fatal("IOMT-0110", "The text is not well-formed XML: " + Shorten(what, 200), position, "Send one complete XML document in UTF-8.");

    public static Issue DocumentType(TextPosition position) =>
        Fatal("IOMT-0111", "A document type declaration is not allowed, and with it no entities of its own.", position, "Remove <!DOCTYPE …> and write characters as themselves or as &#…;.");

    public static Issue OtherEncoding(string encoding, TextPosition position) =>
        Fatal("IOMT-0112", $"The XML declaration names the encoding '{Shorten(encoding)}'.", position, "Encode the document as UTF-8 and declare that, or nothing.");

    public static Issue NoResource(string name, TextPosition position) =>
        Fatal("IOMT-0113", $"The element '{Shorten(name)}' is no R4 resource.", position, $"Send a resource type of R4 in the namespace {XmlNames.Fhir}.");

    public static Issue TooDeep(JsonLimits limits, TextPosition position) =>
        new(IssueSeverity.Fatal, IssueKind.TooCostly, "IOMT-0101", $"The XML is nested deeper than its {limits.MaxDepth} levels of JSON.") { Position = position, Fix = "Flatten the document." };

    public static Issue WrongNamespace(string name, string expected) =>
        Error("IOMT-0114", $"The element '{Shorten(name)}' is in a namespace that is not allowed here.", $"Use the namespace {expected}.");

    public static Issue UnknownElement(string name, string type) =>
        Error("IOMT-0115", $"{type} has no element '{Shorten(name)}'.", "Remove it, or correct its name.");

    public static Issue Attribute(string name) =>
        Error("IOMT-0116", $"The attribute '{Shorten(name)}' is not allowed here.", "Remove it. A primitive has value and id, other elements have id, an extension has url; a resource has none.");

    public static Issue NeedsAttribute(string name) =>
        Error("IOMT-0116", $"'{name}' is an attribute here, not an element.", $"Write {name}=\"…\" on the element itself.");

    public static Issue Order(string name, string before) =>
        Error("IOMT-0117", $"The element '{name}' stands after '{before}'.", "Put the elements in the order of the definition, equal ones together.");

    public static Issue Repeats(string name) =>
        Error("IOMT-0118", $"The element '{name}' appears more than once.", "Keep one.");

    public static Issue Empty(string name) =>
        Error("IOMT-0119", $"The element '{Shorten(name)}' is empty.", "Leave it out, or give it a value or content.");

    public static Issue EmptyAttribute(string name) =>
        Error("IOMT-0120", $"The attribute '{name}' is empty.", "Leave it out, or give it a value.");

    public static Issue Text() =>
        Error("IOMT-0121", "There is text between the elements.", "FHIR holds values in attributes: move it to value=\"…\", or remove it.");

    public static Issue ResourceInside(string name) =>
        Error("IOMT-0122", $"'{name}' must hold exactly one resource of R4.", "Put one resource element inside.");

    public static Issue Instruction() =>
        Error("IOMT-0123", "A processing instruction is not allowed inside a resource.", "Remove it.");

    public static Issue NotAnXmlCharacter(string path) =>
        Issue.Error(IssueKind.Value, "IOMT-0130", "The text has a character that XML cannot hold.", path, "Remove control characters.");

    public static Issue BadNarrative(string path) =>
        Issue.Error(IssueKind.Structure, "IOMT-0131", "The narrative is not one well-formed div of XHTML.", path, "Write <div xmlns=\"" + XmlNames.Xhtml + "\">…</div>.");

    public static Issue UnknownMember(string name, string type, string path) =>
        Issue.Error(IssueKind.Structure, "IOMT-0132", $"{type} has no element '{Shorten(name)}', so that XML has no place for it.", path, "Remove it, or correct its name.");

    public static Issue WrongShape(string what, string path) =>
        Issue.Error(IssueKind.Structure, "IOMT-0133", what, path, "Correct the JSON; $validate says more about it.");

    private static Issue Error(string code, string message, string fix) => new(IssueSeverity.Error, IssueKind.Structure, code, message) { Fix = fix };

    private static Issue Fatal(string code, string message, TextPosition position, string fix) =>
        new(IssueSeverity.Fatal, IssueKind.Structure, code, message) { Position = position, Fix = fix };

    private static string Shorten(string text, int most = 64) => text.Length <= most ? text : text[..most] + "…";
}
