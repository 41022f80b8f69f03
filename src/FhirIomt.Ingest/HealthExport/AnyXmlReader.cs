using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Xml;

namespace FhirIomt.Ingest.HealthExport;

/// <summary>An export in whatever encoding and form XML allows, by the framework's own reader: for the few that <see cref="ExportScanner"/> does not take. About 20 MB/s.</summary>
internal sealed class AnyXmlReader : IExportReader
{
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly XmlReader _xml;
    private bool _started;

    public AnyXmlReader(Stream stream)
    {
        // The export brings its own DTD, which says nothing that is needed here; entities that it could define are not expanded.
        _xml = XmlReader.Create(stream, new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore, XmlResolver = null, IgnoreComments = true, IgnoreProcessingInstructions = true, IgnoreWhitespace = true });
    }

    public bool Next(IBufferWriter<byte> output)
    {
        if (!_started)
        {
            _xml.MoveToContent();
            if (_xml.NodeType != XmlNodeType.Element || _xml.LocalName != "HealthData")
            {
                throw new XmlException($"The root is not HealthData but {_xml.LocalName}.", null, (_xml as IXmlLineInfo)?.LineNumber ?? 0, (_xml as IXmlLineInfo)?.LinePosition ?? 0);
            }

            _started = true;
            _xml.Read();
        }

        while (!_xml.EOF)
        {
            if (_xml.NodeType != XmlNodeType.Element)
            {
                _xml.Read();
                continue;
            }

            if (_xml.LocalName is not ("Record" or "Correlation" or "Workout" or "ActivitySummary"))
            {
                _xml.Skip();
                continue;
            }

            using var json = new Utf8JsonWriter(output, Relaxed);
            json.WriteStartObject();
            json.WriteStartObject("Body"u8);
            json.WriteStartObject(_xml.LocalName);
            WriteEntry(json);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
            return true;
        }

        return false;
    }

    public void Dispose() => _xml.Dispose();

    // Leaves the reader behind the entry.
    private void WriteEntry(Utf8JsonWriter json)
    {
        var isEmpty = _xml.IsEmptyElement;
        var depth = _xml.Depth;
        WriteAttributes(json);
        _xml.Read();
        if (isEmpty)
        {
            return;
        }

        List<(string Key, string Value)>? metadata = null;
        var inRecords = false;
        while (_xml.Depth > depth)
        {
            if (_xml.NodeType == XmlNodeType.Element && _xml.LocalName == "Record")
            {
                if (!inRecords)
                {
                    json.WriteStartArray("records"u8);
                    inRecords = true;
                }

                json.WriteStartObject();
                WriteEntry(json);
                json.WriteEndObject();
                continue;
            }

            if (_xml.NodeType == XmlNodeType.Element && _xml.LocalName == "MetadataEntry" && _xml.GetAttribute("key") is { } key)
            {
                (metadata ??= []).Add((key, _xml.GetAttribute("value") ?? ""));
            }

            _xml.Skip();
        }

        if (inRecords)
        {
            json.WriteEndArray();
        }

        if (metadata is not null)
        {
            json.WriteStartObject("metadata"u8);
            foreach (var (key, value) in metadata.DistinctBy(entry => entry.Key, StringComparer.Ordinal))
            {
                json.WriteString(key, value);
            }

            json.WriteEndObject();
        }

        _xml.Read();
    }

    private void WriteAttributes(Utf8JsonWriter json)
    {
        while (_xml.MoveToNextAttribute())
        {
            // Long, the same for every record of a device, and nothing that a mapping needs beside sourceName.
            if (_xml.LocalName is not "device")
            {
                json.WriteString(_xml.LocalName, _xml.Value);
            }
        }

        _xml.MoveToElement();
    }
}
