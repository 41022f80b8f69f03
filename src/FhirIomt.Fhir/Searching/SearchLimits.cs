namespace FhirIomt.Fhir.Searching;

/// <summary>Limits on what can explode; each is said in the refusal.</summary>
public static class SearchLimits
{
    public const int DefaultCount = 50;

    /// <summary>A page of 1,000 Observations is about 1 MB; larger pages gain no measurable throughput.</summary>
    public const int MaxCount = 1000;

    /// <summary>Alternatives in one parameter; SQLite's own limit on bound values is 32,766 in all.</summary>
    public const int MaxAlternatives = 100;

    public const int MaxParameters = 50;

    /// <summary>Criteria in all, once chains are spread over their target types and filters are taken apart.</summary>
    public const int MaxCriteria = 200;

    /// <summary>References that a chain or <c>_has</c> follows, one after the other. Each is a nested sub-select.</summary>
    public const int MaxChainSteps = 5;

    /// <summary>Types that a chain step without a type may spread over.</summary>
    public const int MaxChainTargets = 20;

    /// <summary>Parentheses, brackets and <c>not</c> inside each other in <c>_filter</c>.</summary>
    public const int MaxFilterDepth = 16;

    public const int MaxSortKeys = 4;

    public const int MaxIncludes = 10;

    /// <summary>Resources that one page may include.</summary>
    public const int MaxIncluded = 1000;

    /// <summary>Rounds of <c>:iterate</c>.</summary>
    public const int MaxIncludeRounds = 5;

    /// <summary>Codes that a value set or a hierarchy may stand for in <c>:in</c>, <c>:not-in</c>, <c>:above</c>, <c>:below</c>.</summary>
    public const int MaxExpandedCodes = 1000;

    /// <summary>Stored units that one quantity may be compared with; more than that means units are typed freely.</summary>
    public const int MaxComparableUnits = 200;
}
