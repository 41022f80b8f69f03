using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping;
using FhirIomt.Mapping.Measurements;
using FhirIomt.Repository;
using FhirIomt.Storage;

namespace FhirIomt.Server.Devices;

/// <summary>What to do with a device or patient that is not known.</summary>
internal enum IdentityMode
{
    /// <summary>Quarantine the message.</summary>
    Lookup,

    /// <summary>Create it from the ids that the mapping extracts; for vendor credentials only.</summary>
    Create,

    /// <summary>As lookup, and every message names the encounter it belongs to.</summary>
    LookupWithEncounter,

    /// <summary>As Lookup; and where the message names a patient, it must be the one that the device is assigned to. Senders that may name patients need no assignment.</summary>
    Message,
}

/// <summary>The identity modes as requests, commands and records name them.</summary>
internal static class IdentityModes
{
    public static IReadOnlyList<string> Names { get; } = ["lookup", "create", "lookup-with-encounter"];

    public static string NameOf(IdentityMode mode) => Names[(int)mode];

    /// <summary>An absent name is lookup; null for one that is none.</summary>
    public static IdentityMode? Parse(string? name) => name is null ? IdentityMode.Lookup : Names.Index().Where(known => known.Item == name).Select(known => (IdentityMode?)known.Index).SingleOrDefault();
}

/// <summary>A mapping as messages use it.</summary>
/// <param name="Version">Counts the uploads under that name from 1; 0 for one that comes with the server.</param>
internal sealed record ActiveMapping(string Name, long Version, IdentityMode Identity, IMessageMapper Set);

/// <summary>The mappings by name: uploaded ones, and under them those that come with the server. Every uploaded version is kept.</summary>
internal sealed class MappingCatalog(IStore store, ResourceRepository repository)
{
    /// <summary>Stands for the FHIR half of a mapping of our own, which is one text.</summary>
    public static readonly byte[] NoFhirMapping = "{\"templateType\":\"CollectionFhir\",\"template\":[]}"u8.ToArray();

    // A compiled mapping of twenty templates is about 50 kB.
    private const int MaxRemembered = 1000;

    /// <summary>Notifications of Bluetooth sensors, as they came.</summary>
    public const string Gatt = "gatt";

    /// <summary>Messages of HL7 version 2.</summary>
    public const string Hl7 = "hl7v2";

    private readonly GenerationCache<ActiveMapping> _compiled = new(store, MaxRemembered);

    public static bool IsName(string name) =>
        name.Length is > 0 and <= 64 && name.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.');

    public async ValueTask<ActiveMapping?> FindAsync(string name, CancellationToken cancellationToken)
    {
        var compiled = _compiled.Now();
        if (compiled.TryGet(name, out var known))
        {
            return known;
        }

        var record = await store.FindRecordAsync(RecordKind.Mapping, name, cancellationToken).ConfigureAwait(false);
        var mapping = record is null ? BuiltIn(name) : Compile(name, record);
        if (mapping is not null)
        {
            compiled.Remember(name, mapping);
        }

        return mapping;
    }

    /// <summary>Checks and stores a new version.</summary>
    public async Task<Outcome<ActiveMapping>> AddAsync(string name, ReadOnlyMemory<byte> device, ReadOnlyMemory<byte> fhir, IdentityMode identity, CancellationToken cancellationToken)
    {
        if (!IsName(name))
        {
            return DeviceIssues.BadMappingName(name);
        }

        (device, fhir) = (WithoutMark(device), WithoutMark(fhir));
        if (!MappingSet.Load(device, fhir).TryGetValue(out var set, out var issues))
        {
            return Outcome<ActiveMapping>.Refused(issues);
        }

        var faults = MappingSamples.Check(set, (reading, resource) => repository.PrepareReading(reading.ResourceType, resource).TryGetValue(out _, out var found) ? [] : found);
        if (faults.Count > 0)
        {
            return Outcome<ActiveMapping>.Refused(faults);
        }

        var operation = new AddVersion(name, device, fhir, identity);
        await store.WriteAsync([operation], cancellationToken).ConfigureAwait(false);
        return Outcome<ActiveMapping>.Success(new ActiveMapping(name, operation.Version, identity, set), issues);
    }

    // A file may begin with a byte order mark; inside the record it would be no JSON.
    private static ReadOnlyMemory<byte> WithoutMark(ReadOnlyMemory<byte> text) => text.Span.StartsWith("\uFEFF"u8) ? text[3..] : text;

    private static ActiveMapping? BuiltIn(string name) =>
        Decoder(name) is { } decoder ? new ActiveMapping(name, 0, IdentityMode.Message, decoder)
        : BuiltInMappings.All.FirstOrDefault(mapping => mapping.Name == name) is { } found ? new ActiveMapping(name, 0, IdentityMode.Lookup, found.Set) : null;

    // Formats that standards define down to the byte: there is nothing about them that anybody could map in another way.
    private static IMessageMapper? Decoder(string name) => name switch
    {
        Gatt => GattMapper.Instance,
        Hl7 => Hl7Mapper.Instance,
        _ => null,
    };

    private static ActiveMapping Compile(string name, StoredRecord record)
    {
        var root = JsonTree.Parse(record.Body).Require().Root;
        var identity = IdentityModes.Parse(root["identity"u8].AsString()) ?? IdentityMode.Lookup;
        var set = MappingSet.Load(root["device"u8].Raw, root["fhir"u8].Raw).Require();
        return new ActiveMapping(name, long.Parse(root["version"u8].AsText()!, System.Globalization.CultureInfo.InvariantCulture), identity, set);
    }

    private sealed class AddVersion(string name, ReadOnlyMemory<byte> device, ReadOnlyMemory<byte> fhir, IdentityMode identity) : WriteOperation
    {
        public long Version { get; private set; }

        public override void Run(IWriteTransaction transaction)
        {
            var before = transaction.FindRecord(RecordKind.Mapping, name);
            Version = 1 + (before is null ? 0 : long.Parse(JsonTree.Parse(before.Body).Require().Root["version"u8].AsText()!, System.Globalization.CultureInfo.InvariantCulture));
            using var stream = new MemoryStream();
            using (var writer = new Utf8JsonWriter(stream, JsonText.Options))
            {
                writer.WriteStartObject();
                writer.WriteNumber("version", Version);
                writer.WriteString("identity", IdentityModes.NameOf(identity));
                writer.WritePropertyName("device");
                writer.WriteRawValue(device.Span);
                writer.WritePropertyName("fhir");
                writer.WriteRawValue(fhir.Span);
                writer.WriteEndObject();
            }

            var body = stream.ToArray();
            transaction.PutRecord(new StoredRecord(RecordKind.Mapping, name, body));
            transaction.PutRecord(new StoredRecord(RecordKind.MappingVersion, $"{name}/{Version}", body));
        }
    }
}
