using System.Security.Cryptography;
using System.Text;

namespace FhirIomt.Storage.Sql;

/// <summary>
/// A text that is only ever compared whole (code, uri, identifier), as an index holds it. Most are short; a long one is its beginning and the hash of all of it,
/// which finds the same ones: PostgreSQL has no room for more in an index, and nobody searches by reading 2,000 characters.
/// </summary>
internal static class ExactText
{
    /// <summary>As many as <c>PostgresText.HeadLength</c>: 600 characters take at most 1,800 bytes of the 2,704 there are.</summary>
    private const int MaxLength = 600;

    private const int KeptLength = 500;

    public static string Of(string text) => text.Length <= MaxLength
        ? text
        : string.Concat(text.AsSpan(0, KeptLength), "\u0001", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))));
}
