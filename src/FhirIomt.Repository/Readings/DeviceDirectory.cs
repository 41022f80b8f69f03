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

    /// <summary>
    /// Finds many at once, for the questions that come. After a start, or when any device was written, nothing is remembered: one by one, five thousand devices cost fifteen thousand
    /// statements.
    /// </summary>
    public async ValueTask RememberAsync(IEnumerable<string> identifierValues, CancellationToken cancellationToken)
    {
        // As many alternatives as a statement answers well; a few lengths of list would be a few shapes of statement, and most are full.
        const int MaxTogether = 50;
        var remembered = _byIdentifier.Now();
        var unknown = identifierValues.Where(value => value.Length is > 0 and <= MaxRememberedLength && value.AsSpan().Trim().Length == value.Length && !remembered.TryGet(value, out _)).Distinct(StringComparer.Ordinal).ToList();
        foreach (var values in unknown.Count < 2 ? [] : unknown.Chunk(MaxTogether))
        {
            var devices = await FindAsync("Device", "identifier", string.Join(',', values.Select(SearchQueryParser.Escape)), cancellationToken).ConfigureAwait(false);
            if (await LedgersAsync(devices, cancellationToken).ConfigureAwait(false) is not { } ledgers)
            {
                continue;
            }

            var known = new List<(ResourceNode Identifiers, KnownDevice Device)>();
            foreach (var device in devices)
            {
                var root = JsonTree.Parse(device.Body).Require().Root;
                known.Add((root["identifier"u8], await DescribeAsync(device.Id, root, ledgers[device.Id], cancellationToken).ConfigureAwait(false)));
            }

            foreach (var value in values)
            {
                remembered.Remember(value, [.. known.Where(one => Has(one.Identifiers, value)).Select(one => one.Device)]);
            }
        }
    }

    /// <summary>One device by its id, as it is stored now.</summary>
    public async ValueTask<KnownDevice?> FindAsync(string deviceId, CancellationToken cancellationToken) =>
        await store.ReadAsync("Device", deviceId, cancellationToken).ConfigureAwait(false) is { IsDeleted: false } device ? await DescribeAsync(device, cancellationToken).ConfigureAwait(false) : null;

    private static bool Has(ResourceNode identifiers, string value)
    {
        foreach (var identifier in identifiers.Items)
        {
            if (identifier["value"u8].AsString() == value)
            {
                return true;
            }
        }

        return false;
    }

    // The statements of each device. Null when one of them does not say plainly of which it is: then each device is asked for by itself.
    private async ValueTask<Dictionary<string, List<ResourceNode>>?> LedgersAsync(IReadOnlyList<StoredResource> devices, CancellationToken cancellationToken)
    {
        var ledgers = devices.ToDictionary(device => device.Id, _ => new List<ResourceNode>(), StringComparer.Ordinal);
        var statements = devices.Count == 0 ? [] : await FindAsync("DeviceUseStatement", "device", string.Join(',', devices.Select(device => $"Device/{device.Id}")), cancellationToken).ConfigureAwait(false);
        foreach (var statement in statements)
        {
            var root = JsonTree.Parse(statement.Body).Require().Root;
            if (PatientCompartment.Referred(root, "device", serverBase: null) is not ("Device", var id) || !ledgers.TryGetValue(id, out var ledger))
            {
                return null;
            }

            ledger.Add(root);
        }

        return ledgers;
    }

    private async ValueTask<KnownDevice> DescribeAsync(StoredResource device, CancellationToken cancellationToken)
    {
        var statements = await FindAsync("DeviceUseStatement", "device", $"Device/{device.Id}", cancellationToken).ConfigureAwait(false);
        return await DescribeAsync(device.Id, JsonTree.Parse(device.Body).Require().Root, [.. statements.Select(statement => JsonTree.Parse(statement.Body).Require().Root)], cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<KnownDevice> DescribeAsync(string deviceId, ResourceNode root, List<ResourceNode> ledger, CancellationToken cancellationToken)
    {
        var assignments = new List<DeviceAssignment>();
        foreach (var statement in ledger)
        {
            if (DeviceAssignment.TryRead(statement, out var assignment))
            {
                assignments.Add(assignment);
            }
        }

        if (ledger.Count == 0 && PatientCompartment.OwnerOf("Device", root) is { } patient)
        {
            assignments.Add(new DeviceAssignment(patient, DateTimeOffset.MinValue, DateTimeOffset.MaxValue));
        }

        var vendor = await store.FindRecordAsync(RecordKind.DeviceOwner, deviceId, cancellationToken).ConfigureAwait(false);
        return new KnownDevice(deviceId, vendor is null ? null : JsonTree.Parse(vendor.Body).Require().Root["vendor"u8].AsString(), assignments);
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
