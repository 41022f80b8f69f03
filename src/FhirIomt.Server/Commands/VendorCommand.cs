using System.CommandLine;
using System.Text.Json;
using FhirIomt.Server.Devices;

namespace FhirIomt.Server.Commands;

/// <summary><c>fhiriomt vendor add NAME</c>.</summary>
internal static class VendorCommand
{
    public static Command Build(StoreOptions store)
    {
        var name = new Argument<string>("NAME") { Description = "Letters, digits, '-', '_' and '.'" };
        var mapping = new Option<string?>("--mapping") { Description = "Mapping for messages that name none" };
        var patients = new Option<string?>("--patient-system") { Description = "A gateway of the house: readings are of the patients whom its messages name by an identifier of this system, without an assignment of the device", HelpName = "URI" };
        var add = new Command("add", "Register a device vendor; prints its credential, once") { name, mapping, patients };
        add.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(
            store.Of(parsed),
            async (services, token) =>
            {
                var outcome = await services.GetRequiredService<Registrar>().AddVendorAsync(parsed.GetValue(name)!, parsed.GetValue(mapping), parsed.GetValue(patients), token).ConfigureAwait(false);
                if (!outcome.TryGetValue(out var credential, out var issues))
                {
                    return StoreSession.Refuse(issues);
                }

                Console.WriteLine(JsonSerializer.Serialize(new Dictionary<string, string>(StringComparer.Ordinal) { ["vendor"] = parsed.GetValue(name)!, ["credential"] = credential }));
                return 0;
            },
            cancellationToken));
        return new Command("vendor", "Device vendors") { add };
    }
}
