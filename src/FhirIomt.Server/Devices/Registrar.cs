using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Search;
using FhirIomt.Fhir.Searching;
using FhirIomt.Repository;
using FhirIomt.Smart.Clients;
using FhirIomt.Storage;

namespace FhirIomt.Server.Devices;

/// <summary>Registers clients, vendors and devices: what the command line and the demo do.</summary>
internal sealed class Registrar(IStore store, ResourceRepository repository, SenderCredentials credentials, ClientDirectory clients, IdSource ids)
{
    /// <summary>A backend service that signs with a key.</summary>
    public async Task<Outcome<ClientRegistration>> AddClientAsync(string name, string jwksOrUrl, string scopes, CancellationToken cancellationToken) =>
        (await clients.AddAsync(new NewClient(name, ClientType.Jwks, scopes) { Keys = jwksOrUrl }, cancellationToken).ConfigureAwait(false)).TryGetValue(out var added, out var issues)
            ? added.Client
            : Outcome<ClientRegistration>.Refused(issues);

    public Task<Outcome<string>> AddVendorAsync(string name, string? mapping, CancellationToken cancellationToken) => AddVendorAsync(name, mapping, patientSystem: null, cancellationToken);

    /// <param name="patientSystem">Its messages say whose readings they are, by identifiers of that system, without an assignment of the device; null: they do not.</param>
    public async Task<Outcome<string>> AddVendorAsync(string name, string? mapping, string? patientSystem, CancellationToken cancellationToken)
    {
        if (!MappingCatalog.IsName(name))
        {
            return RegistrarIssues.BadVendorName(name);
        }

        var (secret, record) = credentials.Issue(new Sender.Vendor(name, mapping, patientSystem));
        var operation = new PutVendor(name, record);
        await store.WriteAsync([operation], cancellationToken).ConfigureAwait(false);
        return operation.AlreadyThere ? RegistrarIssues.VendorExists(name) : secret;
    }

    /// <summary>Makes a Device with its credential, and the record of whose it is.</summary>
    public async Task<Outcome<(string DeviceId, string Secret)>> AddDeviceAsync(NewDevice device, CancellationToken cancellationToken)
    {
        if (await CheckAsync(device, cancellationToken).ConfigureAwait(false) is { } refusal)
        {
            return refusal;
        }

        var deviceId = ids.NewId();
        var prepared = repository.Prepare("Device", JsonTree.Parse(DeviceJson(device)).Require());
        if (!prepared.TryGetValue(out var resource, out var issues))
        {
            return Outcome<(string, string)>.Refused(issues);
        }

        var (secret, credential) = credentials.Issue(new Sender.Device(deviceId, device.Mapping));
        var records = new List<StoredRecord> { credential };
        if (device.Certificate is not null)
        {
            records.Add(SenderCredentials.Register(device.Certificate, new Sender.Device(deviceId, device.Mapping)));
        }

        if (device.Vendor is not null)
        {
            records.Add(EnsureIdentity.OwnerRecord(deviceId, device.Vendor));
        }

        var assignment = device is { PatientId: not null, From: not null } ? repository.Prepare("DeviceUseStatement", JsonTree.Parse(AssignmentJson(deviceId, device)).Require()).Require() : null;
        var operation = new PutDevice(resource, deviceId, assignment, ids.NewId(), records);
        await store.WriteAsync([operation], cancellationToken).ConfigureAwait(false);
        return operation.AlreadyThere ? RegistrarIssues.DeviceExists() : (deviceId, secret);
    }

    private async ValueTask<Issue?> CheckAsync(NewDevice device, CancellationToken cancellationToken)
    {
        if (device.From is not null && (device.PatientId is null || !FhirDate.TryParseInterval(device.From, out _, out _)))
        {
            return RegistrarIssues.BadFrom();
        }

        if (device.PatientId is { } patient && await store.ReadAsync("Patient", patient, cancellationToken).ConfigureAwait(false) is not { IsDeleted: false })
        {
            return RegistrarIssues.UnknownPatient();
        }

        return device.Vendor is { } vendor && await store.FindRecordAsync(RecordKind.Vendor, vendor, cancellationToken).ConfigureAwait(false) is null
            ? RegistrarIssues.UnknownVendor(vendor)
            : null;
    }

    private static byte[] DeviceJson(NewDevice device) => Json(writer =>
    {
        writer.WriteString("resourceType", "Device");
        writer.WriteStartArray("identifier");
        writer.WriteStartObject();
        writer.WriteString("system", device.IdentifierSystem);
        writer.WriteString("value", device.IdentifierValue);
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteString("status", "active");
        if (device.PatientId is not null)
        {
            WriteReference(writer, "patient", $"Patient/{device.PatientId}");
        }
    });

