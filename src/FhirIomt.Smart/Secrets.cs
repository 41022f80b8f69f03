using System.Security.Cryptography;
using System.Text;

namespace FhirIomt.Smart;

/// <summary>Secrets of 256 random bits are kept as SHA-256: nothing shorter to guess is ever stored this way (passwords are not).</summary>
internal static class Secrets
{
    public static string Hash(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    /// <summary>In a time that does not depend on where they differ.</summary>
    public static bool Same(string left, string right) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(left), Encoding.UTF8.GetBytes(right));
}
