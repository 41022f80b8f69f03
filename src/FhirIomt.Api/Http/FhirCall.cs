using FhirIomt.Access;
using FhirIomt.Api.Shaping;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;

namespace FhirIomt.Api.Http;

/// <summary>
/// One FHIR interaction that somebody asks for: over HTTP, or as an entry of a Bundle. Handlers see no more than this, so that both answer alike.
/// </summary>
internal abstract class FhirCall
{
    private IReadOnlyList<SearchArgument>? _arguments;

    /// <summary>GET, HEAD, POST, PUT, PATCH or DELETE.</summary>
    public abstract string Method { get; }

    /// <summary>The parts of the address that the route names; empty where it names none. The type is one of R4's, the id a FHIR id.</summary>
    public string Type { get; protected init; } = "";

    public string Id { get; protected init; } = "";

    /// <summary>Whatever stands after <c>_history/</c>.</summary>
    public string Version { get; protected init; } = "";

    /// <summary>The type inside a compartment.</summary>
    public string Inner { get; protected init; } = "";

    /// <summary>How the caller wants what comes back.</summary>
    public required ResponseShape Shape { get; set; }

    /// <summary>The caller would rather have the data of a Binary than the resource (R4, Binary: only who asks for a FHIR format gets one).</summary>
    public virtual bool WantsData => false;

    public required AccessScope Scope { get; init; }

    public required CancellationToken Cancelled { get; init; }

    /// <summary>The parameters after the question mark, decoded, in order.</summary>
    public IReadOnlyList<SearchArgument> Arguments => _arguments ??= SearchCondition.Arguments(QueryString);

    /// <summary>Names and values of the address as they were sent, without the question mark.</summary>
    public abstract string QueryString { get; }

    /// <summary>One of the headers that an entry of a Bundle can carry too, or <c>Prefer</c>; null when it is not there.</summary>
    public abstract string? Header(string name);

    /// <summary>The body as it was sent.</summary>
    public abstract ValueTask<Outcome<FhirBody, FhirAnswer>> ReadAsync();

    public bool Prefers(string preference) => FhirRequest.Prefers(Header("Prefer"), preference);

    /// <summary>The body as one resource, from JSON or XML.</summary>
    public async ValueTask<Outcome<JsonTree, FhirAnswer>> ReadResourceAsync() =>
        (await ReadAsync().ConfigureAwait(false)).TryGetValue(out var body, out var refusal) ? body.Resource() : refusal;

    /// <summary>Takes the shape that arguments outside the address ask for (a form of a search); answers a refusal when they cannot be followed.</summary>
    public FhirAnswer? Reshape(IReadOnlyList<SearchArgument> arguments)
    {
        if (!Shape.With(arguments).TryGetValue(out var shape, out var issues))
        {
            return FhirAnswer.BadRequest(issues);
        }

        Shape = shape;
        return shape.Format is null ? FhirAnswer.Refused(Microsoft.AspNetCore.Http.StatusCodes.Status406NotAcceptable, ApiIssues.NotAcceptable()) : null;
    }

    /// <summary>The first value of an argument, or null.</summary>
    public string? Argument(string name)
    {
        foreach (var argument in Arguments)
        {
            if (argument.Name == name)
            {
                return argument.Value;
            }
        }

        return null;
    }
}

/// <summary>A value, or the answer that says why there is none.</summary>
internal readonly struct Outcome<T, TRefusal>
    where TRefusal : class
{
    private readonly T? _value;
    private readonly TRefusal? _refusal;

    private Outcome(T? value, TRefusal? refusal)
    {
        _value = value;
        _refusal = refusal;
    }

    public bool TryGetValue([System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out T value, [System.Diagnostics.CodeAnalysis.MaybeNullWhen(true)] out TRefusal refusal)
    {
        (value, refusal) = (_value, _refusal);
        return _refusal is null;
    }

    public static implicit operator Outcome<T, TRefusal>(T value) => new(value, null);

    public static implicit operator Outcome<T, TRefusal>(TRefusal refusal) => new(default, refusal);
}
