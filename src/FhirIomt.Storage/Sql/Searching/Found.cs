using FhirIomt.Fhir.Searching;

namespace FhirIomt.Storage.Sql.Searching;

/// <summary>A match and its place in the order. Only the last match of a page is asked for its position: made for each and written out, they were a quarter of the CPU time of a whole record.</summary>
internal abstract class Found
{
    private Found(StoredResource resource) => Resource = resource;

    public StoredResource Resource { get; }

    public abstract SearchCursor Position { get; }

    public sealed class ByKey(StoredResource resource, long key) : Found(resource)
    {
        public override SearchCursor Position => new([], key);
    }

    public sealed class Sorted(StoredResource resource, SearchCursor position) : Found(resource)
    {
        public override SearchCursor Position => position;
    }

    public sealed class InTimeline(StoredResource resource, TimelinePosition position) : Found(resource)
    {
        public override SearchCursor Position => position.ToCursor();
    }

    /// <summary>A match of one of several types that follow each other.</summary>
    /// <param name="index">The type's place among them.</param>
    public sealed class OfType(Found match, long index, TypeSearch search, long fingerprint) : Found(match.Resource)
    {
        public override SearchCursor Position => new([index, match.Position.ToText(fingerprint, search.Order)], match.Position.Key);
    }
}
