using System.Buffers.Binary;
using System.Buffers.Text;

namespace FhirIomt.Storage.Sqlite;

/// <summary>
/// Where a page ended, as a position in the order of the search. It carries no authority: the next page is authorised anew.
/// </summary>
/// <param name="Subject">Used by walks over the timeline; 0 otherwise.</param>
/// <param name="Start">Used by orders by time; 0 otherwise.</param>
internal readonly record struct SearchCursor(long Subject, long Start, long Key)
{
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[24];
        BinaryPrimitives.WriteInt64BigEndian(bytes, Subject);
        BinaryPrimitives.WriteInt64BigEndian(bytes[8..], Start);
        BinaryPrimitives.WriteInt64BigEndian(bytes[16..], Key);
        return Base64Url.EncodeToString(bytes);
    }

    public static bool TryParse(string text, out SearchCursor cursor)
    {
        cursor = default;
        Span<byte> bytes = stackalloc byte[24];
        if (text.Length != 32 || !Base64Url.TryDecodeFromChars(text, bytes, out var written) || written != 24)
        {
            return false;
        }

        cursor = new(BinaryPrimitives.ReadInt64BigEndian(bytes), BinaryPrimitives.ReadInt64BigEndian(bytes[8..]), BinaryPrimitives.ReadInt64BigEndian(bytes[16..]));
        return true;
    }
}
