namespace FhirIomt.Fhir.Searching;

/// <summary>The comparison prefixes of FHIR R4 §3.1.1.4.2.</summary>
public enum SearchPrefix
{
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    StartsAfter,
    EndsBefore,
    Approximately,
}

public enum StringMatchMode
{
    StartsWith,
    Contains,
    Exact,

    /// <summary>The whole text; case and accents do not count (<c>eq</c> of <c>_filter</c>).</summary>
    Equals,
    EndsWith,
}

public enum UriMatchMode
{
    Exact,

    /// <summary>The stored URI begins with the given one, at a path segment.</summary>
    Below,

    /// <summary>The given URI begins with the stored one, at a path segment.</summary>
    Above,
}

/// <summary>One of the four token forms: <c>code</c> (any system), <c>system|code</c>, <c>|code</c> (no system), <c>system|</c> (any code).</summary>
/// <param name="System">Null: any. Empty: none.</param>
/// <param name="Code">Null: any.</param>
public readonly record struct TokenMatch(string? System, string? Code)
{
    public bool Matches(string? system, string code) =>
        (System is null || System == (system ?? "")) && (Code is null || Code == code);
}

/// <summary>A prefix and the interval that the written value covers: start inclusive, end exclusive, UTC.</summary>
public readonly record struct DateMatch(SearchPrefix Prefix, DateTimeOffset Start, DateTimeOffset End)
{
    /// <summary>FHIR R4 §3.1.1.4.7: the resource's interval against this one's; <c>eq</c> is containment.</summary>
    public bool Matches(DateTimeOffset start, DateTimeOffset end) => Prefix switch
    {
        SearchPrefix.Equal => start >= Start && end <= End,
        SearchPrefix.NotEqual => !(start >= Start && end <= End),
        SearchPrefix.Greater => end > End,
        SearchPrefix.Less => start < Start,
        SearchPrefix.GreaterOrEqual => end > End || (start >= Start && end <= End),
        SearchPrefix.LessOrEqual => start < Start || (start >= Start && end <= End),
        SearchPrefix.StartsAfter => start >= End,
        SearchPrefix.EndsBefore => end <= Start,
        _ => start < End && end > Start,
    };
}

/// <summary>A prefix and a number: <paramref name="Low"/> (inclusive) to <paramref name="High"/> (exclusive) is what its written precision covers (R4 §3.1.1.4.5).</summary>
public readonly record struct NumberMatch(SearchPrefix Prefix, decimal Value, decimal Low, decimal High)
{
    /// <summary>
    /// Against a stored point, or a range whose ends may be infinite. <c>eq</c>: it lies in what the precision covers; <c>ap</c>: it meets that or 10 % to
    /// either side, whichever is wider; all others compare with the exact value.
    /// </summary>
    public bool Matches(decimal low, decimal high) => Prefix switch
    {
        SearchPrefix.Equal => low >= Low && high < High,
        SearchPrefix.NotEqual => !(low >= Low && high < High),
        SearchPrefix.Greater => high > Value,
        SearchPrefix.Less => low < Value,
        SearchPrefix.GreaterOrEqual => high >= Value,
        SearchPrefix.LessOrEqual => low <= Value,
        SearchPrefix.StartsAfter => low > Value,
        SearchPrefix.EndsBefore => high < Value,
        _ => low <= Around.High && high >= Around.Low,
    };

    /// <summary>What <c>ap</c> takes for near.</summary>
    public (decimal Low, decimal High) Around
    {
        get
        {
            var tenth = Math.Abs(Value) / 10;
            return (Math.Min(Low, Value - tenth), Math.Max(High, Value + tenth));
        }
    }
}

/// <summary>A number and its unit.</summary>
/// <param name="System">Null: any.</param>
/// <param name="Code">Null: any unit. Without a system it is compared with the unit's code and with its text.</param>
public readonly record struct QuantityMatch(NumberMatch Number, string? System, string? Code);

/// <param name="Type">Null: any type that the parameter allows.</param>
/// <param name="Id">An id; of one version <c>id/_history/version</c>.</param>
/// <param name="Url">For a target that is not on this server, and canonicals (with <c>|version</c> where one is asked for).</param>
public readonly record struct ReferenceMatch(string? Type, string? Id, string? Url);

/// <summary><c>:of-type</c>: <c>type system|type code|value</c>.</summary>
public readonly record struct TypedIdentifierMatch(string System, string Code, string Value);
