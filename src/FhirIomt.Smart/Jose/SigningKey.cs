using System.Buffers.Text;
using System.Security.Cryptography;
using FhirIomt.Core;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Smart.Jose;

/// <summary>
/// A public key from a JWK Set that may sign client assertions: RSA of at least 2048 bits for RS384, EC P-384 for ES384 (SMART App Launch 2.2, "Asymmetric").
/// Nothing else is accepted, whatever a token's header says.
/// </summary>
internal abstract class SigningKey
{
    private SigningKey(string kid) => Kid = kid;

    public string Kid { get; }

    public abstract string Algorithm { get; }

    public abstract bool Verifies(ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature);

    /// <summary>The usable keys of a set; a private key in it refuses the whole set, because it is no secret any more.</summary>
    public static Outcome<IReadOnlyList<SigningKey>> ParseSet(ReadOnlyMemory<byte> json)
    {
        if (!JsonTree.Parse(json, new JsonLimits(256 * 1024, 16)).TryGetValue(out var tree, out var issues))
        {
            return Outcome<IReadOnlyList<SigningKey>>.Refused(issues);
        }

        var keys = new List<SigningKey>();
        foreach (var key in tree.Root["keys"u8].Items)
        {
            if (key["d"u8].Exists || key["k"u8].Exists)
            {
                return SmartIssues.PrivateKeyInSet();
            }

            if (Parse(key) is { } parsed)
            {
                keys.Add(parsed);
            }
        }

        return keys.Count == 0 || !tree.Root["keys"u8].IsArray ? SmartIssues.NoUsableKey() : keys;
    }

    private static SigningKey? Parse(ResourceNode key)
    {
        var use = key["use"u8].AsString();
        if (key["kid"u8].AsString() is not { Length: > 0 } kid || use is not (null or "sig"))
        {
            return null;
        }

        try
        {
            return key["kty"u8].AsString() switch
            {
                "RSA" => ParseRsa(kid, Bytes(key["n"u8]), Bytes(key["e"u8])),
                "EC" when key["crv"u8].TextEquals("P-384"u8) => ParseEc(kid, Bytes(key["x"u8]), Bytes(key["y"u8])),
                _ => null,
            };
        }
        catch (Exception exception) when (exception is CryptographicException or FormatException or ArgumentException)
        {
            return null;
        }
    }

    private static Rsa? ParseRsa(string kid, byte[] modulus, byte[] exponent)
    {
        if (modulus.Length == 0 || exponent.Length == 0)
        {
            return null;
        }

        var key = RSA.Create(new RSAParameters { Modulus = modulus, Exponent = exponent });
        return key.KeySize >= 2048 ? new Rsa(kid, key) : null;
    }

    private static Ec? ParseEc(string kid, byte[] x, byte[] y) => x.Length == 48 && y.Length == 48
        ? new Ec(kid, ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP384, Q = new ECPoint { X = x, Y = y } }))
        : null;

    private static byte[] Bytes(ResourceNode text) => Base64Url.DecodeFromChars(text.AsString() ?? "");

    private sealed class Rsa(string kid, RSA key) : SigningKey(kid)
    {
        public override string Algorithm => "RS384";

        public override bool Verifies(ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature) =>
            key.VerifyData(signed, signature, HashAlgorithmName.SHA384, RSASignaturePadding.Pkcs1);
    }

    private sealed class Ec(string kid, ECDsa key) : SigningKey(kid)
    {
        public override string Algorithm => "ES384";

        // The fixed-width form only: a DER signature has another length and is no JWS signature (RFC 7518 §3.4).
        public override bool Verifies(ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature) =>
            signature.Length == 96 && key.VerifyData(signed, signature, HashAlgorithmName.SHA384, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }
}
