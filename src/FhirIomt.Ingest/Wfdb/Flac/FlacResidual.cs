namespace FhirIomt.Ingest.Wfdb.Flac;

/// <summary>What the samples are beside their prediction, in Rice's code (RFC 9639, section 9.2.7).</summary>
internal static class FlacResidual
{
    /// <summary>Fills the block behind the first samples, which are told otherwise.</summary>
    /// <param name="order">How many these are.</param>
    public static bool Read(FlacBits bits, Span<long> block, int order)
    {
        var method = (int)bits.Read(2);
        if (method > 1)
        {
            return bits.Refuse("has residuals of a kind that is reserved", isUnknown: true);
        }

        var partitionOrder = (int)bits.Read(4);
        var size = block.Length >> partitionOrder;
        if (size << partitionOrder != block.Length || size < order)
        {
            return bits.Refuse("has a block that cannot be parted as it says");
        }

        for (var from = 0; from < block.Length && bits.Problem is null; from += size)
        {
            ReadPartition(bits, from == 0 ? block[order..size] : block.Slice(from, size), method == 0 ? 4 : 5);
        }

        return bits.Problem is null;
    }

    private static void ReadPartition(FlacBits bits, Span<long> partition, int parameterBits)
    {
        var parameter = (int)bits.Read(parameterBits);
        if (parameter == (1 << parameterBits) - 1)
        {
            ReadPlain(bits, partition, (int)bits.Read(5));
            return;
        }

        // A difference has 32 bits at most.
        ulong most = uint.MaxValue >> parameter;
        foreach (ref var difference in partition)
        {
            var folded = (bits.ReadUnary(most) << parameter) | bits.Read(parameter);

            // 0, -1, 1, -2, 2, …
            difference = (long)(folded >> 1) ^ -(long)(folded & 1);
        }
    }

    private static void ReadPlain(FlacBits bits, Span<long> partition, int count)
    {
        if (count == 0)
        {
            partition.Clear();
            return;
        }

        foreach (ref var difference in partition)
        {
            difference = bits.ReadSigned(count);
        }
    }
}
