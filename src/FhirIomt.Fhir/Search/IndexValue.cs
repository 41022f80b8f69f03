namespace FhirIomt.Fhir.Search;

/// <summary>
/// One value that a resource can be found by: what a search parameter's expression selected, in the form its type is compared in.
/// A closed set; <see cref="Parameter"/> says which parameter it belongs to.
/// </summary>
public abstract record IndexValue
{
    private IndexValue(SearchParameter parameter) => Parameter = parameter;

    public SearchParameter Parameter { get; }

    /// <summary>code, Coding, CodeableConcept's codings, Identifier, ContactPoint, boolean, string or uri under a token parameter.</summary>
    /// <param name="System">Null when the value has none (and for ContactPoint: its use is not a system).</param>
    /// <param name="Code">Empty for a concept that is text only: findable by <c>:text</c> alone. Of a string in lower case.</param>
    /// <param name="Texts">Display and text, for <c>:text</c>.</param>
    public sealed record Token(SearchParameter Of, string? System, string Code, IReadOnlyList<string> Texts) : IndexValue(Of)
    {
        /// <summary>The value came from an Identifier: high cardinality, so engines keep it apart from codes.</summary>
        public bool IsIdentifier { get; init; }

        /// <summary>Codings of Identifier.type, for <c>:of-type</c>.</summary>
        public IReadOnlyList<(string? System, string Code)> IdentifierTypes { get; init; } = [];

        // Lists compare by what is in them, so that a value found twice is known again.
        public bool Equals(Token? other) => other is not null && ReferenceEquals(Parameter, other.Parameter) && System == other.System && Code == other.Code
            && IsIdentifier == other.IsIdentifier && Texts.SequenceEqual(other.Texts, StringComparer.Ordinal) && IdentifierTypes.SequenceEqual(other.IdentifierTypes);

        public override int GetHashCode() => HashCode.Combine(Parameter.Code, System, Code);
    }

    /// <summary>A string as it stands in the resource; engines fold case and accents.</summary>
    public sealed record Text(SearchParameter Of, string Value) : IndexValue(Of);

    /// <summary>A date, dateTime, instant or Period as the interval it covers, in UTC: <paramref name="Start"/> inclusive, <paramref name="End"/> exclusive.
    /// An open end is <see cref="DateTimeOffset.MinValue"/> or <see cref="DateTimeOffset.MaxValue"/>. A dateTime to the second covers that second. No zone means UTC.</summary>
    public sealed record Date(SearchParameter Of, DateTimeOffset Start, DateTimeOffset End) : IndexValue(Of);

    /// <summary>A number with the interval its written precision covers.</summary>
    public sealed record Number(SearchParameter Of, decimal Value, decimal Low, decimal High) : IndexValue(Of);

    /// <summary>A quantity with the interval its written precision covers. Without a value: a Range's own low and high, or what a comparator leaves open;
    /// an open end is <see cref="decimal.MinValue"/> or <see cref="decimal.MaxValue"/>.</summary>
    public sealed record Quantity(SearchParameter Of, string? System, string? Code, string? Unit, decimal? Value, decimal Low, decimal High) : IndexValue(Of);

    /// <summary>A reference: type and id for a literal relative (or same-server absolute) one, the whole URL for others, identifier where given.</summary>
    public sealed record Reference(SearchParameter Of, string? Type, string? Id, string? Version, string? Url, string? IdentifierSystem, string? IdentifierValue) : IndexValue(Of);

    public sealed record Uri(SearchParameter Of, string Value) : IndexValue(Of);

    /// <summary>One repetition of a composite: the values of each component, any of which may match.</summary>
    public sealed record Composite(SearchParameter Of, IReadOnlyList<IReadOnlyList<IndexValue>> Parts) : IndexValue(Of);
}
