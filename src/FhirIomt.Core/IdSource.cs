using System.Buffers.Text;
using System.Security.Cryptography;

namespace FhirIomt.Core;

/// <summary>Where new ids and secrets come from; injected so that a test can replay.</summary>
public abstract class IdSource
{
    /// <summary>The operating system's secure random numbers.</summary>
    public static IdSource Random { get; } = new RandomIds();

    /// <summary>
    /// A new FHIR logical id: 26 lower-case characters, valid as <c>[A-Za-z0-9\-\.]{1,64}</c>, of which the first ten are the millisecond and the others 80 random bits. Ids of one time stand
    /// side by side in an index, so that a commit of many writes few of its pages (docs/adr/0023). Not a secret: when a resource was made its <c>lastUpdated</c> says too.
    /// </summary>
    public abstract string NewId();

    /// <summary>A new secret of 256 random bits, base64url without padding (43 characters).</summary>
    public abstract string NewSecret();

    private sealed class RandomIds : IdSource
    {
        private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

        private const int TimeLength = 10;
        private const int RandomLength = 16;

        public override string NewId() => string.Create(TimeLength + RandomLength, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), static (id, time) =>
        {
            for (var place = TimeLength - 1; place >= 0; place--, time >>= 5)
            {
                id[place] = Alphabet[(int)(time & 31)];
            }

            RandomNumberGenerator.GetItems(Alphabet, id[TimeLength..]);
        });

        public override string NewSecret() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
    }
}
