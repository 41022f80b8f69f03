using System.IO.Pipelines;
using System.Text.Json;
using FhirIomt.Access;
using FhirIomt.Api.Http;
using FhirIomt.Api.Interactions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository;
using FhirIomt.Repository.Searching;
using FhirIomt.Smart;
using ReadResult = FhirIomt.Repository.ReadResult;

namespace FhirIomt.Api.Operations;

/// <summary>
/// <c>Patient/{id}/$everything</c> (R4, Patient): the patient, everything in the compartment that the token covers, and what that refers to outside of it
/// (devices, practitioners, organizations…). Written page by page while it is read; with <c>_count</c> in pages.
/// </summary>
internal sealed class Everything(ResourceRepository repository, SearchService searches, SearchQueryParser parser, ServerAddress address)
{
    // Without _count, a record larger than this goes on with a next link: no answer grows without bound.
    private const int MaxUnpaged = 10_000;

    public async Task<FhirAnswer> HandleAsync(FhirCall call)
    {
        if (!(await OperationParameters.ReadAsync(call, soleResource: null).ConfigureAwait(false)).TryGetValue(out var parameters, out var refusal)
            || !EverythingRequest.Read(call, parameters).TryGetValue(out var request, out refusal))
        {
            return refusal;
        }

        // Whoever may not see the patient gets the answer of a patient who is not there.
        var read = await repository.ReadAsync("Patient", call.Id, call.Scope, call.Cancelled).ConfigureAwait(false);
        if (read is not ReadResult.Found)
        {
            return FhirAnswer.Refused(((ReadResult.Refused)read).Refusal);
        }

        // The first page is read before anything is answered: a cursor of somebody else's search is told by its status.
        var walk = new Walk(searches, parser, repository, address, call, request, request.Count ?? MaxUnpaged);
        var first = await walk.NextAsync(call.Cancelled).ConfigureAwait(false);
        return walk.Refused is { } refused ? FhirAnswer.Refused(refused) : new FhirAnswer(200, new FhirContent.Streamed((output, cancelled) => WriteAsync(output, call, request, walk, first, cancelled)));
    }

