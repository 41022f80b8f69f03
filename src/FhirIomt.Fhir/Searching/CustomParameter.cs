using System.Text;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.FhirPath;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.Searching;

/// <summary>A SearchParameter resource that is none of R4's own, as what it makes searchable.</summary>
/// <param name="Id">Of the resource.</param>
/// <param name="Parameters">One for each of its base types.</param>
public sealed record CustomParameter(string Id, IReadOnlyList<SearchParameter> Parameters)
{
    private const int MaxCodeLength = 64;

    /// <summary>The same for each base type, and another one when type or expression change.</summary>
    public string IndexName => Parameters[0].IndexName;

    public string Code => Parameters[0].Code;

    /// <summary>
    /// Reads a definition. An expression that cannot be compiled is an error (IOMT-0720); what this server cannot index is told as a warning (IOMT-0721), with null.
    /// </summary>
    public static (CustomParameter? Parameter, IReadOnlyList<Issue> Issues) Read(ResourceNode definition, FhirDefinitions definitions)
    {
        var (code, expression) = (definition["code"u8].AsString(), definition["expression"u8].AsString());
        if (expression is not null && !FhirPathExpression.Compile(expression, definitions).TryGetValue(out _, out var broken))
        {
            return (null, [.. broken.Select(issue => SearchIssues.BadExpression(issue.Message) with { Position = issue.Position })]);
        }

        var issues = new List<Issue>();
        var bases = Texts(definition["base"u8]);
        if (!Enum.TryParse<SearchParameterType>(definition["type"u8].AsString(), ignoreCase: true, out var type) || type is SearchParameterType.Special or SearchParameterType.Composite)
        {
            issues.Add(SearchIssues.NotUsable("type", "special and composite parameters of one's own are not indexed"));
        }

        if (expression is null || code is null || !IsCode(code))
        {
            issues.Add(SearchIssues.NotUsable("code", "it needs an expression, and a code of letters, digits, '-' and '_' that begins with a letter"));
        }

        if (bases.Count == 0 || bases.Find(name => !definitions.IsResourceType(name)) is not null)
        {
            issues.Add(SearchIssues.NotUsable("base", "each base must be one concrete resource type"));
        }
        else if (code is not null && bases.Find(name => definitions.SearchParameter(name, code) is not null) is { } taken)
        {
            issues.Add(SearchIssues.NotUsable("code", $"R4 has a parameter '{code}' of {taken}, which stays"));
        }

        if (issues.Count > 0)
        {
            return (null, issues);
        }

        var targets = Texts(definition["target"u8]);
        var name = $"{code}@{Hash($"{type} {expression}"):x16}";
        var url = definition["url"u8].AsString() ?? "";
        return (new CustomParameter(definition["id"u8].AsString() ?? "", [.. bases.Select(one => new SearchParameter(one, code!, url, type, expression, targets, []) { IndexName = name })]), []);
    }

    private static List<string> Texts(ResourceNode list)
    {
        var texts = new List<string>();
        foreach (var item in list.Items)
        {
            if (item.AsString() is { } text && !texts.Contains(text))
            {
                texts.Add(text);
            }
        }

        return texts;
    }

    private static bool IsCode(string code) => code.Length <= MaxCodeLength && char.IsAsciiLetter(code[0]) && code.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_');

    // FNV-1a, 64 bits: tells definitions apart, protects nothing.
    private static ulong Hash(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var one in Encoding.UTF8.GetBytes(text))
        {
            hash = (hash ^ one) * 1099511628211UL;
        }

        return hash;
    }
}
