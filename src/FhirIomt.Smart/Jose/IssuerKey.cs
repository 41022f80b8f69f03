using System.Buffers.Text;
using System.Security.Cryptography;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Smart.Jose;

/// <summary>A public key of another issuer: RSA of 2048 bits or more, EC P-256 or P-384. What it verifies is decided by its own type, never by a token alone.</summary>
internal abstract class IssuerKey
{
    private IssuerKey(string kid, string? algorithm) => (Kid, Algorithm) = (kid, algorithm);

    public string Kid { get; }

    /// <summary>When the set says so: this one and no other.</summary>
    private string? Algorithm { get; }

    public bool IsFor(string algorithm) => (Algorithm is null || Algorithm == algorithm) && CanVerify(algorithm);

    public abstract bool Verifies(string algorithm, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature);

    protected abstract bool CanVerify(string algorithm);

    /// <summary>The usable keys; none when it is no set, or when a private or symmetric key is in it.</summary>
    public static IReadOnlyList<IssuerKey> ParseSet(ReadOnlyMemory<byte> json, int maxBytes)
    {
        if (!JsonTree.Parse(json, new JsonLimits(maxBytes, 16)).TryGetValue(out var tree, out _) || !tree.Root.IsObject || !tree.Root["keys"u8].IsArray)
        {
            return [];
        }

        var keys = new List<IssuerKey>();
        foreach (var key in tree.Root["keys"u8].Items)
        {
            if (key["d"u8].Exists || key["k"u8].Exists)
            {
                return [];
            }

            if (Parse(key) is { } parsed)
            {
                keys.Add(parsed);
            }
        }

        return keys;
    }

    private static IssuerKey? Parse(ResourceNode key)
    {
        if (key["kid"u8].AsString() is not { Length: > 0 } kid || key["use"u8].AsString() is not (null or "sig"))
        {
            return null;
        }

        var algorithm = key["alg"u8].AsString();
        try
        {
            switch (key["kty"u8].AsString())
            {
                case "RSA":
                    var rsa = RSA.Create(new RSAParameters { Modulus = Bytes(key["n"u8]), Exponent = Bytes(key["e"u8]) });
                    return rsa.KeySize >= 2048 ? new Rsa(kid, algorithm, rsa) : null;
                case "EC" when key["crv"u8].AsString() is "P-256" or "P-384":
                    var isShort = key["crv"u8].TextEquals("P-256"u8);
                    var point = new ECPoint { X = Bytes(key["x"u8]), Y = Bytes(key["y"u8]) };
                    return new Ec(kid, algorithm, ECDsa.Create(new ECParameters { Curve = isShort ? ECCurve.NamedCurves.nistP256 : ECCurve.NamedCurves.nistP384, Q = point }), isShort);
                default:
                    return null;
            }
        }
        catch (Exception exception) when (exception is CryptographicException or FormatException or ArgumentException)
        {
            return null;
        }
    }

    private static byte[] Bytes(ResourceNode text) => Base64Url.DecodeFromChars(text.AsString() ?? "");

    private sealed class Rsa(string kid, string? algorithm, RSA key) : IssuerKey(kid, algorithm)
    {
        protected override bool CanVerify(string algorithm) => algorithm is "RS256" or "RS384";

        public override bool Verifies(string algorithm, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature) =>
            IsFor(algorithm) && key.VerifyData(signed, signature, algorithm == "RS256" ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA384, RSASignaturePadding.Pkcs1);
    }

    private sealed class Ec(string kid, string? algorithm, ECDsa key, bool isShort) : IssuerKey(kid, algorithm)
    {
        protected override bool CanVerify(string algorithm) => algorithm == (isShort ? "ES256" : "ES384");

        // The fixed-width form only (RFC 7518 §3.4).
        public override bool Verifies(string algorithm, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature) =>
            IsFor(algorithm) && signature.Length == (isShort ? 64 : 96)
            && key.VerifyData(signed, signature, isShort ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA384, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }
}
