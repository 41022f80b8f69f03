using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using FhirIomt.Core;

namespace FhirIomt.Ingest;

/// <summary>text/csv (RFC 4180): the first row names the columns, each further row becomes an object of texts. A column without name is left out.</summary>
internal sealed class CsvSplitter(SplitLimits limits)
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public Outcome<IReadOnlyList<MessageEntry>> Split(ReadOnlyMemory<byte> body)
    {
        if (!Utf8.IsValid(body.Span))
        {
            return SplitIssues.NotUtf8();
        }

        var rows = new CsvReader(body);
        if (!rows.Read() || rows.IsBroken)
        {
            return SplitIssues.BadHeader("a quoted name is not closed");
        }

        var columns = rows.Fields.Select(field => field.Trim()).ToArray();
        var named = columns.Where(name => name.Length > 0).ToArray();
        if (named.Length == 0 || named.Distinct(StringComparer.Ordinal).Count() < named.Length)
        {
            return SplitIssues.BadHeader(named.Length == 0 ? "no column has a name" : "two columns have the same name");
        }

        var entries = new List<MessageEntry>();
        while (rows.Read())
        {
            if (entries.Count == limits.MaxMessages)
            {
                return SplitIssues.TooMany(limits.MaxMessages);
            }

            entries.Add(Entry(entries.Count, rows, columns));
        }

        return entries;
    }

    private static MessageEntry Entry(int index, CsvReader rows, string[] columns)
    {
        var position = new TextPosition(rows.Line, 1);
        if (rows.IsBroken)
        {
            return new MessageEntry.Refused(index, rows.Row, SplitIssues.BadQuote(position));
        }

        return rows.Fields.Count == columns.Length
            ? new MessageEntry.Taken(new DeviceReading(index, Envelope(rows.Fields, columns)))
            : new MessageEntry.Refused(index, rows.Row, SplitIssues.FieldCount(rows.Fields.Count, columns.Length, position));
    }

    private static byte[] Envelope(IReadOnlyList<string> fields, string[] columns)
    {
        var buffer = new ArrayBufferWriter<byte>(128);
        using (var json = new Utf8JsonWriter(buffer, WriterOptions))
        {
            json.WriteStartObject();
            json.WriteStartObject("Body");
            for (var i = 0; i < columns.Length; i++)
            {
                if (columns[i].Length > 0)
                {
                    json.WriteString(columns[i], fields[i]);
                }
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}

/// <summary>Walks rows; a quoted field may hold commas, line ends and doubled quotes. Blank lines are passed over.</summary>
internal sealed class CsvReader(ReadOnlyMemory<byte> text)
{
    private readonly List<string> _fields = [];
    private int _at;
    private int _nextLine = 1;

    public IReadOnlyList<string> Fields => _fields;

    /// <summary>Line on which the row starts, from 1.</summary>
    public int Line { get; private set; }

    public ReadOnlyMemory<byte> Row { get; private set; }

    /// <summary>Quotes are not as RFC 4180 wants them; the row ends where its line ends.</summary>
    public bool IsBroken { get; private set; }

    public bool Read()
    {
        SkipBlankLines();
        if (_at >= text.Length)
        {
            return false;
        }

        _fields.Clear();
        IsBroken = false;
        Line = _nextLine;
        var start = _at;
        while (ReadField())
        {
        }

        var end = _at;
        if (IsBroken)
        {
            // Whatever the quotes swallowed, the next line is a row again.
            var line = text.Span[start..].IndexOf((byte)'\n');
            end = line < 0 ? text.Length : start + line;
        }

        Row = text[start..end];
        _nextLine += Row.Span.Count((byte)'\n') + 1;
        _at = Math.Min(text.Length, end + 1);
        return true;
    }

    // True: a comma follows, and so another field. Otherwise _at stands on the line end or the end.
    private bool ReadField()
    {
        var span = text.Span;
        if (_at < span.Length && span[_at] == '"')
        {
            return ReadQuoted(span);
        }

        var length = span[_at..].IndexOfAny((byte)',', (byte)'\n');
        length = length < 0 ? span.Length - _at : length;
        var isLast = _at + length >= span.Length || span[_at + length] == '\n';
        var field = span.Slice(_at, length);
        _fields.Add(Encoding.UTF8.GetString(isLast ? field.TrimEnd((byte)'\r') : field));
        _at += isLast ? length : length + 1;
        return !isLast;
    }

    private bool ReadQuoted(ReadOnlySpan<byte> span)
    {
        var field = new StringBuilder();
        _at++;
        while (true)
        {
            var length = span[_at..].IndexOf((byte)'"');
            if (length < 0)
            {
                IsBroken = true;
                return false;
            }

            field.Append(Encoding.UTF8.GetString(span.Slice(_at, length)));
            _at += length + 1;
            if (_at >= span.Length || span[_at] != '"')
            {
                break;
            }

            field.Append('"');
            _at++;
        }

        _fields.Add(field.ToString());
        _at += _at < span.Length && span[_at] == '\r' ? 1 : 0;
        if (_at >= span.Length || span[_at] == '\n')
        {
            return false;
        }

        IsBroken = span[_at] != ',';
        _at++;
        return !IsBroken;
    }

    private void SkipBlankLines()
    {
        var span = text.Span;
        while (_at < span.Length && span[_at] is (byte)'\n' or (byte)'\r')
        {
            _nextLine += span[_at++] == '\n' ? 1 : 0;
        }
    }
}
