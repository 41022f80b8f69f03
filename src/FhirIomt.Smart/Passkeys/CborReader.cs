using System.Buffers.Binary;
using System.Text;

namespace FhirIomt.Smart.Passkeys;

/// <summary>
/// As much of CBOR (RFC 8949) as authenticators send: integers, bytes, text, arrays, maps, simple values; definite lengths only, and no deeper than they go (CTAP2 canonical form allows four levels).
/// What is wrong with the bytes is a <see cref="FormatException"/>; what they say is a long, a byte[], a string, a list, a map or null.
/// </summary>
internal ref struct CborReader(ReadOnlySpan<byte> bytes)
{
    private const int MaxDepth = 4;

    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _at;

    /// <summary>One item, and how many bytes it took.</summary>
    public static object? Read(ReadOnlySpan<byte> bytes, out int length)
    {
        var reader = new CborReader(bytes);
        var item = reader.Item(0);
        length = reader._at;
        return item;
    }

    private object? Item(int depth)
    {
        if (depth > MaxDepth)
        {
            throw new FormatException("CBOR is nested too deeply.");
        }

        var head = Take(1)[0];
        var value = Argument(head & 31);
        return (head >> 5) switch
        {
            0 => value,
            1 => -1 - value,
            2 => Take(value).ToArray(),
            3 => Encoding.UTF8.GetString(Take(value)),
            4 => Array(value, depth),
            5 => Map(value, depth),
            7 when (head & 31) < 24 => null,
            _ => throw new FormatException("CBOR of a kind that authenticators do not send."),
        };
    }

    private long Argument(int bits) => bits switch
    {
        < 24 => bits,
        24 => Take(1)[0],
        25 => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
        26 => BinaryPrimitives.ReadUInt32BigEndian(Take(4)),
        27 when BinaryPrimitives.ReadInt64BigEndian(Take(8)) is >= 0 and var number => number,
        _ => throw new FormatException("CBOR without a length."),
    };

    private List<object?> Array(long count, int depth)
    {
        // Each item has a byte at least, so a wrong count ends with the bytes and not with the memory.
        var items = new List<object?>();
        for (var index = 0L; index < count; index++)
        {
            items.Add(Item(depth + 1));
        }

        return items;
    }

    private Dictionary<object, object?> Map(long count, int depth)
    {
        var map = new Dictionary<object, object?>();
        for (var index = 0L; index < count; index++)
        {
            var key = Item(depth + 1) is { } found and (long or string) ? found : throw new FormatException("CBOR with a key of a strange kind.");
            if (!map.TryAdd(key, Item(depth + 1)))
            {
                throw new FormatException("CBOR with a key twice.");
            }
        }

        return map;
    }

    private ReadOnlySpan<byte> Take(long count)
    {
        if (count > _bytes.Length - _at)
        {
            throw new FormatException("CBOR ends too early.");
        }

        var taken = _bytes.Slice(_at, (int)count);
        _at += (int)count;
        return taken;
    }
}
