using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace FhirIomt.Smart.Passkeys;

/// <summary>Whom passkeys are for: this server, by the address that people know it by (WebAuthn Level 2 §4, §5.1).</summary>
internal sealed class RelyingParty(ServerAddress address)
{
    private readonly Uri _root = new(address.Root);

    public string Id => _root.Host;

    public string Origin => _root.GetLeftPart(UriPartial.Authority);

    /// <summary>Browsers know passkeys of names only, over https or on the person's own machine.</summary>
    public bool IsOffered => _root.HostNameType == UriHostNameType.Dns && (_root.Scheme == Uri.UriSchemeHttps || _root.Host == "localhost");
}

/// <summary>Why what an authenticator sent is not taken: for the audit, and never for whoever sent it.</summary>
internal enum PasskeyFault
{
    None,
    Unreadable,
    WrongType,
    WrongChallenge,
    WrongOrigin,
    WrongParty,
    NotPresent,
    NotVerified,
    WrongAttestation,
    WrongKey,
    Known,
    UnknownCredential,
    WrongUser,
    WrongSignature,
    Cloned,
}

/// <summary>What an authenticator says of one use (WebAuthn Level 2 §6.1).</summary>
internal readonly ref struct AuthenticatorData
{
    private const byte Present = 0x01;
    private const byte Verified = 0x04;
    private const byte Attested = 0x40;
    private const int HeadLength = 37;

    private readonly ReadOnlySpan<byte> _bytes;

    public AuthenticatorData(ReadOnlySpan<byte> bytes) => _bytes = bytes.Length >= HeadLength ? bytes : throw new FormatException("The authenticator data is too short.");

    public uint Counter => BinaryPrimitives.ReadUInt32BigEndian(_bytes[33..]);

    public PasskeyFault Check(RelyingParty party) =>
        !CryptographicOperations.FixedTimeEquals(_bytes[..32], SHA256.HashData(Encoding.UTF8.GetBytes(party.Id))) ? PasskeyFault.WrongParty
        : (_bytes[32] & Present) == 0 ? PasskeyFault.NotPresent
        : (_bytes[32] & Verified) == 0 ? PasskeyFault.NotVerified
        : PasskeyFault.None;

    /// <summary>The new credential: 16 bytes of kind, a length, the id, the key.</summary>
    public (byte[] Id, int Algorithm, byte[] Key) Credential()
    {
        if ((_bytes[32] & Attested) == 0 || _bytes.Length < HeadLength + 18)
        {
            throw new FormatException("The authenticator data has no credential.");
        }

        var length = BinaryPrimitives.ReadUInt16BigEndian(_bytes[53..]);
        if (length is 0 or > 1023 || _bytes.Length < 55 + length)
        {
            throw new FormatException("The credential's id is too long.");
        }

        var (algorithm, key) = CredentialKey.Read(CborReader.Read(_bytes[(55 + length)..], out _) as Dictionary<object, object?> ?? throw new FormatException("The key is no map."));
        return (_bytes.Slice(55, length).ToArray(), algorithm, key);
    }
}

/// <summary>What the browser says it did (WebAuthn Level 2 §5.8.1).</summary>
/// <param name="Challenge">As text, base64url.</param>
internal sealed record ClientData(string Type, string Challenge, string Origin, bool IsCrossOrigin, byte[] Bytes)
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 4, AllowDuplicateProperties = false };

    public byte[] Hash => SHA256.HashData(Bytes);

    public static ClientData Read(byte[] bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes, Strict);
            var root = document.RootElement;
            return new ClientData(Text(root, "type"), Text(root, "challenge"), Text(root, "origin"), root.TryGetProperty("crossOrigin", out var cross) && cross.ValueKind == JsonValueKind.True, bytes);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new FormatException("The client data cannot be read.", exception);
        }
    }

    public PasskeyFault Check(string type, RelyingParty party) =>
        Type != type ? PasskeyFault.WrongType
        : Origin != party.Origin || IsCrossOrigin ? PasskeyFault.WrongOrigin
        : PasskeyFault.None;

    private static string Text(JsonElement root, string name) => root.GetProperty(name).GetString() ?? "";
}

/// <summary>What a form of a ceremony brings, each as base64url.</summary>
internal static class CeremonyField
{
    // The longest is an attestation object with an RSA key: about 700 bytes.
    private const int Longest = 8192;

    /// <exception cref="FormatException">It is not there, or no base64url.</exception>
    public static byte[] Of(Microsoft.AspNetCore.Http.IFormCollection fields, string name) =>
        fields[name] is [{ Length: > 0 and <= Longest } text] ? Base64Url.DecodeFromChars(text) : throw new FormatException($"{name} is missing.");
}
