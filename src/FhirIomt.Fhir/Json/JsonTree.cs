using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using FhirIomt.Core;

namespace FhirIomt.Fhir.Json;

/// <summary>One value of a parsed text. Rows stand in document order, so a subtree is a range of rows.</summary>
internal struct JsonRow
{
    public int Start;
    public int Length;
    public int NameStart;
    public int NameLength;
    public int Count;

    /// <summary>Row after this value's subtree.</summary>
    public int After;
    public NodeKind Kind;
}

/// <summary>
/// A JSON text parsed once into a flat table over its own bytes. Nothing is converted: numbers and strings stay as they came in.
/// Strict: UTF-8 without byte-order mark, no comments, no trailing commas, no duplicate member names, one value only.
/// </summary>
public sealed class JsonTree
{
    private readonly JsonRow[] _rows;

    private readonly ArraySegment<byte> _bytes;

    // One place for each row where the text was made from another one; null where the text is what came in.
    private readonly TextPosition[]? _places;

    private JsonTree(ReadOnlyMemory<byte> utf8, JsonRow[] rows, bool hasEscapes, TextPosition[]? places = null)
    {
        Utf8 = utf8;
        HasEscapes = hasEscapes;
        _rows = rows;
        _places = places;
        _bytes = MemoryMarshal.TryGetArray(utf8, out var segment) ? segment : utf8.ToArray();
    }

    public ReadOnlyMemory<byte> Utf8 { get; }

    /// <summary>Whether an escape stands anywhere in the text. Without one every name and text is its bytes, and what looks for a member that is not there need not look for it twice.</summary>
    public bool HasEscapes { get; }

    /// <summary>The same bytes for walking: asking a memory for its span costs more than comparing most names does.</summary>
    internal ReadOnlySpan<byte> Span => _bytes;

    public ResourceNode Root => new(this, 0);

    internal JsonRow[] Rows => _rows;

    internal ReadOnlySpan<byte> NameOf(int index)
    {
        ref readonly var row = ref _rows[index];
        return row.NameStart < 0 ? default : Span.Slice(row.NameStart, row.NameLength);
    }

    /// <summary>The node of a row number taken from <see cref="ResourceNode.Index"/>.</summary>
    public ResourceNode NodeAt(int index) => new(this, index);

    /// <summary>Parses a text; every refusal says line and column. Codes IOMT-0100 to IOMT-0104.</summary>
    public static Outcome<JsonTree> Parse(ReadOnlyMemory<byte> utf8, JsonLimits? limits = null)
    {
        limits ??= JsonLimits.Default;
        if (utf8.Length > limits.MaxBytes)
        {
            return JsonIssues.TooLong(utf8.Length, limits.MaxBytes);
        }

        if (JsonIssues.FindBadUtf8(utf8.Span) is { } bad)
        {
            return bad;
        }

        JsonRow[] rows;
        try
        {
            rows = ReadRows(utf8.Span, limits.MaxDepth);
        }
        catch (JsonException exception)
        {
            return JsonIssues.NotJson(utf8.Span, exception, limits);
        }

        var hasEscapes = utf8.Span.Contains((byte)'\\');
        if (hasEscapes && FindLoneSurrogate(utf8.Span, rows) is { } invalid)
        {
            return invalid;
        }

        return JsonDuplicates.Find(utf8.Span, rows, hasEscapes) is { Count: > 0 } duplicates ? Outcome<JsonTree>.Refused(duplicates) : new JsonTree(utf8, rows, hasEscapes);
    }

    /// <summary>A text that this program wrote from another one, with the place in that other text of every row.</summary>
    internal static JsonTree FromWritten(ReadOnlyMemory<byte> utf8, TextPosition[] places, int maxDepth) => new(utf8, ReadRows(utf8.Span, maxDepth), utf8.Span.Contains((byte)'\\'), places);

    /// <summary>Line and column of a row in the text that came in.</summary>
    internal TextPosition PositionOf(int index) => _places is { } places ? places[index] : TextPosition.At(Utf8.Span, _rows[index].Start);

