using System.Xml;

namespace FhirIomt.Ingest.HealthExport;

/// <summary>Where a reader of markup stands.</summary>
internal enum XmlMarkup
{
    /// <summary>Before a start tag.</summary>
    Start,

    /// <summary>Behind an end tag.</summary>
    End,

    /// <summary>At the end of the text.</summary>
    Nothing,
}

/// <summary>Goes through the markup of a text, tag by tag, and sees that it is well-formed: what an export does not need is passed over, but not without looking.</summary>
internal sealed class ExportMarkup(XmlWindow window)
{
    // HealthData, Workout, WorkoutRoute, FileReference: what is nested deeper than this is made to hurt.
    private const int MaxDepth = 64;

    private readonly List<int> _ends = [];
    private readonly XmlOutside _outside = new(window);
    private byte[] _names = new byte[1024];
    private bool _hadRoot;
    private bool _hadDoctype;

    public int Depth => _ends.Count;

    public XmlException Unexpected(string message) => window.Fault(message, 0);

    /// <summary>Goes to the next tag; an end tag is read, a start tag is not.</summary>
    public XmlMarkup Next()
    {
        while (_outside.SkipText(isInside: Depth > 0))
        {
            // The longest beginning of markup.
            var head = window.Ahead("<![CDATA["u8.Length);
            if (head.Length > 1 && head[1] is not ((byte)'!' or (byte)'?' or (byte)'/'))
            {
                return XmlMarkup.Start;
            }

            if (head.StartsWith("</"u8))
            {
                Close();
                return XmlMarkup.End;
            }

            SkipOther(head);
        }

        return XmlMarkup.Nothing;
    }

    /// <summary>The same within an element, where the text may not end.</summary>
    public XmlMarkup NextInside() => Next() is var next and not XmlMarkup.Nothing ? next : throw Unexpected("The text ends within an element.");

    /// <summary>The name of the element whose start tag is next; good until the reader moves.</summary>
    public ReadOnlySpan<byte> PeekName()
    {
        while (true)
        {
            var tag = new XmlTagReader(window.Text[1..]);
            switch (tag.ReadName())
            {
                case XmlStep.Bad:
                    throw window.Fault(tag.Problem!, tag.Position + 1);
                case XmlStep.Name:
                    return tag.Name;
                default:
                    More();
                    break;
            }
        }
    }

    /// <summary>Reads the start tag that is next.</summary>
    /// <param name="attributes">Gets all attributes but the device.</param>
    /// <param name="metadata">Gets a key with its value.</param>
    /// <returns>Whether the element goes on.</returns>
    public bool Open(EnvelopeText? attributes = null, Metadata? metadata = null)
    {
        var before = attributes?.Length ?? 0;
        while (true)
        {
            var tag = new XmlTagReader(window.Text[1..]);
            var step = tag.ReadName();
            var name = tag.Name;
            if (step == XmlStep.Name)
            {
                step = ReadAttributes(ref tag, attributes, metadata);
            }

            if (step is XmlStep.Open or XmlStep.Empty)
            {
                Enter(name, step == XmlStep.Open, metadata);
                window.Advance(tag.Position + 1);
                return step == XmlStep.Open;
            }

            if (step == XmlStep.Bad)
            {
                throw window.Fault(tag.Problem!, tag.Position + 1);
            }

            More();
            if (attributes is not null)
            {
                attributes.Length = before;
            }
        }
    }

    /// <summary>Passes over the element that is next.</summary>
    public void SkipElement()
    {
        if (Open())
        {
            SkipContent();
        }
    }

    /// <summary>Passes over the rest of the element that was opened last.</summary>
    public void SkipContent()
    {
        var outside = Depth - 1;
        while (Depth > outside)
        {
            if (NextInside() == XmlMarkup.Start)
            {
                Open();
            }
        }
    }

    private static XmlStep ReadAttributes(ref XmlTagReader tag, EnvelopeText? attributes, Metadata? metadata)
    {
        metadata?.Begin();
        XmlStep step;
        while ((step = tag.Next()) == XmlStep.Name)
        {
            // The device is long, the same for every record, and nothing that a mapping needs beside sourceName.
            if (attributes is not null && !tag.Name.SequenceEqual("device"u8))
            {
                attributes.Member(tag.Name, tag.Value, tag.IsPlain);
            }

            metadata?.Take(tag.Name, tag.Value);
        }

        return step;
    }

    private void Enter(ReadOnlySpan<byte> name, bool isOpen, Metadata? metadata)
    {
        if (metadata?.TryEnd() == false)
        {
            throw Unexpected($"An entry has more than {Metadata.Most} metadata.");
        }

        _hadRoot = true;
        if (!isOpen)
        {
            return;
        }

        if (Depth == MaxDepth)
        {
            throw Unexpected($"Elements are nested deeper than {MaxDepth} levels.");
        }

        var start = Depth == 0 ? 0 : _ends[^1];
        if (_names.Length < start + name.Length)
        {
            Array.Resize(ref _names, Math.Max(_names.Length * 2, start + name.Length));
        }

        name.CopyTo(_names.AsSpan(start));
        _ends.Add(start + name.Length);
    }

    private void Close()
    {
        int end;
        while ((end = window.Text.IndexOf((byte)'>')) < 0)
        {
            More();
        }

        var name = window.Text[2..end].TrimEnd(" \t\r\n"u8);
        var start = Depth > 1 ? _ends[^2] : 0;
        if (Depth == 0 || !name.SequenceEqual(_names.AsSpan(start, _ends[^1] - start)))
        {
            throw window.Fault("The end tag is not that of the element which is open.", 2);
        }

        _ends.RemoveAt(_ends.Count - 1);
        window.Advance(end + 1);
    }

    private void SkipOther(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith("<!--"u8))
        {
            _outside.SkipComment();
        }
        else if (head.StartsWith("<?"u8))
        {
            _outside.SkipInstruction();
        }
        else if (head.StartsWith("<![CDATA["u8) && Depth > 0)
        {
            _outside.SkipCharacters();
        }
        else if (head.StartsWith("<!DOCTYPE"u8) && !_hadRoot && !_hadDoctype)
        {
            _hadDoctype = true;
            _outside.SkipDoctype();
        }
        else
        {
            throw Unexpected("This markup cannot stand here.");
        }
    }

    private void More()
    {
        if (!window.TryMore())
        {
            throw window.Fault("The text ends within a tag.", window.Text.Length);
        }
    }
}
