using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml;

namespace FhirIomt.Ingest.HealthExport;

/// <summary>
/// Reads the export.xml of Apple Health from a stream, one entry at a time, whatever its size: each Record, Correlation (with its records), Workout and ActivitySummary becomes
/// an envelope <c>{"Body":{"Record":{…attributes…,"metadata":{…},"records":[…]}}}</c>. Throws <see cref="XmlException"/> where the text is no such export.
/// </summary>
public sealed class HealthExportReader : IDisposable
{
    private readonly IExportReader _reader;

    public HealthExportReader(Stream stream)
    {
        var start = new byte[ExportScanner.BufferSize];
        var length = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        _reader = XmlDeclaration.LengthOf(start.AsSpan(0, length)) is { } declaration
            ? new ExportScanner(new XmlWindow(stream, start, length), declaration)
            : new AnyXmlReader(new ResumedStream(start.AsMemory(0, length), stream));
    }

    /// <summary>Writes the next envelope; false at the end.</summary>
    public bool Next(IBufferWriter<byte> output) => _reader.Next(output);

    public void Dispose() => _reader.Dispose();
}

/// <summary>The two ways of reading an export, which give the same envelopes.</summary>
internal interface IExportReader : IDisposable
{
    bool Next(IBufferWriter<byte> output);
}

/// <summary>What stands at the beginning of a text in XML 1.0 and UTF-8.</summary>
internal static partial class XmlDeclaration
{
    private const int Longest = 256;

    /// <summary>Bytes before the document: a byte order mark and the declaration, or neither. Null where the text may be in another encoding or version.</summary>
    public static int? LengthOf(ReadOnlySpan<byte> start)
    {
        var mark = start.StartsWith("\uFEFF"u8) ? 3 : 0;
        var text = start[mark..];
        if (text.StartsWith("<?xml"u8))
        {
            var match = Usual().Match(Encoding.Latin1.GetString(text[..Math.Min(text.Length, Longest)]));
            return match.Success ? mark + match.Length : null;
        }

        // Without a declaration it is UTF-8, or says so by its first bytes.
        return text.Length > 1 && (text[0] is 0xFE or 0xFF or 0 || text[1] == 0) ? null : mark;
    }

    [GeneratedRegex("""^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.0"|'1\.0')(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"[uU][tT][fF]-8"|'[uU][tT][fF]-8'))?(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*\?>""", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Usual();
}

/// <summary>A stream of which the beginning was read already.</summary>
internal sealed class ResumedStream(ReadOnlyMemory<byte> start, Stream rest) : Stream
{
    private int _given;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        var left = start.Span[_given..];
        if (left.IsEmpty)
        {
            return rest.Read(buffer);
        }

        var count = Math.Min(left.Length, buffer.Length);
        left[..count].CopyTo(buffer);
        _given += count;
        return count;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
