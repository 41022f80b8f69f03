using System.CommandLine;
using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Repository.Readings.Routes;
using FhirIomt.Server.Devices;

namespace FhirIomt.Server.Commands;

/// <summary><c>fhiriomt vendor add NAME [--route-group GROUP --priority N]</c>.</summary>
internal static class VendorCommand
{
    public static Command Build(StoreOptions store)
    {
        var name = new Argument<string>("NAME") { Description = "Letters, digits, '-', '_' and '.'" };
        var mapping = new Option<string?>("--mapping") { Description = "Mapping for messages that name none" };
        var patients = new Option<string?>("--patient-system") { Description = "A gateway of the house: readings are of the patients whom its messages name by an identifier of this system, without an assignment of the device", HelpName = "URI" };
        var group = new Option<string?>("--route-group") { Description = "It brings the same readings as the others of this group: 'fhiriomt route'", HelpName = "GROUP" };
        var priority = new Option<int?>("--priority") { Description = "Of its readings among those of the group: the higher one's stay; 0 unless said", HelpName = "N" };
        var add = new Command("add", "Register a device vendor; prints its credential, once") { name, mapping, patients, group, priority };
        add.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(
            store.Of(parsed),
            async (services, token) =>
            {
                if (CheckRoute(parsed.GetValue(group), parsed.GetValue(priority)) is { } mistake)
                {
                    return StoreSession.Refuse([mistake]);
                }

                var outcome = await services.GetRequiredService<Registrar>().AddVendorAsync(parsed.GetValue(name)!, parsed.GetValue(mapping), parsed.GetValue(patients), token).ConfigureAwait(false);
                if (!outcome.TryGetValue(out var credential, out var issues))
                {
                    return StoreSession.Refuse(issues);
                }

                if (parsed.GetValue(group) is { } named)
                {
                    await services.GetRequiredService<RouteDirectory>().PutAsync(new ReadingRoute(ReadingRoute.OfVendor(parsed.GetValue(name)!), named, parsed.GetValue(priority) ?? 0), token).ConfigureAwait(false);
                }

                Console.WriteLine(JsonSerializer.Serialize(new Dictionary<string, string>(StringComparer.Ordinal) { ["vendor"] = parsed.GetValue(name)!, ["credential"] = credential }));
                return 0;
            },
            cancellationToken));
        return new Command("vendor", "Device vendors") { add };
    }

    private static Issue? CheckRoute(string? group, int? priority) => group is not null ? RouteCommand.CheckGroup(group) : priority is not null ? RouteCommandIssues.NoGroup() : null;
}
