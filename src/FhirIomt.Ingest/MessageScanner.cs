using System.Text.Json;
using FhirIomt.Core;

namespace FhirIomt.Ingest;

/// <summary>
/// Reads over one JSON value without building anything: finds a name given twice, nesting beyond the limit, half surrogate escapes, and whether the value is an
/// envelope. Its lists are used again for the next message.
/// </summary>
internal sealed class MessageScanner(int maxDepth)
{
    /// <summary>What the reader itself bears: far more than a message may, so that one deep message refuses itself and not the whole body.</summary>
    public const int ReaderDepth = 1000;

    private const int FewNames = 24;

    private readonly List<(int Start, int Length)> _names = [];
    private readonly Stack<int> _objects = new();
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private Issue? _issue;
    private bool _isEnvelope;

    /// <summary>The reader stands on the value's first token; afterwards on its last. Throws <see cref="JsonException"/> where the text is not JSON.</summary>
    public MessageSpan Scan(ref Utf8JsonReader reader, ReadOnlySpan<byte> body)
    {
        _issue = null;
        _isEnvelope = false;
        _names.Clear();
        _objects.Clear();
        var start = (int)reader.TokenStartIndex;
        var depth = reader.CurrentDepth;
        do
        {
            Visit(ref reader, body, depth);
        }
        while ((reader.CurrentDepth > depth || reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray) && reader.Read());

        return new MessageSpan(start, (int)reader.BytesConsumed - start, _isEnvelope, _issue);
    }

    private void Visit(ref Utf8JsonReader reader, ReadOnlySpan<byte> body, int depth)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject or JsonTokenType.StartArray when reader.CurrentDepth - depth >= maxDepth:
                _issue ??= SplitIssues.TooDeep(maxDepth, TextPosition.At(body, (int)reader.TokenStartIndex));
                _objects.Push(_names.Count);
                break;
            case JsonTokenType.StartObject or JsonTokenType.StartArray:
                _objects.Push(_names.Count);
                break;
            case JsonTokenType.PropertyName:
                // First, because comparing a name with half a surrogate throws.
                CheckEscapes(ref reader, body);
                _isEnvelope |= _issue is null && reader.CurrentDepth == depth + 1 && reader.ValueTextEquals("Body"u8);
                _names.Add(((int)reader.TokenStartIndex + 1, reader.ValueSpan.Length));
                break;
            case JsonTokenType.EndObject or JsonTokenType.EndArray:
                CheckNames(body, _objects.Pop());
                break;
            case JsonTokenType.String:
                CheckEscapes(ref reader, body);
                break;
            default:
                break;
        }
    }

    // The reader's grammar lets "\ud800" alone pass; reading it as text would throw later, in somebody else's hands.
    private void CheckEscapes(ref Utf8JsonReader reader, ReadOnlySpan<byte> body)
    {
        if (!reader.ValueIsEscaped)
        {
            return;
        }

        try
        {
            reader.GetString();
        }
        catch (InvalidOperationException)
        {
            _issue ??= SplitIssues.NotUtf8(TextPosition.At(body, (int)reader.TokenStartIndex));
        }
    }

    private void CheckNames(ReadOnlySpan<byte> body, int first)
    {
        var duplicate = _issue is not null ? -1 : _names.Count - first <= FewNames ? AmongFew(body, first) : AmongMany(body, first);
        if (duplicate >= 0)
        {
            var (start, length) = _names[duplicate];
            _issue = SplitIssues.DuplicateName(NameOf(body.Slice(start, length)), TextPosition.At(body, start));
        }

        _names.RemoveRange(first, _names.Count - first);
    }

    private int AmongFew(ReadOnlySpan<byte> body, int first)
    {
        for (var left = first; left < _names.Count; left++)
        {
            var name = body.Slice(_names[left].Start, _names[left].Length);
            for (var right = left + 1; right < _names.Count; right++)
            {
                var other = body.Slice(_names[right].Start, _names[right].Length);
                if (name.SequenceEqual(other) || ((name.Contains((byte)'\\') || other.Contains((byte)'\\')) && NameOf(name) == NameOf(other)))
                {
                    return right;
                }
            }
        }

        return -1;
    }

    private int AmongMany(ReadOnlySpan<byte> body, int first)
    {
        _seen.Clear();
        for (var index = first; index < _names.Count; index++)
        {
            if (!_seen.Add(NameOf(body.Slice(_names[index].Start, _names[index].Length))))
            {
                return index;
            }
        }

        return -1;
    }

    private static string NameOf(ReadOnlySpan<byte> raw)
    {
        var quoted = new byte[raw.Length + 2];
        quoted[0] = quoted[^1] = (byte)'"';
        raw.CopyTo(quoted.AsSpan(1));
        var reader = new Utf8JsonReader(quoted);
        reader.Read();
        return reader.GetString()!;
    }
}
