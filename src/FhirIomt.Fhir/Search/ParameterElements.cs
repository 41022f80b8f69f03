using System.Text.RegularExpressions;
using FhirIomt.Fhir.Definitions;

namespace FhirIomt.Fhir.Search;

/// <summary>The elements that a parameter's expression leads to. Plain paths only, and those that <c>where</c> narrows: a path with another function is not followed.</summary>
internal static partial class ParameterElements
{
    public static IEnumerable<FhirElement> Of(SearchParameter parameter, FhirDefinitions definitions) =>
        (parameter.Expression ?? "").Split('|', StringSplitOptions.TrimEntries).Select(path => ElementOf(path, definitions)).OfType<FhirElement>();

    /// <summary>Tokens that are strings are compared without case (R4 §3.1.1.4.10): the index and a search have them in lower case. Ids are compared with it.</summary>
    public static bool AreStrings(SearchParameter parameter, FhirDefinitions definitions) =>
        parameter is { Type: SearchParameterType.Token, Code: not "_id" } && Of(parameter, definitions).Any(element => element.Members.Any(member => member.Type.Name == "string"));

    /// <summary>It refers by canonical URL, and never by a Reference.</summary>
    public static bool AreCanonicals(SearchParameter parameter, FhirDefinitions definitions)
    {
        var types = Of(parameter, definitions).SelectMany(element => element.Members).Select(member => member.Type.Name).ToHashSet(StringComparer.Ordinal);
        return types.Contains("canonical") && !types.Contains("Reference");
    }

    [GeneratedRegex(@"\.where\([^()]*\)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Where { get; }

    private static FhirElement? ElementOf(string path, FhirDefinitions definitions)
    {
        var steps = Where.Replace(path, "").Split('.');
        var type = definitions.Type(steps[0]);
        FhirElement? element = null;
        foreach (var step in steps.Skip(1))
        {
            element = type?.Element(step);
            type = element?.Members is [var only] ? only.Type : null;
        }

        return element;
    }
}
