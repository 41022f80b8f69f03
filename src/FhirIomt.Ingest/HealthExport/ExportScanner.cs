using System.Buffers;
using System.Xml;

namespace FhirIomt.Ingest.HealthExport;

/// <summary>
/// Reads an export in UTF-8 straight from its bytes to the envelopes' bytes. Of XML it knows what an export can have: elements, attributes, texts, CDATA, comments, processing
/// instructions and a DTD, which it passes over without believing anything; no namespaces. Memory is bounded by the largest element, whatever the size of the text.
/// </summary>
internal sealed class ExportScanner : IExportReader
{
    /// <summary>Some hundred records: larger ones were not faster, and smaller ones are read more often.</summary>
    public const int BufferSize = 64 * 1024;

    private readonly ExportMarkup _markup;
    private readonly EnvelopeText _json = new();
    private readonly List<Metadata> _metadata = [];
    private bool _isStarted;

    /// <param name="declaration">Bytes before the document.</param>
    public ExportScanner(XmlWindow window, int declaration)
    {
        window.Advance(declaration);
        _markup = new ExportMarkup(window);
    }

    public bool Next(IBufferWriter<byte> output)
    {
        if (!_isStarted)
        {
            Start();
        }

        while (true)
        {
            switch (_markup.Next())
            {
                case XmlMarkup.Nothing when _markup.Depth == 0:
                    return false;
                case XmlMarkup.Nothing:
                    throw _markup.Unexpected("The text ends within an element.");
                case XmlMarkup.Start when _markup.Depth == 0:
                    throw _markup.Unexpected("There is an element behind the root.");
                case XmlMarkup.Start when _markup.Depth == 1 && EntryName(_markup.PeekName()) is { IsEmpty: false } name:
                    WriteEnvelope(name, output);
                    return true;
                case XmlMarkup.Start:
                    _markup.SkipElement();
                    break;
            }
        }
    }

    public void Dispose()
    {
        // The stream is its opener's.
    }

    private void Start()
    {
        if (_markup.Next() != XmlMarkup.Start)
        {
            throw _markup.Unexpected("There is no root element.");
        }

        var name = _markup.PeekName();
        if (!name.SequenceEqual("HealthData"u8))
        {
            throw _markup.Unexpected($"The root is not HealthData but {System.Text.Encoding.UTF8.GetString(name[..Math.Min(name.Length, 64)])}.");
        }

        _markup.Open();
        _isStarted = true;
    }

    private static ReadOnlySpan<byte> EntryName(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("Record"u8) ? "Record"u8
        : name.SequenceEqual("Correlation"u8) ? "Correlation"u8
        : name.SequenceEqual("Workout"u8) ? "Workout"u8
        : name.SequenceEqual("ActivitySummary"u8) ? "ActivitySummary"u8 : default;

    private void WriteEnvelope(ReadOnlySpan<byte> name, IBufferWriter<byte> output)
    {
        _json.Length = 0;
        _json.Append("{\"Body\":{\""u8);
        _json.Append(name);
        _json.Append("\":"u8);
        WriteEntry(level: 0);
        _json.Append("}}"u8);
        output.Write(_json.Written);
    }

    private void WriteEntry(int level)
    {
        _json.Append("{"u8);
        if (_markup.Open(_json))
        {
            WriteContent(level);
        }

        _json.Close("}"u8);
    }

    // An entry's own metadata come behind its records, wherever they stand.
    private void WriteContent(int level)
    {
        var metadata = MetadataOf(level);
        var hasRecords = false;
        while (_markup.NextInside() == XmlMarkup.Start)
        {
            var name = _markup.PeekName();
            if (name.SequenceEqual("Record"u8))
            {
                _json.Append(hasRecords ? ","u8 : "\"records\":["u8);
                hasRecords = true;
                WriteEntry(level + 1);
            }
            else if (name.SequenceEqual("MetadataEntry"u8))
            {
                if (_markup.Open(metadata: metadata))
                {
                    _markup.SkipContent();
                }
            }
            else
            {
                _markup.SkipElement();
            }
        }

        if (hasRecords)
        {
            _json.Append("],"u8);
        }

        metadata.WriteTo(_json);
    }

    private Metadata MetadataOf(int level)
    {
        while (_metadata.Count <= level)
        {
            _metadata.Add(new Metadata());
        }

        _metadata[level].Clear();
        return _metadata[level];
    }
}
