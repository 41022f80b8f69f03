using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using FhirIomt.Server.Devices;

namespace FhirIomt.Server.Commands;

/// <summary><c>fhiriomt device add --identifier SYSTEM|VALUE [--vendor NAME] [--patient Patient/ID [--from DATETIME]]</c>.</summary>
internal static class DeviceCommand
{
    public static Command Build(StoreOptions store)
    {
        var identifier = new Option<string>("--identifier") { Description = "What its messages call it", HelpName = "SYSTEM|VALUE", Required = true };
        var vendor = new Option<string?>("--vendor") { Description = "Vendor that owns it and may send for it" };
        var patient = new Option<string?>("--patient") { Description = "Patient that it is assigned to", HelpName = "Patient/ID" };
        var from = new Option<string?>("--from") { Description = "Start of the assignment; without it the assignment is open at the start", HelpName = "DATETIME" };
        var mapping = new Option<string?>("--mapping") { Description = "Mapping for messages that name none" };
        var certificate = new Option<string?>("--certificate") { Description = "Certificate that it may send with instead of the credential (mTLS)", HelpName = "FILE" };
        var add = new Command("add", "Register a device; prints its credential, once") { identifier, vendor, patient, from, mapping, certificate };
        add.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(
            store.Of(parsed),
            async (services, token) =>
            {
                if (Read(parsed.GetValue(identifier)!, parsed.GetValue(vendor), parsed.GetValue(patient), parsed.GetValue(from), parsed.GetValue(mapping)) is not { } device)
                {
                    return StoreSession.Refuse([RegistrarIssues.BadIdentifier()]);
                }

                if (parsed.GetValue(certificate) is { } file)
                {
                    if (ReadCertificate(file) is not { } shown)
                    {
                        return StoreSession.Refuse([RegistrarIssues.BadCertificate(file)]);
                    }

                    device = device with { Certificate = shown };
                }

                var outcome = await services.GetRequiredService<Registrar>().AddDeviceAsync(device, token).ConfigureAwait(false);
                if (!outcome.TryGetValue(out var added, out var issues))
                {
                    return StoreSession.Refuse(issues);
                }

                Console.WriteLine(JsonSerializer.Serialize(new Dictionary<string, string>(StringComparer.Ordinal) { ["device"] = $"Device/{added.DeviceId}", ["credential"] = added.Secret }));
                return 0;
            },
            cancellationToken));
        var device = new Command("device", "Devices") { add };
        foreach (var command in DeviceLifeCommands.Build(store))
        {
            device.Subcommands.Add(command);
        }

        return device;
    }

    public static X509Certificate2? ReadCertificate(string file)
    {
        try
        {
            return X509CertificateLoader.LoadCertificateFromFile(file);
        }
        catch (Exception exception) when (exception is CryptographicException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static NewDevice? Read(string identifier, string? vendor, string? patient, string? from, string? mapping)
    {
        var bar = identifier.LastIndexOf('|');
        if (bar <= 0 || bar == identifier.Length - 1)
        {
            return null;
        }

        var patientId = patient is not null && patient.StartsWith("Patient/", StringComparison.Ordinal) ? patient["Patient/".Length..] : patient;
        return new NewDevice(identifier[..bar], identifier[(bar + 1)..], vendor, patientId, from, mapping);
    }
}
