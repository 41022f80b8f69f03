using System.Buffers.Text;
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
    // ,"id":"" and ,"meta":{"versionId":"","lastUpdated":"2026-11-22T19:00:00.000Z"} without the id and with the longest version.
    private const int LongestAdded = 8 + 8 + 57 + 20;

    public static ReadOnlyMemory<byte> Apply(JsonTree tree, string id, long version, DateTimeOffset lastUpdated)
    {
        var root = tree.Root;
        var source = tree.Utf8.Span;
        var (type, idNode, meta) = (root["resourceType"u8], root["id"u8], root["meta"u8]);
        var afterType = type.Start + type.Length;
        var output = new Output(new byte[source.Length + Encoding.UTF8.GetByteCount(id) + LongestAdded]);

        // What is there already keeps its place; what is not stands behind the type, the id before the meta.
        if (meta.Exists && meta.Start < (idNode.Exists ? idNode.Start : afterType))
        {
            output.Add(source[..meta.Start]);
            AddMeta(ref output, meta, version, lastUpdated);
            AddId(ref output, source, meta.Start + meta.Length, idNode, afterType, id);
            output.Add(source[(idNode.Exists ? idNode.Start + idNode.Length : afterType)..]);
            return output.Written;
        }

        AddId(ref output, source, 0, idNode, afterType, id);
        var copied = idNode.Exists ? idNode.Start + idNode.Length : afterType;
        if (meta.Exists)
        {
            output.Add(source[copied..meta.Start]);
            copied = meta.Start + meta.Length;
        }
        else
        {
            output.Add(",\"meta\":"u8);
        }

        AddMeta(ref output, meta, version, lastUpdated);
        output.Add(source[copied..]);
        return output.Written;
    }

    /// <summary>FHIR instant with milliseconds, UTC.</summary>
    public static string Instant(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static void AddId(ref Output output, ReadOnlySpan<byte> source, int from, ResourceNode idNode, int afterType, string id)
    {
        output.Add(source[from..(idNode.Exists ? idNode.Start : afterType)]);
        output.Add(idNode.Exists ? "\""u8 : ",\"id\":\""u8);
        output.Add(id);
        output.Add("\""u8);
    }

    private static void AddMeta(ref Output output, ResourceNode meta, long version, DateTimeOffset lastUpdated)
    {
        output.Add("{\"versionId\":\""u8);
        output.Add(version);
        output.Add("\",\"lastUpdated\":\""u8);
        output.Add(lastUpdated);
        output.Add("\""u8);
        foreach (var member in meta.Children)
        {
            var name = member.NameSpan;
            if (name.SequenceEqual("versionId"u8) || name.SequenceEqual("lastUpdated"u8))
            {
                continue;
            }

            output.Add(",\""u8);
            output.Add(name);
            output.Add("\":"u8);
            output.Add(member.RawSpan);
        }

        output.Add("}"u8);
    }

    // One array, which the store keeps: bytes were copied three times, by way of a text, a growing buffer and an array of the right size.
    private struct Output(byte[] bytes)
    {
        private int _used;

        public readonly ReadOnlyMemory<byte> Written => bytes.AsMemory(0, _used);

        public void Add(ReadOnlySpan<byte> text)
        {
            text.CopyTo(bytes.AsSpan(_used));
            _used += text.Length;
        }

        public void Add(string text) => _used += Encoding.UTF8.GetBytes(text, bytes.AsSpan(_used));

        public void Add(long number)
        {
            Utf8Formatter.TryFormat(number, bytes.AsSpan(_used), out var written);
            _used += written;
        }

        // The round-trip format, which has a fast way, cut to milliseconds.
        public void Add(DateTimeOffset instant)
        {
            const int UpToMilliseconds = 23;
            Span<byte> text = stackalloc byte[28];
            instant.UtcDateTime.TryFormat(text, out _, "O", CultureInfo.InvariantCulture);
            Add(text[..UpToMilliseconds]);
            Add("Z"u8);
        }
    }
}
