using FhirIomt.Fhir.Searching;

namespace FhirIomt.Validation.Terminology;

/// <summary>What searches ask: the codes of value sets, and hierarchies of code systems.</summary>
/// <param name="terminology">The terminology of the moment: definitions come and go.</param>
public sealed class SearchTerminology(Func<TerminologyService> terminology) : ITerminology
{
    public IReadOnlyList<TokenMatch>? Members(string valueSet, int limit) => terminology().TryList(valueSet) is { } listed
        ? [.. listed.Systems.SelectMany(system => listed.Codes(system).Select(code => new TokenMatch(system, code))).Take(limit)]
        : null;

    public IReadOnlyList<TokenMatch>? Related(string system, string code, bool below, int limit)
    {
        if (terminology().Store.CodeSystem(system, version: null) is not { IsFragment: false } content)
        {
            return null;
        }

        // A code that the system does not have is above and below nothing but itself.
        return content.Find(code) is not { } concept
            ? [new TokenMatch(system, code)]
            : [.. (below ? content.WithDescendants(concept) : content.WithAncestors(concept)).Select(index => new TokenMatch(system, content.Concepts[index].Code)).Take(limit)];
    }
}
