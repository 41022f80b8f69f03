using System.Security.Cryptography;

namespace FhirIomt.Smart.Passkeys;

/// <summary>The public key of a passkey: ES256 on P-256, or RS256 (RFC 9053, RFC 8812). Kept as SubjectPublicKeyInfo.</summary>
internal static class CredentialKey
{
    public const int Es256 = -7;
    public const int Rs256 = -257;

    private const int ShortestRsa = 2048;
    private const int LongestRsa = 4096;

    /// <summary>From a COSE_Key (RFC 9052 §7).</summary>
    /// <exception cref="FormatException">It is no key of these kinds.</exception>
    public static (int Algorithm, byte[] Key) Read(IReadOnlyDictionary<object, object?> cose)
    {
        try
        {
            return (Number(cose, 1), Number(cose, 3)) switch
            {
                (2, Es256) when Number(cose, -1) == 1 => (Es256, Ec(Bytes(cose, -2, 32), Bytes(cose, -3, 32))),
                (3, Rs256) => (Rs256, Rsa(Bytes(cose, -1, null), Bytes(cose, -2, null))),
                _ => throw new FormatException("The key is neither ES256 nor RS256."),
            };
        }
        catch (CryptographicException exception)
        {
            // A point that is not on the curve, a modulus of nothing.
            throw new FormatException("The key is none.", exception);
        }
    }

    public static bool Verify(int algorithm, byte[] key, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
    {
        if (algorithm == Es256)
        {
            using var ec = ECDsa.Create();
            ec.ImportSubjectPublicKeyInfo(key, out _);
            return ec.VerifyData(signed, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        }

        using var rsa = RSA.Create();
        rsa.ImportSubjectPublicKeyInfo(key, out _);
        return rsa.VerifyData(signed, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }

    private static byte[] Ec(byte[] x, byte[] y)
    {
        using var key = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y } });
        return key.ExportSubjectPublicKeyInfo();
    }

    private static byte[] Rsa(byte[] modulus, byte[] exponent)
    {
        using var key = RSA.Create(new RSAParameters { Modulus = modulus, Exponent = exponent });
        return key.KeySize is >= ShortestRsa and <= LongestRsa ? key.ExportSubjectPublicKeyInfo() : throw new FormatException("The RSA key is too short or too long.");
    }

    private static int Number(IReadOnlyDictionary<object, object?> cose, long label) => cose.GetValueOrDefault(label) is long and >= int.MinValue and <= int.MaxValue and var value ? (int)value : 0;

    private static byte[] Bytes(IReadOnlyDictionary<object, object?> cose, long label, int? length) =>
        cose.GetValueOrDefault(label) is byte[] bytes && (length is null || bytes.Length == length) ? bytes : throw new FormatException("The key lacks a part.");
}
