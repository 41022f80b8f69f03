using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Storage;

namespace FhirIomt.Smart.Keys;

/// <summary>What a list of keys shows.</summary>
/// <param name="Retired">When another took its place; null for the one that signs.</param>
public sealed record KeyEntry(string Kid, DateTimeOffset Created, DateTimeOffset? Retired, bool IsEncrypted);

/// <summary>The RS256 keys of the issuer: made at first use, kept in the store, shared by all nodes.</summary>
public sealed class IssuerKeys
{
    // RS256 with 2048 bits is what every OpenID Connect client verifies.
    private const int KeyBits = 2048;
    private const string RecordId = "issuer";

    /// <summary>Twice the life of an id token.</summary>
    private static readonly TimeSpan PublishedAfterwards = TimeSpan.FromHours(2);

    private readonly IStore _store;
    private readonly KeyProtection _protection;
    private readonly IdSource _ids;
    private readonly TimeProvider _time;
    private readonly GenerationCache<Opened> _opened;

    public IssuerKeys(IStore store, SmartOptions options, IdSource ids, TimeProvider time)
    {
        _store = store;
        _protection = new KeyProtection(options);
        _ids = ids;
        _time = time;
        _opened = new GenerationCache<Opened>(store, capacity: 1);
    }

    public async ValueTask<IReadOnlyList<KeyEntry>> ListAsync(CancellationToken cancellationToken) =>
        await _store.FindRecordAsync(RecordKind.SigningKeys, RecordId, cancellationToken).ConfigureAwait(false) is { } record
            ? [.. Published(record).Select(key => new KeyEntry(key.Kid, key.Created, key.Retired, key.IsEncrypted))]
            : [];

    /// <summary>A new key signs from now on; answers its kid.</summary>
    public async Task<string> RotateAsync(CancellationToken cancellationToken)
    {
        var key = NewKey();
        await _store.WriteAsync([new Update(RecordKind.SigningKeys, RecordId, record => Ring([key, .. record is null ? [] : Published(record).Select(Retire)]))], cancellationToken).ConfigureAwait(false);
        return key.Kid;
    }

    /// <summary>A compact JWS of these claims with the key of the moment.</summary>
    internal async ValueTask<string> SignAsync(ReadOnlyMemory<byte> claims, CancellationToken cancellationToken)
    {
        var (kid, key) = (await OpenAsync(cancellationToken).ConfigureAwait(false)).Keys[0];
        var signed = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes($$"""{"alg":"RS256","typ":"JWT","kid":"{{kid}}"}"""))}.{Base64Url.EncodeToString(claims.Span)}";
        return $"{signed}.{Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
    }

    /// <summary>The public keys as a JWK Set.</summary>
    internal async ValueTask<byte[]> PublicSetAsync(CancellationToken cancellationToken)
    {
        var opened = await OpenAsync(cancellationToken).ConfigureAwait(false);
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("keys");
            foreach (var (kid, key) in opened.Keys)
            {
                var parameters = key.ExportParameters(includePrivateParameters: false);
                writer.WriteStartObject();
                writer.WriteString("kty", "RSA");
                writer.WriteString("use", "sig");
                writer.WriteString("alg", "RS256");
                writer.WriteString("kid", kid);
                writer.WriteString("n", Base64Url.EncodeToString(parameters.Modulus));
                writer.WriteString("e", Base64Url.EncodeToString(parameters.Exponent));
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return stream.ToArray();
    }

    private async ValueTask<Opened> OpenAsync(CancellationToken cancellationToken)
    {
        var remembered = _opened.Now();
        if (remembered.TryGet(RecordId, out var opened))
        {
            return opened;
        }

        var record = await _store.FindRecordAsync(RecordKind.SigningKeys, RecordId, cancellationToken).ConfigureAwait(false) ?? await CreateAsync(cancellationToken).ConfigureAwait(false);
        opened = new Opened([.. Published(record).Select(Open)]);
        remembered.Remember(RecordId, opened);
        return opened;
    }

    // Of two nodes that start together one makes the key, and both use it.
    private async Task<StoredRecord> CreateAsync(CancellationToken cancellationToken)
    {
        var made = Ring([NewKey()]);
        await _store.WriteAsync([new Update(RecordKind.SigningKeys, RecordId, existing => existing is null ? made : null)], cancellationToken).ConfigureAwait(false);
        return (await _store.FindRecordAsync(RecordKind.SigningKeys, RecordId, cancellationToken).ConfigureAwait(false))!;
    }

    private StoredKey NewKey()
    {
        using var key = RSA.Create(KeyBits);
        return _protection.Protect(_ids.NewId(), _time.GetUtcNow(), key.ExportPkcs8PrivateKey());
    }

    private (string Kid, RSA Key) Open(StoredKey stored)
    {
        var key = RSA.Create();
        key.ImportPkcs8PrivateKey(_protection.Open(stored), out _);
        return (stored.Kid, key);
    }

    private StoredKey Retire(StoredKey key) => key.Retired is null ? key with { Retired = _time.GetUtcNow() } : key;

    private IEnumerable<StoredKey> Published(StoredRecord record) =>
        Records.Read(record, Records.Default.KeyRing).Keys.Where(key => key.Retired is null || key.Retired + PublishedAfterwards > _time.GetUtcNow());

    private static StoredRecord Ring(IReadOnlyList<StoredKey> keys) => Records.Of(RecordKind.SigningKeys, RecordId, new KeyRing(keys), Records.Default.KeyRing);

    private sealed record Opened(IReadOnlyList<(string Kid, RSA Key)> Keys);
}
