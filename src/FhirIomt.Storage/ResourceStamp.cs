using System.Buffers;
using System.Globalization;
using System.Text;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Storage;

/// <summary>
/// Puts id, <c>meta.versionId</c> and <c>meta.lastUpdated</c> into a resource by splicing its bytes: everything else stays as it came in,
/// white space and number texts included, so a read is a copy.
/// </summary>
internal static class ResourceStamp
{
    public static byte[] Apply(JsonTree tree, string id, long version, DateTimeOffset lastUpdated)
    {
        var root = tree.Root;
        var source = tree.Utf8.Span;
        var meta = MetaText(root["meta"u8], version, lastUpdated);
        var output = new ArrayBufferWriter<byte>(source.Length + meta.Length + id.Length + 32);
        var idNode = root["id"u8];
        var metaNode = root["meta"u8];
        var afterType = root["resourceType"u8].Start + root["resourceType"u8].Length;

        // Splices in the order of their place in the text: (offset, bytes to drop, text to put there).
        Span<Splice> splices =
        [
            idNode.Exists ? new(idNode.Start, idNode.Length, $"\"{id}\"") : new(afterType, 0, $",\"id\":\"{id}\""),
            metaNode.Exists ? new(metaNode.Start, metaNode.Length, meta) : new(idNode.Exists ? idNode.Start + idNode.Length : afterType, 0, $",\"meta\":{meta}"),
        ];
        if (splices[1].Offset < splices[0].Offset)
        {
            (splices[0], splices[1]) = (splices[1], splices[0]);
        }

        var copied = 0;
        foreach (var splice in splices)
        {
            output.Write(source[copied..splice.Offset]);
            Encoding.UTF8.GetBytes(splice.Text, output);
            copied = splice.Offset + splice.Dropped;
        }

        output.Write(source[copied..]);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>FHIR instant with milliseconds, UTC.</summary>
    public static string Instant(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static string MetaText(ResourceNode meta, long version, DateTimeOffset lastUpdated)
    {
        var text = new StringBuilder(128);
        text.Append(CultureInfo.InvariantCulture, $"{{\"versionId\":\"{version}\",\"lastUpdated\":\"{Instant(lastUpdated)}\"");
        foreach (var member in meta.Children)
        {
            if (member.NameSpan.SequenceEqual("versionId"u8) || member.NameSpan.SequenceEqual("lastUpdated"u8))
            {
                continue;
            }

            text.Append(",\"").Append(member.Name).Append("\":").Append(member.ToString());
        }

        return text.Append('}').ToString();
    }

    private readonly record struct Splice(int Offset, int Dropped, string Text);
}
