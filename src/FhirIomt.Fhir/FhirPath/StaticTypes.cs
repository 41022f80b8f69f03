using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>What can be told about a collection without data: the FHIR types its items may have (null: cannot be told), and whether their order means anything.</summary>
internal readonly record struct StaticTypes(IReadOnlyList<FhirType>? Known, bool IsUnordered = false)
{
    public static StaticTypes Unknown => default;

    public static StaticTypes Of(FhirType type) => new([type]);

    public StaticTypes Or(StaticTypes other) => Known is null || other.Known is null ? new(Known: null, IsUnordered || other.IsUnordered) : new([.. Known.Union(other.Known)], IsUnordered || other.IsUnordered);
}

/// <summary>A check of an expression against types, before there is data.</summary>
internal sealed class StaticCheck(string text, FhirDefinitions definitions)
{
    public List<Issue> Issues { get; } = [];

    public FhirDefinitions Definitions { get; } = definitions;

    /// <summary>The children of one name; reported when no possible type has them.</summary>
    public StaticTypes Child(StaticTypes parents, string name)
    {
        if (parents.Known is not { Count: > 0 } types)
        {
            return new StaticTypes(Known: null, parents.IsUnordered);
        }

        var found = new List<FhirType>();
        foreach (var type in types)
        {
            if (type.Element(name) is { } element)
            {
                found.AddRange(element.Members.Select(member => member.Type));
            }
            else if (type.IsAbstract)
            {
                // Whatever specialises it may have more.
                return new StaticTypes(Known: null, parents.IsUnordered);
            }
        }

        if (found.Count == 0)
        {
            Issues.Add(FhirPathIssues.NoElement(text, string.Join(" or ", types.Select(type => type.Name).Take(5)), name));
            return StaticTypes.Unknown;
        }

        return new StaticTypes(found, parents.IsUnordered);
    }

    public void NeedsOrder(StaticTypes source, string what)
    {
        if (source.IsUnordered)
        {
            Issues.Add(FhirPathIssues.NoOrder(text, what));
        }
    }

    public void WrongContext(StaticTypes focus, FhirType type) =>
        Issues.Add(FhirPathIssues.NoElement(text, string.Join(" or ", focus.Known!.Select(known => known.Name).Take(5)), type.Name));
}
