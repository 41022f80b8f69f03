using System.Text;
using FhirIomt.Core;

namespace FhirIomt.Ingest.Hl7;

/// <summary>A message of HL7 version 2 in vertical bars (ER7), cut into segments; nothing of it is judged here.</summary>
public sealed class Hl7Message
{
    private readonly List<Hl7Segment> _segments;

    private Hl7Message(List<Hl7Segment> segments, Hl7Separators separators)
    {
        _segments = segments;
        Separators = separators;
    }

    public IReadOnlyList<Hl7Segment> Segments => _segments;

    public Hl7Separators Separators { get; }

    public Hl7Segment Header => _segments[0];

    /// <summary>MSH-9, such as <c>ORU^R01^ORU_R01</c>.</summary>
    public (string Code, string Trigger) Type => (Header[9].Component(1).Text, Header[9].Component(2).Text);

    /// <summary>MSH-10.</summary>
    public string ControlId => Header[10].Text;

    /// <summary>The text of bytes that came in: in the charset of MSH-18, or, where that says nothing true, in UTF-8 or else in ISO 8859-1.</summary>
    public static Outcome<string> Decode(ReadOnlySpan<byte> bytes)
    {
        var name = CharsetOf(bytes);
        if (name is null || name.Contains("UTF-8", StringComparison.OrdinalIgnoreCase) || name.Contains("UTF8", StringComparison.OrdinalIgnoreCase) || name.Equals("ASCII", StringComparison.OrdinalIgnoreCase))
        {
            // Many declare ASCII, or nothing, and send what their operating system has.
            return System.Text.Unicode.Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : Encoding.Latin1.GetString(bytes);
        }

        var encoding = name.ToUpperInvariant() switch
        {
            "8859/1" or "ISO-8859-1" or "ISO8859-1" => Encoding.Latin1,
            "UNICODE UTF-16" => Encoding.Unicode,
            var other when other.StartsWith("8859/", StringComparison.Ordinal) => Registered($"iso-8859-{other[5..]}"),
            "ISO IR87" or "ISO IR159" => Registered("iso-2022-jp"),
            "GB 18030-2000" => Registered("gb18030"),
            "KS X 1001" => Registered("ks_c_5601-1987"),
            "BIG-5" => Registered("big5"),
            _ => null,
        };
        return encoding is null ? Hl7Issues.Charset(name) : encoding.GetString(bytes);
    }

    /// <summary>Cuts a message. Segments end by CR; LF and CRLF are taken too, and so is a PID that hangs on the end of the MSH.</summary>
    public static Outcome<Hl7Message> Parse(string text)
    {
        var whole = text.AsMemory().Trim();
        if (Hl7Separators.Of(whole.Span) is not { } separators)
        {
            return Hl7Issues.NoHeader();
        }

        var segments = new List<Hl7Segment>();
        while (!whole.IsEmpty)
        {
            var end = whole.Span.IndexOfAny('\r', '\n');
            var line = end < 0 ? whole : whole[..end];
            whole = end < 0 ? default : whole[(end + 1)..];
            if (line.Span.IsWhiteSpace())
            {
                continue;
            }

            if (segments.Count == 0 && GluedPatient(line.Span, separators) is > 0 and var glued)
            {
                segments.Add(new Hl7Segment(line[..glued], separators));
                line = line[glued..];
            }

            segments.Add(new Hl7Segment(line.Trim(), separators));
        }

        return new Hl7Message(segments, separators);
    }

    /// <summary>Whether a text may hold several messages, and where each begins.</summary>
    public static IReadOnlyList<(int Start, int Length)> Split(ReadOnlySpan<byte> bytes)
    {
        var starts = new List<int>();
        for (var at = 0; at < bytes.Length;)
        {
            if (bytes[at..].StartsWith("MSH"u8))
            {
                starts.Add(at);
            }

            var next = bytes[at..].IndexOfAny((byte)'\r', (byte)'\n');
            at = next < 0 ? bytes.Length : at + next + 1;
        }

        var parts = new List<(int, int)>();
        for (var index = 0; index < starts.Count; index++)
        {
            parts.Add((starts[index], (index + 1 < starts.Count ? starts[index + 1] : bytes.Length) - starts[index]));
        }

        return parts;
    }

    private static int GluedPatient(ReadOnlySpan<char> header, Hl7Separators separators)
    {
        Span<char> start = ['P', 'I', 'D', separators.Field];
        return header.IndexOf(start) is > 0 and var found && header[..found].Count(separators.Field) >= 11 ? found : -1;
    }

    // The header is ASCII in every charset that is taken, so it can be read before the charset is known.
    private static string? CharsetOf(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOfAny((byte)'\r', (byte)'\n');
        var header = Encoding.Latin1.GetString(end < 0 ? bytes : bytes[..end]).AsMemory().TrimStart();
        return Hl7Separators.Of(header.Span) is { } separators ? new Hl7Segment(header, separators)[18].Repetition(1).TextOrNull : null;
    }

    private static Encoding? Registered(string name)
    {
        try
        {
            return CodePagesEncodingProvider.Instance.GetEncoding(name);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }
}
