using FhirIomt.Fhir.Definitions;

namespace FhirIomt.Fhir.FhirPath;

/// <summary>What an evaluation may cost before it is refused with IOMT-0307.</summary>
/// <param name="MaxSteps">Nodes evaluated plus items visited. dom-3 on the largest R4 example (a Bundle entry of 3 MB) takes under 10 million.</param>
/// <param name="MaxItems">Items in one collection.</param>
/// <param name="RegexTimeout">For each matches, matchesFull and replaceMatches.</param>
public sealed record FhirPathLimits(int MaxSteps, int MaxItems, TimeSpan RegexTimeout)
{
    public static FhirPathLimits Default { get; } = new(20_000_000, 1_000_000, TimeSpan.FromMilliseconds(200));
}

/// <summary>
/// Everything that an evaluation takes from outside: <c>%resource</c>, variables, the clock, and delegates for what needs other resources.
/// May be used by many evaluations and threads.
/// </summary>
public sealed class FhirPathEnvironment
{
    private Evaluation? _spare;

    /// <summary><c>%resource</c>: the resource that holds the focus; the focus itself when not set.</summary>
    public FhirPathItem Resource { get; init; }

    /// <summary><c>%rootResource</c>: its container for a contained resource; %resource when not set.</summary>
    public FhirPathItem RootResource { get; init; }

    /// <summary>Further <c>%name</c>s.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<FhirPathItem>>? Variables { get; init; }

    /// <summary>For now(), today() and timeOfDay().</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>resolve(): from the text of a reference to the resource, or nothing. A <c>#id</c> is found in %rootResource without asking.</summary>
    public Func<string, FhirPathItem>? Resolve { get; init; }

    /// <summary>Where <see cref="Resolve"/> finds nothing, resolve() answers an item that has only the type a reference names. Enough for the search
    /// parameters' <c>where(resolve() is Patient)</c>, which must not read other resources.</summary>
    public bool ResolvesToType { get; init; }

    /// <summary>memberOf(): whether a code, Coding or CodeableConcept is in the value set; null when that cannot be told.</summary>
    public Func<FhirPathItem, string, bool?>? MemberOf { get; init; }

    /// <summary>conformsTo(): whether an item meets a profile; null when the profile is unknown.</summary>
    public Func<FhirPathItem, string, bool?>? ConformsTo { get; init; }

    /// <summary>htmlChecks(): whether a Narrative's XHTML is allowed; without it the answer is true.</summary>
    public Func<FhirPathItem, bool>? HtmlChecks { get; init; }

    /// <summary>trace(): name and items.</summary>
    public Action<string, IReadOnlyList<FhirPathItem>>? Trace { get; init; }

    public FhirPathLimits Limits { get; init; } = FhirPathLimits.Default;

    // Buffers of the last evaluation, used again by whichever thread comes first.
    internal Evaluation Rent(FhirDefinitions definitions)
    {
        var evaluation = Interlocked.Exchange(ref _spare, null);
        return evaluation is not null && ReferenceEquals(evaluation.Definitions, definitions) ? evaluation : new Evaluation(this, definitions);
    }

    internal void Return(Evaluation evaluation) => Volatile.Write(ref _spare, evaluation);
}
