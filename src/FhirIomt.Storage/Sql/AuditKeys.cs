namespace FhirIomt.Storage.Sql;

/// <summary>
/// Keys of rows of the audit as an entry of <c>audit_patient</c> holds them: the last one by itself, those before it as how much smaller each is than the one after it, in
/// groups of seven bits, the lowest first. Readings that come once a second take four bytes each.
/// </summary>
internal static class AuditKeys
{
    private const int Bits = 7;
    private const byte More = 1 << Bits;

    /// <param name="keys">Ascending, one at least.</param>
    public static (long Last, byte[] Earlier) Pack(ReadOnlySpan<long> keys)
    {
        var earlier = new List<byte>();
        for (var index = keys.Length - 1; index > 0; index--)
        {
            var less = (ulong)(keys[index] - keys[index - 1]);
            for (; less >= More; less >>= Bits)
            {
                earlier.Add((byte)(less | More));
            }

            earlier.Add((byte)less);
        }

        return (keys[^1], [.. earlier]);
    }

    /// <summary>The keys, ascending; of an entry that was tampered with, those that can still be told.</summary>
    public static List<long> Unpack(long last, ReadOnlySpan<byte> earlier)
    {
        var keys = new List<long> { last };
        var (less, shift) = (0UL, 0);
        foreach (var group in earlier)
        {
            less |= (ulong)(group & (More - 1)) << shift;
            shift += Bits;
            if (group < More)
            {
                keys.Add(keys[^1] - (long)less);
                (less, shift) = (0, 0);
            }
        }

        keys.Reverse();
        return keys;
    }
}
