using FhirIomt.Core;
using FhirIomt.Fhir.Search;

namespace FhirIomt.Fhir.Searching;

/// <summary>Reference values (R4 §3.1.1.4.12): an id, <c>Type/id</c>, either of one version, an absolute URL, a canonical with or without version.</summary>
internal sealed class ReferenceValues(string? serverBase)
{
    private const string History = "_history";

    public Outcome<SearchCriterion> Parse(SearchParameter parameter, string? modifier, List<string> alternatives)
    {
        if (modifier == "identifier")
        {
            return CriterionParser.Then(CriterionParser.Each(alternatives, alternative => TokenValues.Token(parameter, alternative)), values => new SearchCriterion.ReferenceIdentifiers(parameter, values));
        }

        return modifier is null || IsTarget(parameter, modifier)
            ? CriterionParser.Then(CriterionParser.Each(alternatives, alternative => Reference(parameter, modifier, alternative)), values => new SearchCriterion.References(parameter, [.. values, .. Absolute(alternatives)]))
            : SearchIssues.UnknownModifier(parameter.Code, modifier);
    }

    // A chain (subject:Patient.birthdate) is no type, and must not pass for one that finds nothing.
    public static bool IsTarget(SearchParameter parameter, string type) =>
        type.Length > 0 && char.IsAsciiLetterUpper(type[0]) && type.All(char.IsAsciiLetter) && (AllowsAny(parameter) || parameter.Targets.Contains(type, StringComparer.Ordinal));

    public static bool AllowsAny(SearchParameter parameter) => parameter.Targets.Count == 0 || parameter.Targets.Contains("Resource", StringComparer.Ordinal);

    /// <summary>The only type that the parameter can mean, or null.</summary>
    public static string? SingleTarget(SearchParameter parameter) => parameter.Code == "patient" ? "Patient" : parameter.Targets is [var only and not "Resource"] ? only : null;

    // A resource may have said it either way.
    private IEnumerable<ReferenceMatch> Absolute(List<string> alternatives) =>
        alternatives.Select(ValueText.Unescape).Where(IsOwn).Select(text => new ReferenceMatch(null, null, text));

    private bool IsOwn(string text) => serverBase is not null && text.StartsWith(serverBase, StringComparison.Ordinal);

    private Outcome<ReferenceMatch> Reference(SearchParameter parameter, string? type, string alternative)
    {
        var text = ValueText.Unescape(alternative);
        text = IsOwn(text) ? text[serverBase!.Length..] : text;
        var isUrl = text.Contains("://", StringComparison.Ordinal) || text.StartsWith("urn:", StringComparison.Ordinal);
        var reference = (isUrl, text.Split('/')) switch
        {
            (true, _) => new ReferenceMatch(null, null, text),
            (_, [var id]) => new ReferenceMatch(type ?? SingleTarget(parameter), id, null),
            (_, [var named, var id]) when type is null || type == named => new ReferenceMatch(named, id, null),
            (_, [var named, var id, History, var version]) when (type is null || type == named) && version.Length > 0 => new ReferenceMatch(named, $"{id}/{History}/{version}", null),
            _ => default,
        };
        return reference == default || reference.Id is "" || reference.Type is ""
            ? SearchIssues.BadValue(parameter.Code, alternative, "an id, Type/id, Type/id/_history/version, or an absolute URL")
            : reference;
    }
}
