using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Storage;

namespace FhirIomt.Server.Devices;

/// <summary>Who sends readings, known from the credential and never from the payload. A closed set.</summary>
/// <param name="DefaultMapping">Used when the request names none.</param>
internal abstract record Sender(string? DefaultMapping)
{
    /// <summary>Sends for itself only.</summary>
    public sealed record Device(string DeviceId, string? DefaultMapping) : Sender(DefaultMapping);

    /// <summary>Sends for the devices that it owns.</summary>
    public sealed record Vendor(string Name, string? DefaultMapping) : Sender(DefaultMapping);

    /// <summary>For receipts and quarantine: whose message it was.</summary>
    public string Id => this switch
    {
        Device device => $"device/{device.DeviceId}",
        Vendor vendor => $"vendor/{vendor.Name}",
        _ => throw new InvalidOperationException("Sender is a closed set."),
    };
}

/// <summary>Credentials of devices and vendors: 256-bit secrets, stored as hashes.</summary>
internal sealed class SenderCredentials(IStore store, IdSource ids)
{
    // One entry is about 200 bytes.
    private const int MaxRemembered = 100_000;

    private readonly GenerationCache<Sender> _senders = new(store, MaxRemembered);

    /// <summary>A new secret and the record that makes it valid once it is stored.</summary>
    public (string Secret, StoredRecord Record) Issue(Sender sender)
    {
        var secret = ids.NewSecret();
        var body = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["device"] = (sender as Sender.Device)?.DeviceId,
            ["vendor"] = (sender as Sender.Vendor)?.Name,
            ["mapping"] = sender.DefaultMapping,
        };
        return (secret, new StoredRecord(RecordKind.Credential, Hash(secret), JsonSerializer.SerializeToUtf8Bytes(body)));
    }

    public async ValueTask<Sender?> FindAsync(string secret, CancellationToken cancellationToken)
    {
        var remembered = _senders.Now();
        if (remembered.TryGet(secret, out var known))
        {
            return known;
        }

        var record = await store.FindRecordAsync(RecordKind.Credential, Hash(secret), cancellationToken).ConfigureAwait(false);
        if (record is null)
        {
            return null;
        }

        var root = JsonTree.Parse(record.Body).Require().Root;
        var mapping = root["mapping"u8].AsString();
        Sender sender = root["device"u8].AsString() is { } device ? new Sender.Device(device, mapping) : new Sender.Vendor(root["vendor"u8].AsString()!, mapping);
        remembered.Remember(secret, sender);
        return sender;
    }

    private static string Hash(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
}
