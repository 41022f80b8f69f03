using FhirIomt.Fhir;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository.Readings;

namespace FhirIomt.Server.Devices;

/// <summary>The readings of one chunk of messages that share resources: those of one window, patient, device and encounter are stored by one operation.</summary>
internal sealed class WindowGroups(SearchIndexer indexer, IndexPolicy policy)
{
    private readonly Dictionary<(object, string, string, string?), WindowOperation> _operations = [];

    /// <summary>The reading's part in its window; one without window stays alone.</summary>
    public IStoredReading Join(ReadingOperation alone, in ResolvedReading resolved)
    {
        if (alone.Reading.Window is not { } window)
        {
            return alone;
        }

        var group = (window, resolved.PatientId, resolved.DeviceId, resolved.EncounterId);
        if (!_operations.TryGetValue(group, out var operation))
        {
            _operations[group] = operation = new WindowOperation(resolved, indexer, policy);
        }

        return operation.Add(alone);
    }
}
