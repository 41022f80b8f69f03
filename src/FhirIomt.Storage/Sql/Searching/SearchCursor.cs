using System.Buffers.Text;
using System.Text;

namespace FhirIomt.Storage.Sql.Searching;

/// <summary>
/// Where a page ended, as a position in the order of the search: the values it is ordered by, and the key. It carries no authority: the next page is authorised
/// anew. The fingerprint only tells a cursor that was pasted into another search.
/// </summary>
/// <param name="Values">long, double, string or null, as the order has them.</param>
internal sealed record SearchCursor(IReadOnlyList<object?> Values, long Key)
{
    // Sort values are cut to 100 characters, at most four bytes each, and there are at most four of them.
    private const int MaxLength = 4096;

    /// <summary>Before everything.</summary>
    public static SearchCursor Start { get; } = new([], 0);

    public bool IsStart => ReferenceEquals(this, Start);

    public string ToText(long fingerprint, char order)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, Encoding.UTF8))
        {
            writer.Write(fingerprint);
            writer.Write((byte)order);
            writer.Write(Key);
            foreach (var value in Values)
            {
                Write(writer, value);
            }
        }

        return Base64Url.EncodeToString(stream.ToArray());
    }

    /// <param name="kinds">For each value <c>l</c>, <c>d</c> or <c>s</c>; each may be null instead.</param>
    public static SearchCursor? TryParse(string text, long fingerprint, char order, string kinds)
    {
        if (text.Length > MaxLength || !Base64Url.IsValid(text))
        {
            return null;
        }

        try
        {
            using var reader = new BinaryReader(new MemoryStream(Base64Url.DecodeFromChars(text)), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true));
            if (reader.ReadInt64() != fingerprint || reader.ReadByte() != order)
            {
                return null;
            }

            var key = reader.ReadInt64();
            var values = new object?[kinds.Length];
            for (var index = 0; index < values.Length; index++)
            {
                if (!TryRead(reader, kinds[index], out values[index]))
                {
                    return null;
                }
            }

            return reader.BaseStream.Position == reader.BaseStream.Length ? new SearchCursor(values, key) : null;
        }
        catch (Exception exception) when (exception is IOException or ArgumentException or FormatException)
        {
            return null;
        }
    }

    private static void Write(BinaryWriter writer, object? value)
    {
        switch (value)
        {
            case null:
                writer.Write((byte)'n');
                break;
            case long number:
                writer.Write((byte)'l');
                writer.Write(number);
                break;
            case double number:
                writer.Write((byte)'d');
                writer.Write(number);
                break;
            case string text:
                writer.Write((byte)'s');
                writer.Write(text);
                break;
            default:
                throw new InvalidOperationException($"A {value.GetType().Name} cannot be a position.");
        }
    }

    private static bool TryRead(BinaryReader reader, char kind, out object? value)
    {
        var written = (char)reader.ReadByte();
        value = written switch
        {
            'l' => reader.ReadInt64(),
            'd' => reader.ReadDouble(),
            's' => reader.ReadString(),
            _ => null,
        };
        return written == 'n' || (written == kind && value is not (double.NaN) && !(value is string text && text.Contains('\0', StringComparison.Ordinal)));
    }
}
