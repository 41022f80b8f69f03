using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Readings;

/// <summary>
/// Which devices there are and whose they were when. The ledger is DeviceUseStatement.timingPeriod; <c>Device.patient</c> counts, unbounded, only for a device
/// without any DeviceUseStatement. Remembered until the store's generation moves, so a new assignment acts with the next message.
/// </summary>
public sealed class DeviceDirectory(IStore store, SearchQueryParser parser)
{
    // One entry is about 1 KB; a node that serves more devices than this at once reads the store for the rest.
    private const int MaxRemembered = 50_000;

    // Longer ones are not real devices, and senders of unknown ids must not fill the memory with them.
    private const int MaxRememberedLength = 256;

    private readonly GenerationCache<IReadOnlyList<KnownDevice>> _byIdentifier = new(store, MaxRemembered);

    /// <summary>Every device with that identifier value, whatever its system.</summary>
    public async ValueTask<IReadOnlyList<KnownDevice>> FindByIdentifierAsync(string identifierValue, CancellationToken cancellationToken)
    {
        var remembered = _byIdentifier.Now();
        if (remembered.TryGet(identifierValue, out var known))
        {
            return known;
        }

        var devices = new List<KnownDevice>();
        foreach (var device in await FindAsync("Device", "identifier", SearchQueryParser.Escape(identifierValue), cancellationToken).ConfigureAwait(false))
        {
            devices.Add(await DescribeAsync(device, cancellationToken).ConfigureAwait(false));
        }

        if (identifierValue.Length <= MaxRememberedLength)
        {
            remembered.Remember(identifierValue, devices);
        }

        return devices;
    }

    /// <summary>One device by its id, as it is stored now.</summary>
    public async ValueTask<KnownDevice?> FindAsync(string deviceId, CancellationToken cancellationToken) =>
        await store.ReadAsync("Device", deviceId, cancellationToken).ConfigureAwait(false) is { IsDeleted: false } device ? await DescribeAsync(device, cancellationToken).ConfigureAwait(false) : null;

    private async ValueTask<KnownDevice> DescribeAsync(StoredResource device, CancellationToken cancellationToken)
    {
        var root = JsonTree.Parse(device.Body).Require().Root;
        var assignments = new List<DeviceAssignment>();
        var hasLedger = false;
        foreach (var statement in await FindAsync("DeviceUseStatement", "device", $"Device/{device.Id}", cancellationToken).ConfigureAwait(false))
        {
            hasLedger = true;
            if (DeviceAssignment.TryRead(JsonTree.Parse(statement.Body).Require().Root, out var assignment))
            {
                assignments.Add(assignment);
            }
        }

        if (!hasLedger && PatientCompartment.OwnerOf("Device", root) is { } patient)
        {
            assignments.Add(new DeviceAssignment(patient, DateTimeOffset.MinValue, DateTimeOffset.MaxValue));
        }

        var vendor = await store.FindRecordAsync(RecordKind.DeviceOwner, device.Id, cancellationToken).ConfigureAwait(false);
        return new KnownDevice(device.Id, vendor is null ? null : JsonTree.Parse(vendor.Body).Require().Root["vendor"u8].AsString(), assignments);
    }

    private async ValueTask<IReadOnlyList<StoredResource>> FindAsync(string type, string parameter, string value, CancellationToken cancellationToken)
    {
        var criterion = parser.ParseCriterion(type, parameter, value).Require();
        var query = new SearchQuery { ResourceType = type, Criteria = [criterion], Count = SearchLimits.MaxCount };
        var found = new List<StoredResource>();
        do
        {
            var page = (await store.SearchAsync(query, SearchAccess.Everything, cancellationToken).ConfigureAwait(false)).Require();
            found.AddRange(page.Matches);
            query = query with { Cursor = page.Next };
        }
        while (query.Cursor is not null);

        return found;
    }
}

/// <param name="Vendor">The vendor that owns it, if one does.</param>
public sealed record KnownDevice(string Id, string? Vendor, IReadOnlyList<DeviceAssignment> Assignments)
{
    /// <summary>The patients the device was assigned to during that time: exactly one is an answer, none and several are not.</summary>
    public IReadOnlyList<string> PatientsDuring(DateTimeOffset start, DateTimeOffset end) =>
        [.. Assignments.Where(assignment => assignment.From <= end && assignment.Until > start).Select(assignment => assignment.PatientId).Distinct(StringComparer.Ordinal)];
}

/// <summary>One stretch of time in which a device was a patient's.</summary>
/// <param name="From">Inclusive.</param>
/// <param name="Until">Exclusive.</param>
public readonly record struct DeviceAssignment(string PatientId, DateTimeOffset From, DateTimeOffset Until)
{
    public static bool TryRead(ResourceNode statement, out DeviceAssignment assignment)
    {
        assignment = default;
        var status = statement["status"u8].AsString();
        if (status is not ("active" or "completed" or "stopped") || PatientCompartment.OwnerOf("DeviceUseStatement", statement) is not { } patient)
        {
            return false;
        }

        var period = statement["timingPeriod"u8];
        var from = FhirDate.TryParseInterval(period["start"u8].AsString() ?? "", out var start, out _) ? start : DateTimeOffset.MinValue;
        var until = FhirDate.TryParseInterval(period["end"u8].AsString() ?? "", out _, out var end) ? end : DateTimeOffset.MaxValue;
        assignment = new DeviceAssignment(patient, from, until);
        return true;
    }
}
