using System.Buffers;
using System.Xml;
using FhirIomt.Core;

namespace FhirIomt.Ingest.HealthExport;

/// <summary>application/xml: an export of Apple Health that fits into one request.</summary>
internal sealed class HealthExportSplitter(SplitLimits limits)
{
    public Outcome<IReadOnlyList<MessageEntry>> Split(ReadOnlyMemory<byte> body)
    {
        using var stream = new ResumedStream(body, Stream.Null);
        using var reader = new HealthExportReader(stream);
        var buffer = new ArrayBufferWriter<byte>();
        var entries = new List<MessageEntry>();
        try
        {
            while (reader.Next(buffer))
            {
                if (entries.Count == limits.MaxMessages)
                {
                    return SplitIssues.TooMany(limits.MaxMessages);
                }

                entries.Add(new MessageEntry.Taken(new DeviceReading(entries.Count, buffer.WrittenSpan.ToArray())));
                buffer.ResetWrittenCount();
            }
        }
        catch (XmlException exception)
        {
            return SplitIssues.NotHealthExport(exception.Message, new TextPosition(Math.Max(exception.LineNumber, 1), Math.Max(exception.LinePosition, 1)));
        }

        return entries;
    }
}
