using System.Text;
using System.Text.Json;
using FhirIomt.Fhir.Json;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Readings.Routes;

/// <summary>Which resource holds a measurement that comes by several routes, and whose reading stands in it.</summary>
/// <param name="ResourceId">Where it is stored.</param>
/// <param name="RouteName">By which route the reading came that stands there.</param>
/// <param name="Priority">What that route's was then: it counts once the route is no longer set.</param>
/// <param name="Source">The id that the reading's own source key gives.</param>
internal sealed record RouteClaim(string ResourceId, string RouteName, int Priority, string Source)
{
    // Before the id of a resource whose content is another route's now: from there to the claim.
    private const string Replaced = "replaced-";

    public static RouteClaim? Find(IWriteTransaction transaction, string moment)
    {
        if (transaction.FindRecord(RecordKind.RoutedReading, moment) is not { } record)
        {
            return null;
        }

        var root = JsonTree.Parse(record.Body).Require().Root;
        return new RouteClaim(root["id"u8].AsString()!, root["route"u8].AsString()!, int.Parse(root["priority"u8].RawSpan, System.Globalization.CultureInfo.InvariantCulture), root["source"u8].AsString()!);
    }

    /// <summary>The moment of the measurement that stands in a resource in the place of the reading that was there first.</summary>
    public static string? MomentOfReplaced(IWriteTransaction transaction, string resourceId) =>
        transaction.FindRecord(RecordKind.RoutedReading, Replaced + resourceId) is { } record ? JsonTree.Parse(record.Body).Require().Root.AsString() : null;

    public void Put(IWriteTransaction transaction, string moment) => transaction.PutRecord(new StoredRecord(RecordKind.RoutedReading, moment, JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object>(StringComparer.Ordinal)
    {
        ["id"] = ResourceId,
        ["route"] = RouteName,
        ["priority"] = Priority,
        ["source"] = Source,
    })));

    public static void PutReplaced(IWriteTransaction transaction, string resourceId, string moment) =>
        transaction.PutRecord(new StoredRecord(RecordKind.RoutedReading, Replaced + resourceId, Encoding.UTF8.GetBytes($"\"{moment}\"")));
}
