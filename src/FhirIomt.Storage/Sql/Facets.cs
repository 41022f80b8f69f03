using System.Globalization;
using System.Runtime.CompilerServices;

namespace FhirIomt.Storage.Sql;

/// <summary>
/// The set of codes of an Observation: pairs of parameter and concept for the parameters of low variety. There are few such sets, each in very many
/// Observations, so one number in the timeline and in the resource row stands for a dozen index rows. What does not fit goes to ordinary token rows: a search that
/// finds token rows for such a parameter must look at both.
/// </summary>
internal static class Facets
{
    /// <summary>A panel has a dozen components with a code and a text each; beyond this a set is hardly met twice.</summary>
    public const int MaxMembers = 32;

    /// <summary>Longer texts are somebody's words and not a code's name.</summary>
    public const int MaxTextLength = 100;

    /// <summary>
    /// Sets that a store may have. Ten thousand real reports make some hundred; more says that a sender puts something of its own into each, and a search that
    /// names a code would list the sets one by one.
    /// </summary>
    public const int MaxSets = 20_000;

    public static bool Has(string resourceType, string parameter) => resourceType == "Observation" && parameter
        is "code" or "category" or "status" or "component-code" or "data-absent-reason" or "component-data-absent-reason" or "method" or "_profile";

    /// <summary>The name of a set in the dictionary: its members in order.</summary>
    public static string NameOf(List<(long Parameter, long Concept)> members)
    {
        members.Sort();
        var name = new DefaultInterpolatedStringHandler(members.Count * 2, members.Count * 2, CultureInfo.InvariantCulture);
        foreach (var (parameter, concept) in members)
        {
            name.AppendFormatted(parameter);
            name.AppendLiteral(":");
            name.AppendFormatted(concept);
            name.AppendLiteral(",");
        }

        return name.ToStringAndClear();
    }

    /// <summary>The members that such a name lists.</summary>
    public static IEnumerable<(long Parameter, long Concept)> MembersOf(string name)
    {
        foreach (var member in name.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = member.IndexOf(':', StringComparison.Ordinal);
            yield return (long.Parse(member.AsSpan(0, colon), CultureInfo.InvariantCulture), long.Parse(member.AsSpan(colon + 1), CultureInfo.InvariantCulture));
        }
    }
}
