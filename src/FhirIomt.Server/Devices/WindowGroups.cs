using FhirIomt.Fhir;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository.Readings;
using FhirIomt.Repository.Readings.Routes;

namespace FhirIomt.Server.Devices;

/// <summary>
/// The readings of one chunk of messages that share resources: those of one window, patient, device and encounter are stored by one operation, and one that comes by several routes is stored once.
/// </summary>
internal sealed class WindowGroups(MessageBatch batch, RouteTable routes, SearchIndexer indexer, IndexPolicy policy)
{
    private readonly Dictionary<(object, string, string, string?), WindowOperation> _operations = [];

    /// <summary>The reading's part in its window; one without window stays alone.</summary>
    public IStoredReading Join(ReadingOperation alone, in ResolvedReading resolved)
    {
        if (alone.Reading.Window is not { } window)
        {
            return routes.Find(resolved.DeviceId, (batch.Sender as Sender.Vendor)?.Name, batch.Mapping.Name) is { } route ? RoutedReading.Of(alone, route, routes) : alone;
        }

        var group = (window, resolved.PatientId, resolved.DeviceId, resolved.EncounterId);
        if (!_operations.TryGetValue(group, out var operation))
        {
            _operations[group] = operation = new WindowOperation(resolved, indexer, policy);
        }

        return operation.Add(alone);
    }
}
