using FhirIomt.Api.Auditing;
using FhirIomt.Api.Http;
using FhirIomt.Api.Interactions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository;
using FhirIomt.Repository.Searching;
using FhirIomt.Smart;
using Microsoft.AspNetCore.Http;

namespace FhirIomt.Api.Operations;

/// <summary>
/// <c>Observation/$lastn</c> (R4, Observation): the newest Observations of each code, for one patient or subject. Any search parameter narrows it. Codes that have
/// enough leave the search, so the rest of a long record is not read for them.
/// </summary>
internal sealed class LastN(SearchService searches, SearchQueryParser parser, ServerAddress address)
{
    private const int MaxPerCode = 100;

    // 100 pages of 500 rows: more codes than any patient has.
    private const int MaxPages = 100;
    private const int PageSize = 500;

    public async Task<FhirAnswer> HandleAsync(FhirCall call)
    {
        if (!(await OperationParameters.ReadAsync(call, soleResource: null).ConfigureAwait(false)).TryGetValue(out var parameters, out var refusal))
        {
            return refusal;
        }

        var maxText = parameters.Text("max") ?? "1";
        if (!int.TryParse(maxText, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var max) || max is 0 or > MaxPerCode)
        {
            return FhirAnswer.BadRequest(ApiIssues.BadArgument("max", maxText, $"a whole number from 1 to {MaxPerCode}"));
        }

        var criteria = parameters.All().Where(argument => argument.Name is not ("max" or "_sort" or "_count")).ToList();
        if (!parser.Parse("Observation", [.. criteria, new SearchArgument("_sort", "-date"), new SearchArgument("_count", $"{PageSize}")], lenient: false).TryGetValue(out var query, out var issues))
        {
            return FhirAnswer.BadRequest(issues);
        }

        if (!query.Criteria.Any(criterion => criterion is SearchCriterion.References { Parameter.Code: "patient" or "subject" }))
        {
            return FhirAnswer.BadRequest(ApiIssues.MissingParameter("patient"));
        }

        return await RunAsync(call, query, max, criteria).ConfigureAwait(false);
    }

    private async Task<FhirAnswer> RunAsync(FhirCall call, SearchQuery query, int max, List<SearchArgument> criteria)
    {
        var groups = new CodeGroups(max);
        var current = query;
        for (var pages = 0; pages < MaxPages; pages++)
        {
            var result = await searches.SearchAsync(current, call.Scope, call.Cancelled).ConfigureAwait(false);
            if (result is not SearchResult.Found { Page: var page })
            {
                return FhirAnswer.Refused(((SearchResult.Refused)result).Refusal);
            }

            var wereFull = groups.Full.Count;
            foreach (var resource in page.Matches)
            {
                groups.Add(resource);
            }

            if (page.Next is null)
            {
                return FhirAnswer.Written(writer => Write(writer, call, groups.All)) with { About = new AnswerSubjects([], groups.All) };
            }

            current = groups.Full.Count == wereFull ? current with { Cursor = page.Next } : Without(criteria, groups) ?? current with { Cursor = page.Next };
        }

        // A part of the codes must not pass for all of them.
        return FhirAnswer.Refused(StatusCodes.Status422UnprocessableEntity, SearchIssues.TooMany("Observations in one $lastn", MaxPages * PageSize));
    }

    /// <summary>The same search without the codes that have enough; it starts again, and what it finds a second time is known. Null when they are too many to name.</summary>
    private SearchQuery? Without(List<SearchArgument> criteria, CodeGroups groups)
    {
        // Each :not names as many codes as one parameter takes.
        var exclusions = groups.Full.Chunk(SearchLimits.MaxAlternatives)
            .Select(codes => new SearchArgument("code:not", string.Join(',', codes.Select(code => $"{SearchQueryParser.Escape(code.System)}|{SearchQueryParser.Escape(code.Code)}"))));
        var parsed = parser.Parse("Observation", [.. criteria, .. exclusions, new SearchArgument("_sort", "-date"), new SearchArgument("_count", $"{PageSize}")], lenient: false);
        return parsed.TryGetValue(out var narrowed, out _) ? narrowed : null;
    }

