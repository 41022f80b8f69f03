using System.Buffers.Text;
using System.Security.Cryptography;

namespace FhirIomt.Core;

/// <summary>Where new ids and secrets come from; injected so that a test can replay.</summary>
public abstract class IdSource
{
    /// <summary>The operating system's secure random numbers.</summary>
    public static IdSource Random { get; } = new RandomIds();

    /// <summary>A new FHIR logical id: 26 lower-case characters, 130 random bits, valid as <c>[A-Za-z0-9\-\.]{1,64}</c>.</summary>
    public abstract string NewId();

    /// <summary>A new secret of 256 random bits, base64url without padding (43 characters).</summary>
    public abstract string NewSecret();

    private sealed class RandomIds : IdSource
    {
        private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

        public override string NewId() => RandomNumberGenerator.GetString(Alphabet, 26);

        public override string NewSecret() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
    }
}
