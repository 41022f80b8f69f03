namespace FhirIomt.Api.Http;

/// <summary>One interaction or operation: its name, its method, its address below the base, and who answers it.</summary>
/// <param name="Pattern">Segments: literal, or <c>{type}</c>, <c>{id}</c>, <c>{version}</c>, <c>{inner}</c>; "" is the base itself.</param>
internal sealed record FhirRoute(string Name, string Method, string Pattern, Func<FhirCall, Task<FhirAnswer>> Handler)
{
    /// <summary>It creates, updates, patches or deletes: in a Bundle it belongs to the write.</summary>
    public bool IsWrite { get; init; }

    /// <summary>Of an operation: the canonical URL of its definition.</summary>
    public string? OperationDefinition { get; init; }

    /// <summary>The type that the pattern itself names (<c>Patient/{id}/$everything</c>); "" when the address does.</summary>
    public string FixedType { get; } = Pattern.Length > 0 && char.IsAsciiLetterUpper(Pattern[0]) ? Pattern.Split('/')[0] : "";

    private readonly string[] _segments = Pattern.Split('/', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The parts of that address, or null when it is not this route's. Literal segments win over named ones by the order of the table.</summary>
    public Dictionary<string, string>? Match(string method, string[] segments)
    {
        return Method.Split(',').Contains(method, StringComparer.Ordinal) ? Parts(segments) : null;
    }

    /// <summary>Whether it is the address of this route, whatever the method.</summary>
    public bool IsAt(string[] segments) => Parts(segments) is not null;

    private Dictionary<string, string>? Parts(string[] segments)
    {
        if (segments.Length != _segments.Length)
        {
            return null;
        }

        var parts = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var index = 0; index < segments.Length; index++)
        {
            var pattern = _segments[index];
            if (pattern[0] == '{')
            {
                parts[pattern[1..^1]] = segments[index];
            }
            else if (pattern != segments[index])
            {
                return null;
            }
        }

        return parts;
    }
}
