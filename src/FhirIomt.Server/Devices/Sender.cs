using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using FhirIomt.Api.Http;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Storage;

namespace FhirIomt.Server.Devices;

/// <summary>Who sends readings, known from the credential and never from the payload. A closed set.</summary>
/// <param name="Id">For receipts and quarantine: whose message it was.</param>
/// <param name="DefaultMapping">Used when the request names none.</param>
internal abstract record Sender(string Id, string? DefaultMapping)
{
    /// <summary>Sends for itself only.</summary>
    public sealed record Device(string DeviceId, string? DefaultMapping) : Sender($"device/{DeviceId}", DefaultMapping);

    /// <summary>Sends for the devices that it owns.</summary>
    /// <param name="PatientSystem">A gateway of the house: whom its messages name by an identifier of that system, their readings are of, without an assignment of the device.</param>
    public sealed record Vendor(string Name, string? DefaultMapping, string? PatientSystem = null) : Sender($"vendor/{Name}", DefaultMapping);
}

/// <summary>Credentials of devices and vendors: 256-bit secrets, stored as hashes, and for devices certificates by their SHA-256 thumbprint.</summary>
internal sealed class SenderCredentials(IStore store, IdSource ids, TimeProvider time)
{
    // One entry is about 200 bytes.
    private const int MaxRemembered = 100_000;

    private readonly GenerationCache<Sender> _senders = new(store, MaxRemembered);
    private readonly GenerationCache<Sender> _certificates = new(store, MaxRemembered);

    /// <summary>A new secret and the record that makes it valid once it is stored.</summary>
    public (string Secret, StoredRecord Record) Issue(Sender sender)
    {
        var secret = ids.NewSecret();
        return (secret, new StoredRecord(RecordKind.Credential, Hash(secret), Body(sender)));
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

        var sender = Read(record);
        remembered.Remember(secret, sender);
        return sender;
    }

    /// <summary>Who sends this request: by the secret in its header, or else by the certificate of its own connection (mTLS); what a header says of a certificate counts for nothing.</summary>
    public async ValueTask<Sender?> OfAsync(HttpContext context)
    {
        if (context.Request.Headers.Authorization.Count > 0)
        {
            return BearerToken.Of(context.Request) is { } secret ? await FindAsync(secret, context.RequestAborted).ConfigureAwait(false) : null;
        }

        return context.Connection.ClientCertificate is { } certificate ? await FindAsync(certificate, context.RequestAborted).ConfigureAwait(false) : null;
    }

    /// <summary>The record that lets a device send with this certificate once it is stored.</summary>
    public static StoredRecord Register(X509Certificate2 certificate, Sender.Device device) =>
        new(RecordKind.Credential, CertificateId(certificate), Body(device));

    // A certificate of another authority with the same name is another certificate: only the registered one counts, and only while it is valid.
    public async ValueTask<Sender?> FindAsync(X509Certificate2 certificate, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().UtcDateTime;
        if (certificate.NotBefore.ToUniversalTime() > now || certificate.NotAfter.ToUniversalTime() <= now)
        {
            return null;
        }

        var id = CertificateId(certificate);
        var remembered = _certificates.Now();
        if (!remembered.TryGet(id, out var sender) && await store.FindRecordAsync(RecordKind.Credential, id, cancellationToken).ConfigureAwait(false) is { } record)
        {
            remembered.Remember(id, sender = Read(record));
        }

        return sender;
    }

    // Hashes of secrets have no prefix: a thumbprint, which is no secret, is never found as one.
    private static string CertificateId(X509Certificate2 certificate) => "x5t-" + Convert.ToHexStringLower(certificate.GetCertHash(HashAlgorithmName.SHA256));

    private static byte[] Body(Sender sender) => JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string?>(StringComparer.Ordinal)
    {
        ["device"] = (sender as Sender.Device)?.DeviceId,
        ["vendor"] = (sender as Sender.Vendor)?.Name,
        ["mapping"] = sender.DefaultMapping,
        ["patientSystem"] = (sender as Sender.Vendor)?.PatientSystem,
    });

    private static Sender Read(StoredRecord record)
    {
        var root = JsonTree.Parse(record.Body).Require().Root;
        var mapping = root["mapping"u8].AsString();
        return root["device"u8].AsString() is { } device ? new Sender.Device(device, mapping) : new Sender.Vendor(root["vendor"u8].AsString()!, mapping, root["patientSystem"u8].AsString());
    }

    private static string Hash(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
}