    private async Task WriteAsync(PipeWriter output, FhirCall call, EverythingRequest request, Walk walk, List<StoredResource>? first, CancellationToken cancelled)
    {
        var writer = new Utf8JsonWriter(output, JsonText.Options);
        await using var _ = writer.ConfigureAwait(false);
        var labels = new BundleLabels();
        writer.WriteStartObject();
        writer.WriteString("resourceType"u8, "Bundle"u8);
        writer.WriteString("type"u8, "searchset"u8);
        writer.WriteStartArray("entry"u8);
        for (var page = first; page is not null; page = await walk.NextAsync(cancelled).ConfigureAwait(false))
        {
            labels.Add(page);
            page.ForEach(resource => WriteEntry(writer, resource, "match"u8));
            await writer.FlushAsync(cancelled).ConfigureAwait(false);
        }

        // Too late for a status: the connection ends, and nobody takes a part for the whole.
        if (walk.Refused is not null)
        {
            throw new InvalidOperationException("A record could not be read to its end.");
        }

        var referred = await walk.ReferredAsync(cancelled).ConfigureAwait(false);
        labels.Add(referred);
        referred.ForEach(resource => WriteEntry(writer, resource, "include"u8));
        writer.WriteEndArray();
        labels.Write(writer);
        writer.WriteStartArray("link"u8);
        BundleWriter.Link(writer, "self", Url(call, request, request.Position));
        if (walk.Position is { } next)
        {
            BundleWriter.Link(writer, "next", Url(call, request, next));
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private void WriteEntry(Utf8JsonWriter writer, StoredResource resource, ReadOnlySpan<byte> mode)
    {
        writer.WriteStartObject();
        writer.WriteString("fullUrl"u8, $"{address.FhirBase}/{resource.Type}/{resource.Id}");
        writer.WritePropertyName("resource"u8);
        writer.WriteRawValue(resource.Body.Span, skipInputValidation: true);
        writer.WriteStartObject("search"u8);
        writer.WriteString("mode"u8, mode);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private string Url(FhirCall call, EverythingRequest request, EverythingPosition? position)
    {
        var parts = request.Given.Select(given => $"{given.Name}={Uri.EscapeDataString(given.Value)}").ToList();
        if (position is { } known)
        {
            parts.Add($"_cursor={known}");
        }

        return $"{address.FhirBase}/Patient/{call.Id}/$everything{(parts.Count == 0 ? "" : "?" + string.Join('&', parts))}";
    }

    /// <summary>Type after type, page after page.</summary>
    private sealed class Walk(SearchService searches, SearchQueryParser parser, ResourceRepository repository, ServerAddress address, FhirCall call, EverythingRequest request, int limit)
    {
        private static readonly string[] Whose = ["patient", "subject", "beneficiary"];

        private readonly ReferredResources _referred = new(address.FhirBase);
        private int _type = request.Position?.Type ?? 0;
        private string? _cursor = request.Position?.Cursor;
        private int _written;

        /// <summary>Why the walk ended before its end; a type that the token does not cover is no reason.</summary>
        public Refusal? Refused { get; private set; }

        /// <summary>Where the next page starts; null when nothing is left.</summary>
        public EverythingPosition? Position => _type < request.Types.Count ? new EverythingPosition(_type, _cursor) : null;

        public async ValueTask<List<StoredResource>?> NextAsync(CancellationToken cancelled)
        {
            while (_type < request.Types.Count && _written < limit && Refused is null)
            {
                var type = request.Types[_type];
                var matches = await ReadAsync(type, Math.Min(limit - _written, SearchLimits.MaxCount), cancelled).ConfigureAwait(false);
                if (matches.Count > 0)
                {
                    _written += matches.Count;
                    matches.ForEach(_referred.Find);
                    return matches;
                }
            }

            return null;
        }

        /// <summary>What the page refers to outside the compartment, as far as the token covers it.</summary>
        public async ValueTask<List<StoredResource>> ReferredAsync(CancellationToken cancelled)
        {
            var found = new List<StoredResource>();
            foreach (var (type, id) in _referred.All)
            {
                if (request.Allows(type) && await repository.ReadAsync(type, id, call.Scope, cancelled).ConfigureAwait(false) is ReadResult.Found { Resource: var resource })
                {
                    found.Add(resource);
                }
            }

            return found;
        }

        // Whom a resource is about, where it says so: what somebody performed for another is that other's record (docs/adr/0004).
        private string? WhoseParameter(string type) => type == "Patient" ? "_id"
            : PatientCompartment.Reaches(type) ? Whose.FirstOrDefault(code => parser.ParseCriterion(type, code, "Patient/x").Succeeded) : null;

        private async ValueTask<List<StoredResource>> ReadAsync(string type, int count, CancellationToken cancelled)
        {
            var criteria = request.Criteria(parser, type);
            var parsed = WhoseParameter(type) is { } whose
                ? parser.Parse(type, [new SearchArgument(whose, whose == "_id" ? call.Id : $"Patient/{call.Id}"), .. criteria], lenient: false)
                : parser.Parse(type, criteria, lenient: false, new CompartmentId("Patient", call.Id));
            var query = parsed.Require() with { Count = count, Cursor = _cursor };
            var result = await searches.SearchAsync(query, call.Scope, cancelled).ConfigureAwait(false);
            if (result is not SearchResult.Found { Page: var page })
            {
                Refused = ((SearchResult.Refused)result).Refusal is { Kind: not RefusalKind.Forbidden } refusal ? refusal : null;
                (_type, _cursor) = (_type + 1, null);
                return [];
            }

            (_type, _cursor) = page.Next is null ? (_type + 1, null) : (_type, page.Next);
            return [.. page.Matches];
        }
    }
}
