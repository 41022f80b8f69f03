using System.CommandLine;
using System.Text.Json;
using FhirIomt.Server.Devices;

namespace FhirIomt.Server.Commands;

/// <summary><c>fhiriomt mapping add NAME --device FILE [--fhir FILE] [--identity lookup|create|lookup-with-encounter]</c>.; <c>lint</c> and <c>try</c> beside it.</summary>
internal static class MappingCommand
{
    public static Command Build(StoreOptions store)
    {
        var name = new Argument<string>("NAME") { Description = "Letters, digits, '-', '_' and '.'" };
        var device = new Option<FileInfo>("--device") { Description = "Device mapping (CollectionContent), or a FhirIomt mapping, which is one file", Required = true };
        var fhir = new Option<FileInfo>("--fhir") { Description = "FHIR mapping (CollectionFhir)" };
        var identity = new Option<string>("--identity") { Description = "What to do with an unknown device or patient", DefaultValueFactory = _ => "lookup" };
        identity.AcceptOnlyFromAmong([.. IdentityModes.Names]);
        device.AcceptExistingOnly();
        fhir.AcceptExistingOnly();
        var add = new Command("add", "Check and store a mapping; prints its version") { name, device, fhir, identity };
        add.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(
            store.Of(parsed),
            async (services, token) =>
            {
                var deviceText = await File.ReadAllBytesAsync(parsed.GetValue(device)!.FullName, token).ConfigureAwait(false);
                var fhirText = parsed.GetValue(fhir) is { } half ? await File.ReadAllBytesAsync(half.FullName, token).ConfigureAwait(false) : MappingCatalog.NoFhirMapping;
                var mode = IdentityModes.Parse(parsed.GetValue(identity)) ?? IdentityMode.Lookup;
                var outcome = await services.GetRequiredService<MappingCatalog>().AddAsync(parsed.GetValue(name)!, deviceText, fhirText, mode, token).ConfigureAwait(false);
                StoreSession.Refuse(outcome.Issues);
                if (!outcome.TryGetValue(out var mapping, out _))
                {
                    return 1;
                }

                Console.WriteLine(JsonSerializer.Serialize(new { mapping = mapping.Name, version = mapping.Version }));
                return 0;
            },
            cancellationToken));
        return new Command("mapping", "Device mappings") { add, MappingLintCommand.Build(), MappingTryCommand.Build() };
    }
}
