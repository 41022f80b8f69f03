using System.Security.Cryptography;
using System.Text.Json;
using FhirIomt.Access;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Repository;
using FhirIomt.Server.Devices;

namespace FhirIomt.Server.Demo;

/// <param name="Kind">What it measures: one of <see cref="Simulator"/>'s signals.</param>
internal sealed record DemoDevice(string Kind, string Identifier, string Credential, string Mapping);

internal sealed record DemoPatient(string Id, string Name, IReadOnlyList<DemoDevice> Devices);

/// <summary>What <c>--demo</c> registers, kept beside the store so that the next start finds it again.</summary>
internal sealed record DemoWorld(string ClientId, string KeyFile, IReadOnlyList<DemoPatient> Patients)
{
    private const string Scopes = "system/*.cruds";

    private static readonly (string Given, string Family, string BirthDate, string Gender)[] People =
        [("Ada", "Ünal", "1958-03-14", "female"), ("Jonas", "Berg", "1971-11-02", "male"), ("Mira", "Okafor", "1990-06-27", "female")];

    private static readonly (string Kind, string Mapping)[] Kinds =
        [("heart-rate", "vitals"), ("blood-pressure", "vitals"), ("oxygen-saturation", "vitals"), ("glucose", "cgm"), ("weight", "vitals")];

    public static async Task<DemoWorld> OpenAsync(string data, IServiceProvider services, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateDirectory(Path.Combine(data, "demo")).FullName;
        var file = Path.Combine(folder, "demo.json");
        if (File.Exists(file))
        {
            return JsonSerializer.Deserialize<DemoWorld>(await File.ReadAllTextAsync(file, cancellationToken).ConfigureAwait(false))!;
        }

        var world = await CreateAsync(folder, services, cancellationToken).ConfigureAwait(false);
        await WriteSecretAsync(file, JsonSerializer.Serialize(world), cancellationToken).ConfigureAwait(false);
        return world;
    }

    private static async Task<DemoWorld> CreateAsync(string folder, IServiceProvider services, CancellationToken cancellationToken)
    {
        var registrar = services.GetRequiredService<Registrar>();
        var keyFile = Path.Combine(folder, "ehr-key.pem");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        await WriteSecretAsync(keyFile, key.ExportPkcs8PrivateKeyPem(), cancellationToken).ConfigureAwait(false);
        var client = (await registrar.AddClientAsync("demo EHR", ClientKeyFile.PublicSet(key), Scopes, cancellationToken).ConfigureAwait(false)).Require();
        (await registrar.AddVendorAsync("demo", null, cancellationToken).ConfigureAwait(false)).Require();
        var patients = new List<DemoPatient>();
        foreach (var person in People)
        {
            patients.Add(await AddPatientAsync(person, services, registrar, cancellationToken).ConfigureAwait(false));
        }

        return new DemoWorld(client.ClientId, keyFile, patients);
    }

    private static async Task<DemoPatient> AddPatientAsync((string Given, string Family, string BirthDate, string Gender) person, IServiceProvider services, Registrar registrar, CancellationToken cancellationToken)
    {
        var resource = JsonSerializer.SerializeToUtf8Bytes(new
        {
            resourceType = "Patient",
            name = new[] { new { family = person.Family, given = new[] { person.Given } } },
            gender = person.Gender,
            birthDate = person.BirthDate,
        });
        var writer = services.GetRequiredService<ResourceWriter>();
        var created = (WriteResult.Created)await writer.WriteAsync(new WriteRequest.Create("Patient", JsonTree.Parse(resource).Require(), IfNoneExist: null), AccessScope.Server, cancellationToken).ConfigureAwait(false);
        var devices = new List<DemoDevice>();
        foreach (var (kind, mapping) in Kinds)
        {
            var identifier = $"{person.Given.ToLowerInvariant()}-{kind}";
            var added = await registrar.AddDeviceAsync(new NewDevice("urn:fhiriomt:demo", identifier, "demo", created.Resource.Id, null, mapping), cancellationToken).ConfigureAwait(false);
            devices.Add(new DemoDevice(kind, identifier, added.Require().Secret, mapping));
        }

        return new DemoPatient(created.Resource.Id, $"{person.Given} {person.Family}", devices);
    }

    // Keys and credentials of the demo: readable by the owner only, even though they are for trying out.
    private static async Task WriteSecretAsync(string file, string text, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        var writer = new StreamWriter(file, options);
        await using (writer.ConfigureAwait(false))
        {
            await writer.WriteAsync(text.AsMemory(), cancellationToken).ConfigureAwait(false);
        }
    }
}