    internal static string Unescape(ReadOnlySpan<byte> escaped)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(escaped.Length + 2);
        buffer[0] = (byte)'"';
        escaped.CopyTo(buffer.AsSpan(1));
        buffer[escaped.Length + 1] = (byte)'"';
        var reader = new Utf8JsonReader(buffer.AsSpan(0, escaped.Length + 2));
        reader.Read();
        var text = reader.GetString()!;
        ArrayPool<byte>.Shared.Return(buffer);
        return text;
    }

    private static JsonRow[] ReadRows(ReadOnlySpan<byte> utf8, int maxDepth)
    {
        var builder = new RowBuilder(Math.Max(16, utf8.Length / 24));
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = maxDepth });
        while (reader.Read())
        {
            builder.Add(ref reader);
        }

        return builder.ToRows();
    }

    // The reader checks grammar, not that surrogate escapes come in pairs.
    private static Issue? FindLoneSurrogate(ReadOnlySpan<byte> utf8, JsonRow[] rows)
    {
        if (utf8.IndexOf("\\u"u8) < 0)
        {
            return null;
        }

        foreach (ref readonly var row in rows.AsSpan())
        {
            var value = row.Kind == NodeKind.String ? utf8.Slice(row.Start + 1, row.Length - 2) : default;
            var name = row.NameStart >= 0 ? utf8.Slice(row.NameStart, row.NameLength) : default;
            if (!IsUnescapable(value) || !IsUnescapable(name))
            {
                return JsonIssues.LoneSurrogate(TextPosition.At(utf8, row.Start));
            }
        }

        return null;
    }

    private static bool IsUnescapable(ReadOnlySpan<byte> escaped)
    {
        if (!escaped.Contains((byte)'\\'))
        {
            return true;
        }

        try
        {
            Unescape(escaped);
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private struct RowBuilder(int capacity)
    {
        private JsonRow[] _rows = ArrayPool<JsonRow>.Shared.Rent(capacity);
        private int _count;
        private int[] _open = ArrayPool<int>.Shared.Rent(64);
        private int _depth;
        private int _nameStart = -1;
        private int _nameLength;

        public void Add(ref Utf8JsonReader reader)
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    _nameStart = (int)reader.TokenStartIndex + 1;
                    _nameLength = reader.ValueSpan.Length;
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    ref var closed = ref _rows[_open[--_depth]];
                    closed.Length = (int)reader.TokenStartIndex + 1 - closed.Start;
                    closed.After = _count;
                    break;
                default:
                    AddValue(ref reader);
                    break;
            }
        }

        public readonly JsonRow[] ToRows()
        {
            var rows = _rows.AsSpan(0, _count).ToArray();
            ArrayPool<JsonRow>.Shared.Return(_rows);
            ArrayPool<int>.Shared.Return(_open);
            return rows;
        }

        private void AddValue(ref Utf8JsonReader reader)
        {
            if (_count == _rows.Length)
            {
                Grow(ref _rows, _count);
            }

            if (_depth > 0)
            {
                _rows[_open[_depth - 1]].Count++;
            }

            var kind = KindOf(reader.TokenType);
            var length = reader.ValueSpan.Length + (kind == NodeKind.String ? 2 : 0);
            _rows[_count] = new JsonRow { Start = (int)reader.TokenStartIndex, Length = length, NameStart = _nameStart, NameLength = _nameLength, After = _count + 1, Kind = kind };
            if (kind <= NodeKind.Array)
            {
                if (_depth == _open.Length)
                {
                    Grow(ref _open, _depth);
                }

                _open[_depth++] = _count;
            }

            _count++;
            _nameStart = -1;
            _nameLength = 0;
        }

        private static NodeKind KindOf(JsonTokenType type) => type switch
        {
            JsonTokenType.StartObject => NodeKind.Object,
            JsonTokenType.StartArray => NodeKind.Array,
            JsonTokenType.String => NodeKind.String,
            JsonTokenType.Number => NodeKind.Number,
            JsonTokenType.True => NodeKind.True,
            JsonTokenType.False => NodeKind.False,
            _ => NodeKind.Null,
        };

        private static void Grow<TItem>(ref TItem[] items, int used)
        {
            var larger = ArrayPool<TItem>.Shared.Rent(items.Length * 2);
            items.AsSpan(0, used).CopyTo(larger);
            ArrayPool<TItem>.Shared.Return(items);
            items = larger;
        }
    }
}
