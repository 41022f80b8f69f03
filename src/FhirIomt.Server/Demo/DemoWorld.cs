using System.Security.Cryptography;
using System.Text.Json;
using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Repository;
using FhirIomt.Server.Devices;
using FhirIomt.Smart.Clients;
using FhirIomt.Smart.Users;
using FhirIomt.Storage;

namespace FhirIomt.Server.Demo;

/// <param name="Kind">What it measures: one of <see cref="Simulator"/>'s signals.</param>
internal sealed record DemoDevice(string Kind, string Identifier, string Credential, string Mapping);

internal sealed record DemoPatient(string Id, string Name, IReadOnlyList<DemoDevice> Devices);

/// <summary>What <c>--demo</c> registers, kept beside the store so that the next start finds it again.</summary>
/// <param name="Password">Of the demo's clinician: made at random when the demo is first set up.</param>
internal sealed record DemoWorld(string ClientId, string KeyFile, string Password, IReadOnlyList<DemoPatient> Patients)
{
    /// <summary>Who looks after the demo's patients.</summary>
    public const string Clinician = "demo.clinician";

    private const string Vendor = "demo";

    public const string LaunchRight = "__launch";

    private const string Scopes = $"system/*.cruds {LaunchRight}";

    private static readonly (string Given, string Family, string BirthDate, string Gender)[] People =
        [("Ada", "Ünal", "1958-03-14", "female"), ("Jonas", "Berg", "1971-11-02", "male"), ("Mira", "Okafor", "1990-06-27", "female")];

    private static readonly (string Kind, string Mapping)[] Kinds =
        [("heart-rate", "vitals"), ("blood-pressure", "vitals"), ("oxygen-saturation", "vitals"), ("glucose", "cgm"), ("weight", "vitals")];

    /// <summary>Null: the store has a demo whose keys are kept elsewhere.</summary>
    public static async Task<DemoWorld?> OpenAsync(string data, IServiceProvider services, CancellationToken cancellationToken)
    {
        // Set up in another store (the same folder, with PostgreSQL or without), it is not in this one.
        if (await FindAsync(data, cancellationToken).ConfigureAwait(false) is { } known
            && await services.GetRequiredService<ClientDirectory>().FindAsync(known.ClientId, cancellationToken).ConfigureAwait(false) is not null)
        {
            return known;
        }

        if (await services.GetRequiredService<IStore>().FindRecordAsync(RecordKind.Vendor, Vendor, cancellationToken).ConfigureAwait(false) is not null)
        {
            return null;
        }

        var folder = Directory.CreateDirectory(Path.Combine(data, "demo")).FullName;
        var world = await CreateAsync(folder, services, cancellationToken).ConfigureAwait(false);
        await SecretFile.WriteAsync(FileIn(data), JsonSerializer.Serialize(world), cancellationToken).ConfigureAwait(false);
        return world;
    }

    /// <summary>What an earlier start has set up; null before.</summary>
    public static async Task<DemoWorld?> FindAsync(string data, CancellationToken cancellationToken) => File.Exists(FileIn(data))
        ? JsonSerializer.Deserialize<DemoWorld>(await File.ReadAllTextAsync(FileIn(data), cancellationToken).ConfigureAwait(false))
        : null;

    private static string FileIn(string data) => Path.Combine(data, "demo", "demo.json");

    private static async Task<DemoWorld> CreateAsync(string folder, IServiceProvider services, CancellationToken cancellationToken)
    {
        var registrar = services.GetRequiredService<Registrar>();
        var keyFile = Path.Combine(folder, "ehr-key.pem");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        await SecretFile.WriteAsync(keyFile, key.ExportPkcs8PrivateKeyPem(), cancellationToken).ConfigureAwait(false);
        var client = (await registrar.AddClientAsync("demo EHR", ClientKeyFile.PublicSet(key), Scopes, cancellationToken).ConfigureAwait(false)).Require();
        (await registrar.AddVendorAsync(Vendor, null, cancellationToken).ConfigureAwait(false)).Require();
        var practitioner = await CreateAsync(services, "Practitioner", new { resourceType = "Practitioner", name = new[] { new { family = "Demo", prefix = new[] { "Dr." } } } }, cancellationToken).ConfigureAwait(false);
        var password = services.GetRequiredService<IdSource>().NewSecret();
        var clinician = new NewUser(Clinician, UserRole.Clinician, $"Practitioner/{practitioner}", password);
        (await services.GetRequiredService<UserDirectory>().AddAsync(clinician, cancellationToken).ConfigureAwait(false)).Require();
        var patients = new List<DemoPatient>();
        foreach (var person in People)
        {
            patients.Add(await AddPatientAsync(person, practitioner, services, registrar, cancellationToken).ConfigureAwait(false));
        }

        return new DemoWorld(client.ClientId, keyFile, password, patients);
    }

    private static async Task<DemoPatient> AddPatientAsync((string Given, string Family, string BirthDate, string Gender) person, string practitioner, IServiceProvider services, Registrar registrar, CancellationToken cancellationToken)
    {
        var patient = await CreateAsync(services, "Patient", new
        {
            resourceType = "Patient",
            name = new[] { new { family = person.Family, given = new[] { person.Given } } },
            gender = person.Gender,
            birthDate = person.BirthDate,
            generalPractitioner = new[] { new { reference = $"Practitioner/{practitioner}" } },
        }, cancellationToken).ConfigureAwait(false);
        var devices = new List<DemoDevice>();
        foreach (var (kind, mapping) in Kinds)
        {
            var identifier = $"{person.Given.ToLowerInvariant()}-{kind}";
            var added = await registrar.AddDeviceAsync(new NewDevice("urn:fhiriomt:demo", identifier, Vendor, patient, null, mapping), cancellationToken).ConfigureAwait(false);
            devices.Add(new DemoDevice(kind, identifier, added.Require().Secret, mapping));
        }

        return new DemoPatient(patient, $"{person.Given} {person.Family}", devices);
    }

    private static async Task<string> CreateAsync<T>(IServiceProvider services, string type, T resource, CancellationToken cancellationToken)
    {
        var request = new WriteRequest.Create(type, JsonTree.Parse(JsonSerializer.SerializeToUtf8Bytes(resource)).Require(), IfNoneExist: null);
        var created = await services.GetRequiredService<ResourceWriter>().WriteAsync(request, AccessScope.Server, cancellationToken).ConfigureAwait(false);
        return ((WriteResult.Created)created).Resource.Id;
    }
}
