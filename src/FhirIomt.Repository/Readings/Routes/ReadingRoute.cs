using System.Text.Json;
using FhirIomt.Fhir.Json;
using FhirIomt.Storage;

namespace FhirIomt.Repository.Readings.Routes;

/// <summary>One of several ways by which the same measurements come: a vendor's cloud, the export of a phone, a gateway.</summary>
/// <param name="Name">Whose readings come by it: <c>device/ID</c>, <c>vendor/NAME</c> or <c>mapping/NAME</c>.</param>
/// <param name="Group">Routes of one group bring the same measurements; those of two groups are never compared.</param>
/// <param name="Priority">The higher one's reading stays.</param>
public sealed record ReadingRoute(string Name, string Group, int Priority)
{
    public static string OfDevice(string id) => "device/" + id;

    public static string OfVendor(string name) => "vendor/" + name;

    public static string OfMapping(string name) => "mapping/" + name;

    internal StoredRecord ToRecord() =>
        new(RecordKind.Route, Name, JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object>(StringComparer.Ordinal) { ["group"] = Group, ["priority"] = Priority }));

    internal static ReadingRoute Read(StoredRecord record)
    {
        var root = JsonTree.Parse(record.Body).Require().Root;
        return new ReadingRoute(record.Id, root["group"u8].AsString()!, int.Parse(root["priority"u8].RawSpan, System.Globalization.CultureInfo.InvariantCulture));
    }
}

/// <summary>The routes that are set, at one moment. Usually none.</summary>
public sealed class RouteTable(IReadOnlyList<ReadingRoute> routes)
{
    private readonly Dictionary<string, ReadingRoute> _routes = routes.ToDictionary(route => route.Name, StringComparer.Ordinal);

    public IReadOnlyCollection<ReadingRoute> All => _routes.Values;

    /// <summary>By which route a reading comes: what is said of its device counts before what is said of its sender, and that before the mapping.</summary>
    /// <param name="vendor">Whose credential it came with; null when it was the device's own.</param>
    public ReadingRoute? Find(string deviceId, string? vendor, string mapping) =>
        _routes.Count == 0 ? null : Named(ReadingRoute.OfDevice(deviceId)) ?? (vendor is null ? null : Named(ReadingRoute.OfVendor(vendor))) ?? Named(ReadingRoute.OfMapping(mapping));

    public ReadingRoute? Named(string name) => _routes.GetValueOrDefault(name);
}

/// <summary>Sets routes and knows them; remembered until the store's generation moves, so that a change acts with the next message.</summary>
public sealed class RouteDirectory(IStore store)
{
    private readonly GenerationCache<RouteTable> _tables = new(store, 1);

    public async ValueTask<RouteTable> NowAsync(CancellationToken cancellationToken)
    {
        var remembered = _tables.Now();
        if (!remembered.TryGet("", out var table))
        {
            table = new RouteTable([.. (await store.ListRecordsAsync(RecordKind.Route, cancellationToken).ConfigureAwait(false)).Select(ReadingRoute.Read)]);
            remembered.Remember("", table);
        }

        return table;
    }

    public Task PutAsync(ReadingRoute route, CancellationToken cancellationToken) => store.WriteAsync([new Change(route.Name, route)], cancellationToken);

    /// <returns>Whether there was one.</returns>
    public async Task<bool> RemoveAsync(string name, CancellationToken cancellationToken)
    {
        var change = new Change(name, null);
        await store.WriteAsync([change], cancellationToken).ConfigureAwait(false);
        return change.WasThere;
    }

    private sealed class Change(string name, ReadingRoute? route) : WriteOperation
    {
        public bool WasThere { get; private set; }

        public override void Run(IWriteTransaction transaction)
        {
            WasThere = transaction.FindRecord(RecordKind.Route, name) is not null;
            if (route is not null)
            {
                transaction.PutRecord(route.ToRecord());
            }
            else if (WasThere)
            {
                transaction.DeleteRecord(RecordKind.Route, name);
            }
        }
    }
}