    private static byte[] AssignmentJson(string deviceId, NewDevice device) => Json(writer =>
    {
        writer.WriteString("resourceType", "DeviceUseStatement");
        writer.WriteString("status", "active");
        WriteReference(writer, "subject", $"Patient/{device.PatientId}");
        writer.WriteStartObject("timingPeriod");
        writer.WriteString("start", device.From);
        writer.WriteEndObject();
        WriteReference(writer, "device", $"Device/{deviceId}");
    });

    private static void WriteReference(Utf8JsonWriter writer, string name, string reference)
    {
        writer.WriteStartObject(name);
        writer.WriteString("reference", reference);
        writer.WriteEndObject();
    }

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, JsonText.Options))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return stream.ToArray();
    }

    // Decided inside the transaction: of two that add the same vendor at once only one gets a credential.
    private sealed class PutVendor(string name, StoredRecord credential) : WriteOperation
    {
        public bool AlreadyThere { get; private set; }

        public override void Run(IWriteTransaction transaction)
        {
            AlreadyThere = transaction.FindRecord(RecordKind.Vendor, name) is not null;
            if (!AlreadyThere)
            {
                transaction.PutRecord(new StoredRecord(RecordKind.Vendor, name, "{}"u8.ToArray()));
                transaction.PutRecord(credential);
            }
        }
    }

    private sealed class PutDevice(PreparedResource device, string deviceId, PreparedResource? assignment, string assignmentId, IReadOnlyList<StoredRecord> records) : WriteOperation
    {
        public bool AlreadyThere { get; private set; }

        public override void Run(IWriteTransaction transaction)
        {
            var same = device.Index.OfType<IndexValue.Token>().Where(token => token.IsIdentifier)
                .Select(token => new SearchCriterion.Tokens(token.Parameter, [new TokenMatch(token.System ?? "", token.Code)], Negated: false));
            var query = new SearchQuery { ResourceType = "Device", Criteria = [.. same], Count = 1 };
            AlreadyThere = transaction.Search(query, Access.SearchAccess.Everything).Count > 0;
            if (AlreadyThere)
            {
                return;
            }

            transaction.Put(device, deviceId, previous: null);
            if (assignment is not null)
            {
                transaction.Put(assignment, assignmentId, previous: null);
            }

            foreach (var record in records)
            {
                transaction.PutRecord(record);
            }
        }
    }
}

/// <param name="From">FHIR dateTime: start of the assignment; null leaves it open at the start.</param>
internal sealed record NewDevice(string IdentifierSystem, string IdentifierValue, string? Vendor, string? PatientId, string? From, string? Mapping)
{
    /// <summary>By which it may send without a secret (mTLS).</summary>
    public System.Security.Cryptography.X509Certificates.X509Certificate2? Certificate { get; init; }
}

/// <summary>Refusals of registration: IOMT-0550 to IOMT-0557.</summary>
internal static class RegistrarIssues
{
    public static Issue BadVendorName(string name) =>
        Issue.Error(IssueKind.Value, "IOMT-0550", $"'{name}' cannot be a vendor's name.", "name", "Use 1 to 64 letters, digits, '-', '_' and '.'.");

    public static Issue VendorExists(string name) =>
        Issue.Error(IssueKind.Duplicate, "IOMT-0551", $"There is a vendor '{name}' already.", "name", "Choose another name; the credential of a vendor is shown only once.");

    public static Issue UnknownVendor(string name) =>
        Issue.Error(IssueKind.NotFound, "IOMT-0552", $"There is no vendor '{name}'.", "--vendor", "Add it with 'fhiriomt vendor add'.");

    public static Issue UnknownPatient() =>
        Issue.Error(IssueKind.NotFound, "IOMT-0553", "There is no such patient.", "--patient", "Give the id of a stored Patient, as Patient/ID.");

    public static Issue BadFrom() =>
        Issue.Error(IssueKind.Value, "IOMT-0554", "--from must be a FHIR dateTime, and needs --patient.", "--from", "Write for example 2026-11-21T08:00:00+01:00.");

    public static Issue DeviceExists() =>
        Issue.Error(IssueKind.Duplicate, "IOMT-0555", "There is a device with that identifier already.", "--identifier", "Each device needs an identifier of its own.");

    public static Issue BadIdentifier() =>
        Issue.Error(IssueKind.Value, "IOMT-0556", "The identifier must be SYSTEM|VALUE.", "--identifier", "Write for example 'urn:example:serial|SN-1'.");

    public static Issue BadCertificate(string file) =>
        Issue.Error(IssueKind.Value, "IOMT-0912", $"'{file}' is no certificate that can be read.", "--certificate", "Name a PEM or DER file with the device's certificate, without its private key.");

    public static Issue NoSuchKeys(string file) =>
        Issue.Error(IssueKind.NotFound, "IOMT-0557", $"There is no file '{file}', and it is no address either.", "--jwks", "Give a file with a JWK Set, or an https address of one.");
}
