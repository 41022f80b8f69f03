using System.CommandLine;
using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Repository.Readings.Routes;
using FhirIomt.Server.Devices;
using FhirIomt.Server.Devices.Life;
using FhirIomt.Storage;

namespace FhirIomt.Server.Commands;

/// <summary><c>fhiriomt route set|list|remove</c>: which senders bring the same measurements, and whose count first.</summary>
internal static class RouteCommand
{
    private const string Device = "device/";
    private const string Vendor = "vendor/";
    private const string Mapping = "mapping/";

    public static Command Build(StoreOptions store)
    {
        var set = new Command("set", "Say that a device, vendor or mapping brings the same readings as the others of its group") { Name(), Group(required: true), Priority() };
        set.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(store.Of(parsed), async (services, token) =>
        {
            var route = new ReadingRoute(Usual(parsed.GetValue<string>("NAME")!), parsed.GetValue<string>("--group")!, parsed.GetValue<int>("--priority"));
            if (await CheckAsync(route, services, token).ConfigureAwait(false) is { } issue)
            {
                return StoreSession.Refuse([issue]);
            }

            await services.GetRequiredService<RouteDirectory>().PutAsync(route, token).ConfigureAwait(false);
            Print(route);
            return 0;
        }, cancellationToken));
        var list = new Command("list", "Print each route as one line of JSON, by group, the one that counts first before the others");
        list.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(store.Of(parsed), async (services, token) =>
        {
            var table = await services.GetRequiredService<RouteDirectory>().NowAsync(token).ConfigureAwait(false);
            foreach (var route in table.All.OrderBy(one => one.Group, StringComparer.Ordinal).ThenByDescending(one => one.Priority).ThenBy(one => one.Name, StringComparer.Ordinal))
            {
                Print(route);
            }

            return 0;
        }, cancellationToken));
        var remove = new Command("remove", "What comes by it is stored for itself again; what is stored stays as it is") { Name() };
        remove.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(store.Of(parsed), async (services, token) =>
        {
            var name = Usual(parsed.GetValue<string>("NAME")!);
            return await services.GetRequiredService<RouteDirectory>().RemoveAsync(name, token).ConfigureAwait(false) ? 0 : StoreSession.Refuse([RouteCommandIssues.NoRoute(name)]);
        }, cancellationToken));
        return new Command("route", "Ways by which the same readings come, and which of them comes first") { set, list, remove };
    }

    /// <summary>What stands in the way of a route's group, as it was typed.</summary>
    public static Issue? CheckGroup(string group) => MappingCatalog.IsName(group) ? null : RouteCommandIssues.BadGroup(group);

    private static Argument<string> Name() => new("NAME") { Description = "vendor/NAME, device/ID or mapping/NAME" };

    private static Option<string> Group(bool required) => new("--group") { Description = "Routes of one group bring the same readings", HelpName = "GROUP", Required = required };

    private static Option<int> Priority() => new("--priority") { Description = "The higher one's reading stays; 0 unless said", HelpName = "N" };

    // As resources are named elsewhere on the command line.
    private static string Usual(string name) => name.StartsWith("Device/", StringComparison.Ordinal) ? Device + name[Device.Length..] : name;

    private static async ValueTask<Issue?> CheckAsync(ReadingRoute route, IServiceProvider services, CancellationToken cancellationToken)
    {
        var store = services.GetRequiredService<IStore>();
        if (route.Name.StartsWith(Vendor, StringComparison.Ordinal))
        {
            var vendor = route.Name[Vendor.Length..];
            return await store.FindRecordAsync(RecordKind.Vendor, vendor, cancellationToken).ConfigureAwait(false) is null ? RegistrarIssues.UnknownVendor(vendor) with { Expression = "NAME" } : CheckGroup(route.Group);
        }

        if (route.Name.StartsWith(Device, StringComparison.Ordinal))
        {
            return await store.ReadAsync("Device", route.Name[Device.Length..], cancellationToken).ConfigureAwait(false) is { IsDeleted: false } ? CheckGroup(route.Group) : LifeIssues.NoDevice() with { Expression = "NAME" };
        }

        if (route.Name.StartsWith(Mapping, StringComparison.Ordinal))
        {
            var mapping = route.Name[Mapping.Length..];
            return await services.GetRequiredService<MappingCatalog>().FindAsync(mapping, cancellationToken).ConfigureAwait(false) is null ? DeviceIssues.UnknownMapping(mapping) with { Expression = "NAME" } : CheckGroup(route.Group);
        }

        return RouteCommandIssues.BadName();
    }

    private static void Print(ReadingRoute route) => Console.WriteLine(JsonSerializer.Serialize(new { route = route.Name, group = route.Group, priority = route.Priority }));
}

/// <summary>Refusals of <c>fhiriomt route</c>.</summary>
internal static class RouteCommandIssues
{
    public static Issue BadName() => Issue.Error(IssueKind.Value, "IOMT-0548", "A route is named vendor/NAME, device/ID or mapping/NAME.", "NAME", "Write for example vendor/acme.");

    public static Issue BadGroup(string group) => Issue.Error(IssueKind.Value, "IOMT-0548", $"'{group}' cannot be a group's name.", "--group", "Use 1 to 64 letters, digits, '-', '_' and '.'.");

    public static Issue NoGroup() => Issue.Error(IssueKind.Required, "IOMT-0548", "A priority counts only among routes of one group.", "--priority", "Name the group with --route-group.");

    public static Issue NoRoute(string name) => Issue.Error(IssueKind.NotFound, "IOMT-0558", $"No route '{name}' is set.", "NAME", "Look at 'fhiriomt route list'.");
}
