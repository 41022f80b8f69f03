using System.Buffers;
using System.Text.Unicode;
using System.Xml;

namespace FhirIomt.Ingest.HealthExport;

/// <summary>
/// What has been read of a text and is not done with, moving forward over a stream. Everything in it is valid UTF-8 and characters that XML allows (XML 1.0, 2.2): a byte that is not ends
/// the window before it, and is complained of when somebody wants to go on.
/// </summary>
internal sealed class XmlWindow
{
    // An element with its attributes; those of Apple have some hundred bytes. What is longer is no element but an attack.
    private const int Largest = 1024 * 1024;

    private static readonly SearchValues<byte> Forbidden = SearchValues.Create([0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31]);

    private readonly Stream _stream;
    private byte[] _buffer;
    private int _start;
    private int _end;
    private int _filled;
    private bool _isAtEnd;
    private string? _problem;
    private long _lines;
    private long _columns;

    /// <param name="buffer">Holds the beginning of the text, in its first <paramref name="filled"/> bytes.</param>
    public XmlWindow(Stream stream, byte[] buffer, int filled)
    {
        (_stream, _buffer, _filled) = (stream, buffer, filled);
        _isAtEnd = filled < buffer.Length;
        Check();
    }

    public ReadOnlySpan<byte> Text => _buffer.AsSpan(_start, _end - _start);

    public void Advance(int count) => _start += count;

    /// <summary>The window, made longer until it has so many bytes or the text ends.</summary>
    public ReadOnlySpan<byte> Ahead(int count)
    {
        while (_end - _start < count && TryMore())
        {
        }

        return Text;
    }

    /// <summary>Makes the window longer at its end; false where the text ends.</summary>
    public bool TryMore()
    {
        if (_problem is not null)
        {
            throw Fault(_problem, _end - _start);
        }

        if (_isAtEnd)
        {
            return false;
        }

        MakeRoom();
        var read = _stream.Read(_buffer, _filled, _buffer.Length - _filled);
        _filled += read;
        _isAtEnd = read == 0;
        Check();
        return true;
    }

    /// <summary>A complaint about the byte at that place of the window.</summary>
    public XmlException Fault(string message, int at)
    {
        var before = _buffer.AsSpan(0, _start + at);
        var line = before.LastIndexOf((byte)'\n');
        var column = (line < 0 ? _columns : 0) + Characters(before[(line + 1)..]) + 1;
        return new XmlException(message, null, (int)Math.Min(_lines + before.Count((byte)'\n') + 1, int.MaxValue), (int)Math.Min(column, int.MaxValue));
    }

    private void MakeRoom()
    {
        if (_start > 0)
        {
            var gone = _buffer.AsSpan(0, _start);
            var line = gone.LastIndexOf((byte)'\n');
            _lines += gone.Count((byte)'\n');
            _columns = (line < 0 ? _columns : 0) + Characters(gone[(line + 1)..]);
            _buffer.AsSpan(_start, _filled - _start).CopyTo(_buffer);
            (_end, _filled, _start) = (_end - _start, _filled - _start, 0);
        }

        if (_filled == _buffer.Length)
        {
            if (_buffer.Length >= Largest)
            {
                throw Fault($"An element has more than {Largest} bytes.", 0);
            }

            Array.Resize(ref _buffer, _buffer.Length * 2);
        }
    }

    // Bytes that begin a character.
    private static int Characters(ReadOnlySpan<byte> text)
    {
        var count = 0;
        foreach (var value in text)
        {
            count += (value & 0xC0) != 0x80 ? 1 : 0;
        }

        return count;
    }

    // A character that is not complete waits for its other bytes.
    private void Check()
    {
        var fresh = _buffer.AsSpan(_end, _filled - _end);
        if (!_isAtEnd)
        {
            fresh = fresh[..^Incomplete(fresh)];
        }

        var good = fresh;
        if (!Utf8.IsValid(fresh))
        {
            _problem = "The text is not valid UTF-8.";
            good = fresh[..ValidLength(fresh)];
        }

        if (FirstForbidden(good) is >= 0 and var at)
        {
            _problem = "The character is not allowed in XML.";
            good = good[..at];
        }

        _end += good.Length;
    }

    private static int FirstForbidden(ReadOnlySpan<byte> text)
    {
        var control = text.IndexOfAny(Forbidden);
        text = control < 0 ? text : text[..control];
        var (one, other) = (text.IndexOf("\uFFFE"u8), text.IndexOf("\uFFFF"u8));
        return one < 0 ? (other < 0 ? control : other) : other < 0 ? one : Math.Min(one, other);
    }

    private static int ValidLength(ReadOnlySpan<byte> text)
    {
        var at = 0;
        while (System.Text.Rune.DecodeFromUtf8(text[at..], out _, out var length) == OperationStatus.Done)
        {
            at += length;
        }

        return at;
    }

    private static int Incomplete(ReadOnlySpan<byte> text)
    {
        for (var back = 1; back <= Math.Min(3, text.Length); back++)
        {
            var value = text[^back];
            if (value >= 0xC0)
            {
                return back < (value >= 0xF0 ? 4 : value >= 0xE0 ? 3 : 2) ? back : 0;
            }

            if (value < 0x80)
            {
                return 0;
            }
        }

        return 0;
    }
}
