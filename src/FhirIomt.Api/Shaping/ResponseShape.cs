using FhirIomt.Api.Http;
using FhirIomt.Core;
using FhirIomt.Fhir.Searching;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace FhirIomt.Api.Shaping;

/// <summary>The values of <c>_summary</c> (R4 §3.1.1.5.8). <c>count</c> is the search's own business.</summary>
internal enum SummaryMode
{
    Whole,
    True,
    Text,
    Data,
}

/// <summary>How the caller wants what comes back: format, indentation, which elements.</summary>
/// <param name="Format">Null: the caller takes no FHIR format; a Binary can still be had by its own type.</param>
/// <param name="Elements">Names as in <c>_elements</c>: <c>name</c> or <c>Type.name</c>; empty for all.</param>
internal sealed record ResponseShape(FhirFormat? Format, bool Pretty, SummaryMode Summary, IReadOnlyList<string> Elements)
{
    public static ResponseShape Plain { get; } = new(FhirFormat.Json, Pretty: false, SummaryMode.Whole, []);

    /// <summary>What is stored can go out as it is.</summary>
    public bool IsPlain => ReferenceEquals(this, Plain) || (Format == FhirFormat.Json && !Pretty && !IsSubset);

    /// <summary>Elements may be missing from what goes out.</summary>
    public bool IsSubset => Summary != SummaryMode.Whole || Elements.Count > 0;

    /// <summary>The shape that the Accept header and the address ask for.</summary>
    public static Outcome<ResponseShape> Of(HttpRequest request)
    {
        var query = request.QueryString.Value;
        var format = FormatOf(request.Headers.Accept);
        var isSpecial = query is not null && (query.Contains("_format", StringComparison.Ordinal) || query.Contains("_pretty", StringComparison.Ordinal)
            || query.Contains("_summary", StringComparison.Ordinal) || query.Contains("_elements", StringComparison.Ordinal));
        return isSpecial ? Of(SearchCondition.Arguments(query!), format) : format == FhirFormat.Json ? Plain : Plain with { Format = format };
    }

    /// <summary>The shape that the arguments ask for, over that one.</summary>
    public Outcome<ResponseShape> With(IReadOnlyList<SearchArgument> arguments) => Of(arguments, Format);

    private static Outcome<ResponseShape> Of(IReadOnlyList<SearchArgument> arguments, FhirFormat? accepted)
    {
        var shape = Plain with { Format = accepted };
        foreach (var (name, value) in arguments)
        {
            switch (name)
            {
                case "_format":
                    // A plus sign in an address is a blank: application/fhir xml is what many clients send.
                    shape = shape with { Format = MediaTypes.TryFormat(MediaTypes.Plain(value.Replace(' ', '+')), out var format) && MediaTypes.IsR4(value) ? format : null };
                    break;
                case "_pretty" when value is "true" or "false":
                    shape = shape with { Pretty = value == "true" };
                    break;
                case "_summary" when ModeOf(value) is { } mode:
                    shape = shape with { Summary = mode };
                    break;
                case "_elements":
                    shape = shape with { Elements = [.. value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)] };
                    break;
                case "_pretty":
                    return ApiIssues.BadArgument(name, value, "true or false");
                case "_summary":
                    return ApiIssues.BadArgument(name, value, "true, false, text, data or count");
            }
        }

        return shape is { Summary: not SummaryMode.Whole, Elements.Count: > 0 } ? ApiIssues.BadArgument("_elements", "", "_summary or _elements, not both") : shape;
    }

    private static SummaryMode? ModeOf(string value) => value switch
    {
        "true" => SummaryMode.True,
        "text" => SummaryMode.Text,
        "data" => SummaryMode.Data,
        "false" or "count" => SummaryMode.Whole,
        _ => null,
    };

    // The best of what is accepted, by weight and then by order; JSON for those who take anything.
    private static FhirFormat? FormatOf(Microsoft.Extensions.Primitives.StringValues accept)
    {
        if (accept.Count == 0 || (accept.Count == 1 && accept[0] is MediaTypes.Json or "application/json" or "*/*" or ""))
        {
            return FhirFormat.Json;
        }

        if (!MediaTypeHeaderValue.TryParseList(accept, out var wanted))
        {
            return null;
        }

        foreach (var range in wanted.OrderByDescending(range => range.Quality ?? 1))
        {
            if (range.Quality is > 0 or null && MediaTypes.IsR4(range.ToString()))
            {
                if (range.MatchesAllTypes || range.MediaType.Equals("application/*", StringComparison.OrdinalIgnoreCase))
                {
                    // A name counts for more than a wildcard (RFC 9110 §12.5.1): what is refused by name is not meant by it.
                    var refused = wanted.Where(one => one.Quality == 0).Select(FormatOf).ToList();
                    if (!refused.Contains(FhirFormat.Json) || !refused.Contains(FhirFormat.Xml))
                    {
                        return refused.Contains(FhirFormat.Json) ? FhirFormat.Xml : FhirFormat.Json;
                    }
                }

                if (FormatOf(range) is { } format)
                {
                    return format;
                }
            }
        }

        return null;
    }

    private static FhirFormat? FormatOf(MediaTypeHeaderValue range) => MediaTypes.TryFormat(range.MediaType.ToString().ToLowerInvariant(), out var format) ? format : null;
}
