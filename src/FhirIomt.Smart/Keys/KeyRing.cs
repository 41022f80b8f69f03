using System.Buffers.Text;
using System.Security.Cryptography;

namespace FhirIomt.Smart.Keys;

/// <summary>The keys that sign id tokens, newest first: the first signs, the others are published until what they signed is over.</summary>
internal sealed record KeyRing(IReadOnlyList<StoredKey> Keys);

/// <param name="Pkcs8">The private key; encrypted when <paramref name="IsEncrypted"/>.</param>
/// <param name="Retired">When another took its place.</param>
internal sealed record StoredKey(string Kid, DateTimeOffset Created, string Pkcs8, bool IsEncrypted, DateTimeOffset? Retired = null);

/// <summary>AES-256-GCM under the configured key; the kid is bound in, so that keys cannot be exchanged in the store.</summary>
internal sealed class KeyProtection(SmartOptions options)
{
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    private readonly byte[]? _key = string.IsNullOrEmpty(options.KeyEncryptionKey) ? null : Convert.FromBase64String(options.KeyEncryptionKey);

    public StoredKey Protect(string kid, DateTimeOffset created, byte[] pkcs8)
    {
        if (_key is null)
        {
            return new StoredKey(kid, created, Base64Url.EncodeToString(pkcs8), IsEncrypted: false);
        }

        var sealedKey = new byte[NonceBytes + pkcs8.Length + TagBytes];
        RandomNumberGenerator.Fill(sealedKey.AsSpan(0, NonceBytes));
        using var aes = new AesGcm(_key, TagBytes);
        aes.Encrypt(sealedKey.AsSpan(0, NonceBytes), pkcs8, sealedKey.AsSpan(NonceBytes, pkcs8.Length), sealedKey.AsSpan(NonceBytes + pkcs8.Length), System.Text.Encoding.UTF8.GetBytes(kid));
        return new StoredKey(kid, created, Base64Url.EncodeToString(sealedKey), IsEncrypted: true);
    }

    /// <exception cref="Storage.StoreUnusableException">It is encrypted with another key.</exception>
    public byte[] Open(StoredKey key)
    {
        var bytes = Base64Url.DecodeFromChars(key.Pkcs8);
        if (!key.IsEncrypted)
        {
            return bytes;
        }

        var pkcs8 = new byte[bytes.Length - NonceBytes - TagBytes];
        try
        {
            using var aes = new AesGcm(_key ?? new byte[32], TagBytes);
            aes.Decrypt(bytes.AsSpan(0, NonceBytes), bytes.AsSpan(NonceBytes, pkcs8.Length), bytes.AsSpan(NonceBytes + pkcs8.Length), pkcs8, System.Text.Encoding.UTF8.GetBytes(key.Kid));
            return pkcs8;
        }
        catch (CryptographicException)
        {
            var issue = SmartIssues.KeyRingUnreadable();
            throw new Storage.StoreUnusableException($"{issue.Code}: {issue.Message} {issue.Fix}");
        }
    }
}
