using FhirIomt.Core;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Access;

/// <summary>The interactions a SMART scope can grant, in the order the grammar demands (SMART App Launch 2.2 §3.0.2).</summary>
[Flags]
public enum ScopeInteractions
{
    None = 0,
    Create = 1,

    /// <summary>read, vread, instance history.</summary>
    Read = 2,

    /// <summary>update, patch.</summary>
    Update = 4,
    Delete = 8,

    /// <summary>type search, type history, system search, system history.</summary>
    Search = 16,
    All = Create | Read | Update | Delete | Search,
}

public enum ScopeContext
{
    Patient,
    User,
    System,
}

/// <summary>One FHIR scope, v1 or v2, such as <c>system/Observation.rs?category=vital-signs</c>.</summary>
/// <param name="Text">As it was requested: token responses repeat it.</param>
/// <param name="ResourceType">Null for <c>*</c>.</param>
/// <param name="Criteria">All must hold (granular scopes).</param>
public sealed record SmartScope(string Text, ScopeContext Context, string? ResourceType, ScopeInteractions Interactions, IReadOnlyList<SearchCriterion> Criteria)
{
    /// <summary>The interactions a scope can name, in its order.</summary>
    private const string Letters = "cruds";

    /// <summary>
    /// Criteria that a granular scope may use: parameters whose match on one resource is exact and local. Modifiers and chains are refused at grant
    /// time, as the specification allows (§3.0.2.4 calls them experimental).
    /// </summary>
    private static readonly string[] GranularParameters = ["category", "code", "status", "_security", "_tag"];

    public bool Covers(string resourceType) => ResourceType is null || ResourceType == resourceType;

    /// <summary>Never reinterprets: what is not exactly a scope is refused, so <c>.dus</c> is no scope and <c>.read</c> never becomes r and d.</summary>
    public static Outcome<SmartScope> Parse(string text, IndexPolicy policy)
    {
        var query = text.IndexOf('?', StringComparison.Ordinal);
        var head = query < 0 ? text : text[..query];
        var slash = head.IndexOf('/', StringComparison.Ordinal);
        var dot = head.IndexOf('.', StringComparison.Ordinal);
        if (!IsToken(text) || slash < 0 || dot < slash || ParseContext(head[..slash]) is not { } context)
        {
            return ScopeIssues.NotAScope(text);
        }

        var type = head[(slash + 1)..dot];
        var interactions = ParseInteractions(head[(dot + 1)..]);
        if (interactions == ScopeInteractions.None || (type != "*" && !policy.Definitions.IsResourceType(type)))
        {
            return ScopeIssues.NotAScope(text);
        }

        var criteria = new List<SearchCriterion>();
        if (query >= 0 && ParseCriteria(text, type, text[(query + 1)..], policy, criteria) is { } refusal)
        {
            return refusal;
        }

        return new SmartScope(text, context, type == "*" ? null : type, interactions, criteria);
    }

    private static Issue? ParseCriteria(string text, string type, string query, IndexPolicy policy, List<SearchCriterion> criteria)
    {
        var parser = new SearchQueryParser(policy);
        foreach (var pair in query.Split('&'))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? "" : Uri.UnescapeDataString(pair[..equals]);
            if (type == "*" || pair.Contains('?', StringComparison.Ordinal) || !GranularParameters.Contains(name, StringComparer.Ordinal))
            {
                return ScopeIssues.NotGranular(text, GranularParameters);
            }

            if (!parser.ParseCriterion(type, name, Uri.UnescapeDataString(pair[(equals + 1)..])).TryGetValue(out var criterion, out _))
            {
                return ScopeIssues.NotGranular(text, GranularParameters);
            }

            criteria.Add(criterion);
        }

        return null;
    }

    // RFC 6749 §3.3: printable ASCII. A line end or a letter that only looks like one must not hide a second meaning; values send others percent-encoded.
    private static bool IsToken(string text) => text.All(character => character is > ' ' and < '\x7f');

    private static ScopeContext? ParseContext(string text) => text switch
    {
        "patient" => ScopeContext.Patient,
        "user" => ScopeContext.User,
        "system" => ScopeContext.System,
        _ => null,
    };

    internal static ScopeInteractions ParseInteractions(string text)
    {
        switch (text)
        {
            case "read":
                return ScopeInteractions.Read | ScopeInteractions.Search;
            case "write":
                return ScopeInteractions.Create | ScopeInteractions.Update | ScopeInteractions.Delete;
            case "*":
                return ScopeInteractions.All;
        }

        var interactions = ScopeInteractions.None;
        var last = -1;
        foreach (var letter in text)
        {
            var index = Letters.IndexOf(letter, StringComparison.Ordinal);
            if (index <= last)
            {
                return ScopeInteractions.None;
            }

            last = index;
            interactions |= (ScopeInteractions)(1 << index);
        }

        return interactions;
    }
}

/// <summary>Refusals of scopes: IOMT-0800 and IOMT-0801.</summary>
internal static class ScopeIssues
{
    public static Issue NotAScope(string text) =>
        Issue.Error(IssueKind.Invalid, "IOMT-0800", $"'{Shorten(text)}' is not a scope.", "scope", "Write context/Type.cruds, for example system/Observation.rs.");

    public static Issue NotGranular(string text, string[] allowed) =>
        Issue.Error(IssueKind.NotSupported, "IOMT-0801", $"'{Shorten(text)}' narrows by something that a scope cannot narrow by here.", "scope", $"Use {string.Join(", ", allowed)} without modifiers, on one resource type.");

    private static string Shorten(string text) => text.Length <= 100 ? text : text[..100] + "…";
}
