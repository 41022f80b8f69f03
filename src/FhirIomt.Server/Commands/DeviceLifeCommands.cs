using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Repository.Readings;
using FhirIomt.Server.Devices;
using FhirIomt.Server.Devices.Life;
using FhirIomt.Storage;

namespace FhirIomt.Server.Commands;

/// <summary><c>fhiriomt device show|assign|return|expect|credential|retire</c>: a device's life after it was registered.</summary>
internal static class DeviceLifeCommands
{
    public static IEnumerable<Command> Build(StoreOptions store) => [Show(store), Assign(store), Return(store), Expect(store), Credential(store), Retire(store)];

    private static Command Show(StoreOptions store)
    {
        var device = Device();
        var command = new Command("show", "Whose it is and was, when it was last heard of, how its battery was then, what it may send with") { device };
        command.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(store.Of(parsed), async (services, token) =>
        {
            var id = IdOf(parsed.GetValue(device)!);
            if (await services.GetRequiredService<IStore>().ReadAsync("Device", id, token).ConfigureAwait(false) is not { IsDeleted: false } stored)
            {
                return StoreSession.Refuse([LifeIssues.NoDevice()]);
            }

            var known = (await services.GetRequiredService<DeviceDirectory>().FindAsync(id, token).ConfigureAwait(false))!;
            var seen = await services.GetRequiredService<LastSeen>().FindAsync(id, token).ConfigureAwait(false);
            var credentials = await services.GetRequiredService<DeviceLife>().CredentialsOfAsync(id, token).ConfigureAwait(false);
            var status = JsonTree.Parse(stored.Body).Require().Root["status"u8].AsString() ?? "unknown";
            var state = await services.GetRequiredService<DeviceState>().OfAsync(id, token).ConfigureAwait(false);
            Console.WriteLine(Encoding.UTF8.GetString(DeviceJson(id, status, known, seen, state, credentials)));
            return 0;
        }, cancellationToken));
        return command;
    }

    private static Command Assign(StoreOptions store)
    {
        var (device, patient) = (Device(), new Option<string>("--patient") { Description = "Who gets it", HelpName = "Patient/ID", Required = true });
        var from = new Option<string?>("--from") { Description = "From when; without it from now", HelpName = "DATETIME" };
        var until = new Option<string?>("--until") { Description = "Until when; without it until it is returned", HelpName = "DATETIME" };
        var command = new Command("assign", "Give a device to a patient") { device, patient, from, until };
        command.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(store.Of(parsed), async (services, token) =>
        {
            if (!TryTime(parsed.GetValue(from), "--from", out var start, out var issue) || !TryTime(parsed.GetValue(until), "--until", out var end, out issue))
            {
                return StoreSession.Refuse([issue!]);
            }

            var now = services.GetRequiredService<TimeProvider>().GetUtcNow();
            var outcome = await services.GetRequiredService<DeviceLife>().AssignAsync(IdOf(parsed.GetValue(device)!), IdOf(parsed.GetValue(patient)!), start ?? now, end, token).ConfigureAwait(false);
            return Tell(outcome, "statement", static id => $"DeviceUseStatement/{id}");
        }, cancellationToken));
        return command;
    }

    private static Command Return(StoreOptions store)
    {
        var (device, at) = (Device(), At());
        var command = new Command("return", "Take a device back from its patient") { device, at };
        command.SetAction((parsed, cancellationToken) => AtAsync(store, parsed, device, at, static (life, id, time, token) => life.ReturnAsync(id, time, token), cancellationToken));
        return command;
    }

    private static Command Retire(StoreOptions store)
    {
        var (device, at) = (Device(), At());
        var command = new Command("retire", "Take a device out of use: returned, inactive, its credentials void") { device, at };
        command.SetAction((parsed, cancellationToken) => AtAsync(store, parsed, device, at, static (life, id, time, token) => life.RetireAsync(id, time, token), cancellationToken));
        return command;
    }

    private static Command Expect(StoreOptions store)
    {
        var device = Device();
        var every = new Option<TimeSpan?>("--every") { Description = "How often readings are expected, such as 00:05:00; without it nothing is expected" };
        var command = new Command("expect", "Say how often a device is expected to send; three times that in silence is told as a DetectedIssue") { device, every };
        command.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(store.Of(parsed), async (services, token) =>
            Tell(await services.GetRequiredService<DeviceLife>().ExpectAsync(IdOf(parsed.GetValue(device)!), parsed.GetValue(every), token).ConfigureAwait(false), "device", static id => $"Device/{id}"), cancellationToken));
        return command;
    }

    private static Command Credential(StoreOptions store)
    {
        var device = Device();
        var certificate = new Option<string?>("--certificate") { Description = "Certificate that it may send with too (mTLS)", HelpName = "FILE" };
        var keep = new Option<bool>("--keep-others") { Description = "What it could send with until now stays valid, for changing over" };
        var command = new Command("credential", "A new credential for a device; prints it, once. Older ones are void") { device, certificate, keep };
        command.SetAction((parsed, cancellationToken) => StoreSession.RunAsync(store.Of(parsed), async (services, token) =>
        {
            var file = parsed.GetValue(certificate);
            var shown = file is null ? null : DeviceCommand.ReadCertificate(file);
            return file is not null && shown is null ? StoreSession.Refuse([RegistrarIssues.BadCertificate(file)])
                : Tell(await services.GetRequiredService<DeviceLife>().NewCredentialAsync(IdOf(parsed.GetValue(device)!), shown, !parsed.GetValue(keep), token).ConfigureAwait(false), "credential", static secret => secret);
        }, cancellationToken));
        return command;
    }

    private static Task<int> AtAsync(StoreOptions store, ParseResult parsed, Argument<string> device, Option<string?> at, Func<DeviceLife, string, DateTimeOffset, CancellationToken, Task<Outcome<string>>> act, CancellationToken cancellationToken) =>
        StoreSession.RunAsync(store.Of(parsed), async (services, token) =>
        {
            if (!TryTime(parsed.GetValue(at), "--at", out var time, out var issue))
            {
                return StoreSession.Refuse([issue!]);
            }

            var outcome = await act(services.GetRequiredService<DeviceLife>(), IdOf(parsed.GetValue(device)!), time ?? services.GetRequiredService<TimeProvider>().GetUtcNow(), token).ConfigureAwait(false);
            return Tell(outcome, "device", static id => $"Device/{id}");
        }, cancellationToken);

    private static byte[] DeviceJson(string id, string status, KnownDevice known, DateTimeOffset? seen, IReadOnlyList<DeviceStatement> state, List<StoredRecord> credentials) => JsonBytes.Of(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("device"u8, $"Device/{id}");
        writer.WriteString("status"u8, status);
        writer.WriteString("vendor"u8, known.Vendor);
        if (seen is { } heard)
        {
            writer.WriteString("lastSeen"u8, heard);
        }

        foreach (var said in state)
        {
            writer.WriteStartObject(said.Name);
            said.WriteValue(writer);
            writer.WriteString("at"u8, said.At);
            writer.WriteEndObject();
        }

        writer.WriteNumber("credentials"u8, credentials.Count(record => !record.Id.StartsWith("x5t-", StringComparison.Ordinal)));
        writer.WriteNumber("certificates"u8, credentials.Count(record => record.Id.StartsWith("x5t-", StringComparison.Ordinal)));
        writer.WriteStartArray("assignments"u8);
        foreach (var assignment in known.Assignments.OrderBy(one => one.From))
        {
            writer.WriteStartObject();
            writer.WriteString("patient"u8, $"Patient/{assignment.PatientId}");
            writer.WriteString("from"u8, assignment.From == DateTimeOffset.MinValue ? null : assignment.From.ToString("o", CultureInfo.InvariantCulture));
            writer.WriteString("until"u8, assignment.Until == DateTimeOffset.MaxValue ? null : assignment.Until.ToString("o", CultureInfo.InvariantCulture));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    });

    private static int Tell(Outcome<string> outcome, string name, Func<string, string> text)
    {
        if (!outcome.TryGetValue(out var value, out var issues))
        {
            return StoreSession.Refuse(issues);
        }

        Console.WriteLine(JsonSerializer.Serialize(new Dictionary<string, string>(StringComparer.Ordinal) { [name] = text(value) }));
        return 0;
    }

    private static bool TryTime(string? text, string option, out DateTimeOffset? time, out Issue? issue)
    {
        (time, issue) = (null, null);
        if (text is null)
        {
            return true;
        }

        if (!FhirIomt.Fhir.Search.FhirDate.TryParseInterval(text, out var start, out _))
        {
            issue = LifeIssues.BadTime(option);
            return false;
        }

        time = start;
        return true;
    }

    private static Argument<string> Device() => new("DEVICE") { Description = "Device/ID, or its id" };

    private static Option<string?> At() => new("--at") { Description = "When; without it now", HelpName = "DATETIME" };

    private static string IdOf(string reference) => reference[(reference.IndexOf('/', StringComparison.Ordinal) + 1)..];
}
