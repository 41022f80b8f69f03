using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Validation.Terminology.CodeSystems;

/// <summary>A code system with its concepts, hierarchy and lookup tables. Built once per definition; immutable afterwards.</summary>
internal sealed class CodeSystemContent
{
    public const string ConceptProperties = "http://hl7.org/fhir/concept-properties#";

    private readonly Dictionary<string, Concept> _byCode;

    public CodeSystemContent(DefinitionResource definition)
    {
        Definition = definition;
        Root = definition.Tree.Root;
        CaseSensitive = !Root["caseSensitive"u8].IsFalse();
        Properties = PropertyTable.Of(Root);
        _byCode = new Dictionary<string, Concept>(CaseSensitive ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase);
        Concepts = new ConceptReader(this, _byCode).Read(Root["concept"u8]);
    }

    public DefinitionResource Definition { get; }

    public ResourceNode Root { get; }

    public string Url => Definition.Url;

    public string? Version => Definition.Version;

    public Canonical Canonical => new(Url, Version);

    public string? Language => Root["language"u8].AsString();

    public bool CaseSensitive { get; }

    /// <summary>Only part of the system's codes is here: an unknown code may be right.</summary>
    public bool IsFragment => Root["content"u8].TextEquals("fragment"u8) || Root["content"u8].TextEquals("example"u8);

    /// <summary>Nothing of the system's codes is here.</summary>
    public bool IsEmpty => Concepts.Count == 0 && !Root["content"u8].TextEquals("complete"u8);

    public bool IsSupplement => Root["content"u8].TextEquals("supplement"u8);

    /// <summary>For a supplement, the system that it adds to.</summary>
    public Canonical? Supplements => Root["supplements"u8].AsString() is { } text ? Canonical.Parse(text) : null;

    public PropertyTable Properties { get; }

    /// <summary>All concepts in document order.</summary>
    public IReadOnlyList<Concept> Concepts { get; }

    public Concept? Find(string code) => _byCode.GetValueOrDefault(code);

    /// <summary>The concept and everything below it, over all parents; cycles in the source are walked once.</summary>
    public HashSet<int> WithDescendants(Concept concept) => Closure(concept, below: true);

    /// <summary>The concept and everything above it.</summary>
    public HashSet<int> WithAncestors(Concept concept) => Closure(concept, below: false);

    /// <summary>The values of a concept's property, as text; <c>parent</c>, <c>child</c>, <c>display</c> and <c>definition</c> are properties too.</summary>
    public IEnumerable<string> PropertyTexts(Concept concept, string property)
    {
        switch (property)
        {
            case "concept" or "code":
                return [concept.Code];
            case "display":
                return concept.Display is { } display ? [display] : [];
            case "definition":
                return concept.Definition is { } definition ? [definition] : [];
            case "parent" when concept.Parents.Count > 0:
                return concept.Parents.Select(index => Concepts[index].Code);
            case "child" when concept.Children.Count > 0:
                return concept.Children.Select(index => Concepts[index].Code);
            case "inactive" when !Properties.IsDeclared("inactive"):
                return [concept.IsInactive ? "true" : "false"];
            default:
                return DeclaredTexts(concept, property);
        }
    }

    private static List<string> DeclaredTexts(Concept concept, string property)
    {
        var texts = new List<string>();
        foreach (var given in concept.Node["property"u8].Items)
        {
            if (given["code"u8].AsString() != property)
            {
                continue;
            }

            var value = Extensions.Value(given);
            if ((value.IsObject ? value["code"u8] : value).AsText() is { } text)
            {
                texts.Add(text);
            }
        }

        return texts;
    }

    private HashSet<int> Closure(Concept start, bool below)
    {
        var seen = new HashSet<int> { start.Index };
        var waiting = new Stack<Concept>([start]);
        while (waiting.TryPop(out var concept))
        {
            foreach (var next in below ? concept.Children : concept.Parents)
            {
                if (seen.Add(next))
                {
                    waiting.Push(Concepts[next]);
                }
            }
        }

        return seen;
    }
}

/// <summary>The property definitions of a code system: which code stands for which of FHIR's standard concept properties.</summary>
internal sealed class PropertyTable
{
    private readonly Dictionary<string, string?> _uris;

    private PropertyTable(Dictionary<string, string?> uris) => _uris = uris;

    public static PropertyTable Of(ResourceNode codeSystem)
    {
        var uris = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var property in codeSystem["property"u8].Items)
        {
            if (property["code"u8].AsString() is { } code)
            {
                uris.TryAdd(code, property["uri"u8].AsString());
            }
        }

        return new PropertyTable(uris);
    }

    public bool IsDeclared(string code) => _uris.ContainsKey(code);

    public string? Uri(string code) => _uris.GetValueOrDefault(code);

    /// <summary>Whether a property code means the standard property: by its own name, or by the URI of its definition.</summary>
    public bool Means(string code, string standard) =>
        code == standard || (Uri(code) is { } uri && uri.Length == CodeSystemContent.ConceptProperties.Length + standard.Length
            && uri.StartsWith(CodeSystemContent.ConceptProperties, StringComparison.Ordinal) && uri.EndsWith(standard, StringComparison.Ordinal));
}
