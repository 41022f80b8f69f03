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
        var walk = new Walk(new EverythingParts(repository, searches, parser, address), call, request, request.Count ?? MaxUnpaged);
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
        var hasEntries = false;
        for (var page = first; page is not null; page = await walk.NextAsync(cancelled).ConfigureAwait(false))
        {
            labels.Add(page);
            WriteEntries(page, "match"u8);
            await writer.FlushAsync(cancelled).ConfigureAwait(false);
        }

        // Too late for a status: the connection ends, and nobody takes a part for the whole.
        if (walk.Refused is not null)
        {
            throw new InvalidOperationException("A record could not be read to its end.");
        }

        var referred = await walk.ReferredAsync(cancelled).ConfigureAwait(false);
        labels.Add(referred);
        WriteEntries(referred, "include"u8);
        if (hasEntries)
        {
            writer.WriteEndArray();
        }

        labels.Write(writer);
        writer.WriteStartArray("link"u8);
        BundleWriter.Link(writer, "self", Url(call, request, request.Cursor));
        if (walk.Next is { } next)
        {
            BundleWriter.Link(writer, "next", Url(call, request, next));
        }

        writer.WriteEndArray();
        writer.WriteEndObject();

        // FHIR has no empty arrays (R4 §2.6.2): this one begins with what is first in it.
        void WriteEntries(List<StoredResource> resources, ReadOnlySpan<byte> mode)
        {
            if (resources.Count > 0 && !hasEntries)
            {
                writer.WriteStartArray("entry"u8);
                hasEntries = true;
            }

            foreach (var resource in resources)
            {
                WriteEntry(writer, resource, mode);
            }
        }
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

    private string Url(FhirCall call, EverythingRequest request, string? cursor)
    {
        var parts = request.Given.Select(given => $"{given.Name}={Uri.EscapeDataString(given.Value)}").ToList();
        if (cursor is not null)
        {
            parts.Add($"_cursor={Uri.EscapeDataString(cursor)}");
        }

        return $"{address.FhirBase}/Patient/{call.Id}/$everything{(parts.Count == 0 ? "" : "?" + string.Join('&', parts))}";
    }

    /// <summary>One search over all types of the record, page after page.</summary>
    private sealed class Walk
    {
        // At a time: where reads of the same moment share a statement, they are the more the better.
        private const int MaxReads = 64;

        private static readonly string[] Whose = ["patient", "subject", "beneficiary"];

        private readonly EverythingParts _parts;
        private readonly FhirCall _call;
        private readonly EverythingRequest _request;
        private readonly ReferredResources _referred;
        private readonly SearchQuery _query;
        private readonly int _limit;
        private string? _cursor;
        private bool _isOver;
        private int _written;

        public Walk(EverythingParts parts, FhirCall call, EverythingRequest request, int limit)
        {
            (_parts, _call, _request, _limit, _cursor) = (parts, call, request, limit, request.Cursor);
            _referred = new ReferredResources(parts.Address.FhirBase);
            var searched = request.Types.Where(type => call.Scope.PredicateFor(type, ScopeInteractions.Search) is not AccessPredicate.Nothing).Select(Part).ToList();
            _query = new SearchQuery { ResourceType = "Resource", Parts = searched, Fingerprint = searched.Aggregate(17L, (sum, part) => unchecked((sum * 31) + part.Fingerprint)) };
            _isOver = searched.Count == 0;
        }

        /// <summary>Why the walk ended before its end.</summary>
        public Refusal? Refused { get; private set; }

        /// <summary>Where the next page starts; null when nothing is left.</summary>
        public string? Next => _isOver ? null : _cursor;

        public async ValueTask<List<StoredResource>?> NextAsync(CancellationToken cancelled)
        {
            if (_isOver || _written >= _limit || Refused is not null)
            {
                return null;
            }

            var query = _query with { Count = Math.Min(_limit - _written, SearchLimits.MaxCount), Cursor = _cursor };
            var result = await _parts.Searches.SearchAsync(query, _call.Scope, cancelled).ConfigureAwait(false);
            if (result is not SearchResult.Found { Page: var page })
            {
                Refused = ((SearchResult.Refused)result).Refusal;
                return null;
            }

            (_cursor, _isOver) = (page.Next, page.Next is null);
            _written += page.Matches.Count;
            List<StoredResource> matches = [.. page.Matches];
            matches.ForEach(_referred.Find);
            return matches;
        }

        /// <summary>What the page refers to outside the compartment, as far as the token covers it.</summary>
        public async ValueTask<List<StoredResource>> ReferredAsync(CancellationToken cancelled)
        {
            var found = new List<StoredResource>();
            foreach (var group in _referred.All.Where(one => _request.Allows(one.Type)).Chunk(MaxReads))
            {
                var read = await Task.WhenAll(group.Select(one => _parts.Repository.ReadAsync(one.Type, one.Id, _call.Scope, cancelled).AsTask())).ConfigureAwait(false);
                found.AddRange(read.OfType<ReadResult.Found>().Select(one => one.Resource));
            }

            return found;
        }

        // Whom a resource is about, where it says so: what somebody performed for another is that other's record (docs/adr/0004).
        private string? WhoseParameter(string type) => type == "Patient" ? "_id"
            : PatientCompartment.Reaches(type) ? Whose.FirstOrDefault(code => _parts.Parser.ParseCriterion(type, code, "Patient/x").Succeeded) : null;

        private SearchQuery Part(string type)
        {
            var criteria = _request.Criteria(_parts.Parser, type);
            var parsed = WhoseParameter(type) is { } whose
                ? _parts.Parser.Parse(type, [new SearchArgument(whose, whose == "_id" ? _call.Id : $"Patient/{_call.Id}"), .. criteria], lenient: false)
                : _parts.Parser.Parse(type, criteria, lenient: false, new CompartmentId("Patient", _call.Id));
            return parsed.Require();
        }
    }

    private sealed record EverythingParts(ResourceRepository Repository, SearchService Searches, SearchQueryParser Parser, ServerAddress Address);
}
