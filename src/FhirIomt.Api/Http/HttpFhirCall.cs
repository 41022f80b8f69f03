using FhirIomt.Api.Shaping;
using FhirIomt.Fhir.Json;
using FhirIomt.Smart;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace FhirIomt.Api.Http;

/// <summary>A call that came as an HTTP request of its own.</summary>
internal sealed class HttpFhirCall : FhirCall
{
    private readonly HttpContext _context;

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public HttpFhirCall(HttpContext context, FhirRoute route, ResponseShape shape)
    {
        _context = context;
        Scope = context.AccessScope() with { Origin = RequestOrigins.Of(context) };
        Shape = shape;
        Cancelled = context.RequestAborted;
        Type = route.FixedType.Length > 0 ? route.FixedType : Part("type");
        Id = Part("id");
        Version = Part("version");
        Inner = Part("inner");
    }

    public override string Method => _context.Request.Method;

    public override string QueryString => (_context.Request.QueryString.Value ?? "").TrimStart('?');

    public override bool WantsData => !MediaTypes.NamesFormat(_context.Request.Headers.Accept.ToString()) && !_context.Request.Query.ContainsKey("_format");

    public override string? Header(string name) => _context.Request.Headers.TryGetValue(name, out var value) ? value.ToString() : null;

    public override async ValueTask<Outcome<FhirBody, FhirAnswer>> ReadAsync()
    {
        var header = _context.Request.ContentType;
        if (!MediaTypes.IsR4(header))
        {
            return FhirAnswer.Refused(StatusCodes.Status415UnsupportedMediaType, ApiIssues.BadContentType(header));
        }

        var (body, error) = await RequestBody.ReadAsync(_context.Request, JsonLimits.Default.MaxBytes).ConfigureAwait(false);
        return error is { } unread ? FhirAnswer.Refused(unread.Status, unread.Issue) : new FhirBody(MediaTypes.Plain(header), body);
    }

    private string Part(string name) => _context.GetRouteValue(name) as string ?? "";
}
