using System.Text;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage;

/// <summary>
/// What <c>_text</c> and <c>_content</c> look through (R4 §3.1.1.4.14): words of letters and digits, folded like strings, one space between. Cut into words here
/// and not by the engines, whose tokenizers disagree about hyphens, addresses and numbers.
/// </summary>
public sealed class SearchText
{
    // A tsvector of PostgreSQL holds 1 MB; a quarter of it leaves room for its positions. What comes later in a resource is not found by its text.
    private const int MaxLength = 200_000;

    // Longer ones are data: Base64 of an attachment is one "word".
    private const int MaxWordLength = 200;

    private SearchText(string narrative, string content) => (Narrative, Content) = (narrative, content);

    /// <summary>The words of <c>text.div</c>, without its markup.</summary>
    internal string Narrative { get; }

    /// <summary>The words of every string in the resource, the narrative included.</summary>
    internal string Content { get; }

    /// <summary>Null when there is nothing to find. A device reading is one of these: an Observation is looked through only when somebody wrote in it.</summary>
    public static SearchText? Of(string resourceType, JsonTree tree)
    {
        var root = tree.Root;
        var division = root["text"u8]["div"u8].AsString();
        if (resourceType == "Observation" && division is null && !root["note"u8].Exists && !root["valueString"u8].Exists)
        {
            return null;
        }

        var narrative = new StringBuilder();
        if (division is not null)
        {
            AddWords(narrative, WithoutTags(division));
        }

        var content = new StringBuilder(narrative.ToString());
        AddStrings(content, root, isText: false);
        return content.Length == 0 ? null : new SearchText(narrative.ToString(), content.ToString());
    }

    /// <summary>A text as its words: what a search must ask for.</summary>
    internal static string Words(string text)
    {
        var words = new StringBuilder(text.Length);
        AddWords(words, text);
        return words.ToString();
    }

    private static void AddStrings(StringBuilder content, ResourceNode node, bool isText)
    {
        if (content.Length >= MaxLength)
        {
            return;
        }

        if (node.IsString)
        {
            AddWords(content, node.AsString()!);
            return;
        }

        foreach (var child in node.Children)
        {
            // The narrative is there already, and its markup is no content.
            if (!(isText && child.NameSpan.SequenceEqual("div"u8)))
            {
                AddStrings(content, child, child.NameSpan.SequenceEqual("text"u8));
            }
        }
    }

    private static void AddWords(StringBuilder words, string text)
    {
        var folded = TextFolding.Fold(text);
        var at = 0;
        while (at < folded.Length && words.Length < MaxLength)
        {
            var start = at;
            while (at < folded.Length && (char.IsLetterOrDigit(folded[at]) || char.IsSurrogate(folded[at])))
            {
                at++;
            }

            if (at > start && at - start <= MaxWordLength)
            {
                words.Append(words.Length == 0 ? "" : " ").Append(folded, start, at - start);
            }

            at += at < folded.Length ? 1 : 0;
        }
    }

    private static string WithoutTags(string division)
    {
        var text = new StringBuilder(division.Length);
        var inTag = false;
        foreach (var character in division)
        {
            inTag = character == '<' || (inTag && character != '>');
            text.Append(inTag || character == '>' ? ' ' : character);
        }

        return System.Net.WebUtility.HtmlDecode(text.ToString());
    }
}
