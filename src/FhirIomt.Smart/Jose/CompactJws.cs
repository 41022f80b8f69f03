using System.Buffers.Text;
using System.Text;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Smart.Jose;

/// <summary>A compact JWS taken apart, nothing in it believed yet (RFC 7515 §7.1). Exactly three base64url parts without padding; header and payload are objects.</summary>
internal sealed record CompactJws(ResourceNode Header, ResourceNode Payload, byte[] Signed, byte[] Signature)
{
    // A client assertion with an RSA-4096 signature is about 1.2 kB.
    private const int MaxLength = 8192;

    public static CompactJws? TryParse(string text)
    {
        var parts = text.Split('.');
        if (text.Length > MaxLength || parts.Length != 3 || !Array.TrueForAll(parts, IsBase64Url))
        {
            return null;
        }

        try
        {
            return Object(parts[0]) is { } header && Object(parts[1]) is { } payload
                ? new CompactJws(header, payload, Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]))
                : null;
        }
        catch (FormatException)
        {
            // The last character of a part has bits that belong to no byte.
            return null;
        }
    }

    private static bool IsBase64Url(string part) =>
        part.Length > 0 && part.Length % 4 != 1 && part.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_');

    private static ResourceNode? Object(string part) =>
        JsonTree.Parse(Base64Url.DecodeFromChars(part), new JsonLimits(MaxLength, 16)).TryGetValue(out var tree, out _) && tree.Root.IsObject ? tree.Root : null;
}