    private void Write(System.Text.Json.Utf8JsonWriter writer, FhirCall call, IReadOnlyList<StoredResource> found)
    {
        writer.WriteStartObject();
        writer.WriteString("resourceType"u8, "Bundle"u8);
        new BundleLabels().Add(found).Write(writer);
        writer.WriteString("type"u8, "searchset"u8);
        writer.WriteNumber("total"u8, found.Count);
        writer.WriteStartArray("link"u8);
        BundleWriter.Link(writer, "self", $"{address.FhirBase}/Observation/$lastn{(call.QueryString.Length == 0 ? "" : "?" + call.QueryString)}");
        writer.WriteEndArray();
        if (found.Count > 0)
        {
            writer.WriteStartArray("entry"u8);
            foreach (var resource in found)
            {
                writer.WriteStartObject();
                writer.WriteString("fullUrl"u8, $"{address.FhirBase}/{resource.Type}/{resource.Id}");
                writer.WritePropertyName("resource"u8);
                writer.WriteRawValue(resource.Body.Span, skipInputValidation: true);
                writer.WriteStartObject("search"u8);
                writer.WriteString("mode"u8, "match"u8);
                writer.WriteEndObject();
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    /// <summary>Observations by what they measure: those that share a coding belong together, those without codings by their text.</summary>
    private sealed class CodeGroups(int max)
    {
        private readonly Dictionary<(string System, string Code), Group> _byCode = [];
        private readonly List<Group> _groups = [];
        private readonly HashSet<string> _seen = new(StringComparer.Ordinal);

        /// <summary>Codings whose group has enough.</summary>
        public List<(string System, string Code)> Full { get; } = [];

        public IReadOnlyList<StoredResource> All => [.. _groups.SelectMany(group => group.Members).Select(member => member.Resource)];

        public void Add(StoredResource resource)
        {
            if (!_seen.Add(resource.Id))
            {
                return;
            }

            var observation = JsonTree.Parse(resource.Body).Require().Root;
            var codings = CodingsOf(observation["code"u8]);
            var group = GroupOf(codings);
            if (group.IsFull)
            {
                return;
            }

            group.Members.Add(new Member(resource, _seen.Count, TimeOf(observation)));
            if (group.Cut(max))
            {
                Full.AddRange(codings.Where(coding => coding.Code.Length > 0));
            }
        }

        // One that has codes of several groups says that these are one (R4, Observation-lastn: "the transitive property of equality").
        private Group GroupOf(List<(string System, string Code)> codings)
        {
            var known = codings.Select(coding => _byCode.GetValueOrDefault(coding)).OfType<Group>().Distinct().ToList();
            var group = known.FirstOrDefault();
            if (group is null)
            {
                _groups.Add(group = new Group());
            }

            foreach (var other in known.Skip(1))
            {
                group.Take(other);
                _groups.Remove(other);
                foreach (var code in _byCode.Where(pair => pair.Value == other).Select(pair => pair.Key).ToList())
                {
                    _byCode[code] = group;
                }
            }

            if (known.Count > 1)
            {
                group.Cut(max);
            }

            codings.ForEach(coding => _byCode.TryAdd(coding, group));
            return group;
        }

        private static (DateTimeOffset Start, DateTimeOffset End)? TimeOf(ResourceNode observation)
        {
            var period = observation["effectivePeriod"u8];
            var point = observation["effectiveDateTime"u8].AsString() ?? observation["effectiveInstant"u8].AsString();
            return FhirDate.TryParseInterval(point ?? period["start"u8].AsString() ?? "", out var start, out _) && FhirDate.TryParseInterval(point ?? period["end"u8].AsString() ?? "", out _, out var end)
                ? (start, end)
                : null;
        }

        private static List<(string System, string Code)> CodingsOf(ResourceNode concept)
        {
            var codings = new List<(string, string)>();
            foreach (var coding in concept["coding"u8].Items)
            {
                if (coding["code"u8].AsString() is { } code)
                {
                    codings.Add((coding["system"u8].AsString() ?? "", code));
                }
            }

            // No code is empty, so a text cannot be taken for one.
            return codings.Count > 0 ? codings : [(concept["text"u8].AsString() ?? "", "")];
        }

        /// <param name="Place">Among all, from new to old.</param>
        /// <param name="Time">Null where it does not say.</param>
        private sealed record Member(StoredResource Resource, int Place, (DateTimeOffset Start, DateTimeOffset End)? Time);

        private sealed class Group
        {
            public List<Member> Members { get; } = [];

            /// <summary>An older one came, and was one too many.</summary>
            public bool IsFull { get; private set; }

            public void Take(Group other)
            {
                Members.AddRange(other.Members);
                Members.Sort((left, right) => left.Place.CompareTo(right.Place));
                IsFull |= other.IsFull;
            }

            /// <summary>Leaves the newest, and those of the same time as the last of them: more than were asked for, rather than one of two (R4, Observation-lastn).</summary>
            /// <returns>Whether any were left out.</returns>
            public bool Cut(int max)
            {
                var count = Math.Min(max, Members.Count);
                while (count > 0 && count < Members.Count && Members[count - 1].Time is { } last && Members[count].Time == last)
                {
                    count++;
                }

                var isCut = count < Members.Count;
                Members.RemoveRange(count, Members.Count - count);
                IsFull |= isCut;
                return isCut;
            }
        }
    }
}
