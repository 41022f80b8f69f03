using System.Buffers.Binary;
using System.Buffers.Text;

namespace FhirIomt.Storage.Sql;

/// <summary>
/// Where a page ended, as a position in the order of the search. It carries no authority: the next page is authorised anew.
/// Subject, codes and start are 0 where the order does not use them.
/// </summary>
internal readonly record struct SearchCursor(long Subject, long Codes, long Start, long Key)
{
    private const int Length = 4 * sizeof(long);

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Length];
        BinaryPrimitives.WriteInt64BigEndian(bytes, Subject);
        BinaryPrimitives.WriteInt64BigEndian(bytes[8..], Codes);
        BinaryPrimitives.WriteInt64BigEndian(bytes[16..], Start);
        BinaryPrimitives.WriteInt64BigEndian(bytes[24..], Key);
        return Base64Url.EncodeToString(bytes);
    }

    public static bool TryParse(string text, out SearchCursor cursor)
    {
        cursor = default;
        Span<byte> bytes = stackalloc byte[Length];
        if (text.Length != 43 || Base64Url.DecodeFromChars(text, bytes, out _, out var written) != System.Buffers.OperationStatus.Done || written != Length)
        {
            return false;
        }

        cursor = new(
            BinaryPrimitives.ReadInt64BigEndian(bytes), BinaryPrimitives.ReadInt64BigEndian(bytes[8..]),
            BinaryPrimitives.ReadInt64BigEndian(bytes[16..]), BinaryPrimitives.ReadInt64BigEndian(bytes[24..]));
        return true;
    }
}
