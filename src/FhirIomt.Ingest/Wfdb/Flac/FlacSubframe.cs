namespace FhirIomt.Ingest.Wfdb.Flac;

/// <summary>One channel of a frame (RFC 9639, section 9.2).</summary>
internal static class FlacSubframe
{
    private const int Constant = 0;
    private const int Verbatim = 1;
    private const int Fixed = 8;
    private const int MaxFixedOrder = 4;
    private const int Linear = 32;

    /// <summary>Reads its samples.</summary>
    /// <param name="depth">Bits of a sample, from 4 to 33.</param>
    public static bool Read(FlacBits bits, Span<long> block, int depth)
    {
        if (bits.Read(1) != 0)
        {
            return bits.Refuse("has something that is no channel of a frame");
        }

        var kind = (int)bits.Read(6);

        // Low bits that are zero in each sample.
        var wasted = bits.Read(1) == 0 ? 0 : (int)bits.ReadUnary(33) + 1;
        depth -= wasted;
        if (depth <= 0)
        {
            return bits.Refuse("has a channel in which no bit is left");
        }

        if (!Read(bits, block, depth, kind))
        {
            return false;
        }

        foreach (ref var sample in wasted == 0 ? [] : block)
        {
            sample <<= wasted;
        }

        return true;
    }

    private static bool Read(FlacBits bits, Span<long> block, int depth, int kind)
    {
        switch (kind)
        {
            case Constant:
                block.Fill(bits.ReadSigned(depth));
                return bits.Problem is null;
            case Verbatim:
                ReadSamples(bits, block, depth);
                return bits.Problem is null;
            case >= Fixed and <= Fixed + MaxFixedOrder:
                return ReadFixed(bits, block, depth, kind - Fixed);
            case >= Linear:
                return ReadLinear(bits, block, depth, kind - Linear + 1);
            default:
                return bits.Refuse("has a channel of a kind that is reserved", isUnknown: true);
        }
    }

    private static bool ReadFixed(FlacBits bits, Span<long> block, int depth, int order)
    {
        if (!ReadWarmUp(bits, block, depth, order) || !FlacResidual.Read(bits, block, order))
        {
            return false;
        }

        FlacPrediction.AddFixed(block, order);
        return true;
    }

    private static bool ReadLinear(FlacBits bits, Span<long> block, int depth, int order)
    {
        if (!ReadWarmUp(bits, block, depth, order))
        {
            return false;
        }

        var (precision, shift) = ((int)bits.Read(4) + 1, (int)bits.ReadSigned(5));
        if (precision == 16 || shift < 0)
        {
            return bits.Refuse("has a prediction of a kind that is reserved", isUnknown: true);
        }

        Span<long> coefficients = stackalloc long[order];
        ReadSamples(bits, coefficients, precision);
        coefficients.Reverse();
        if (!FlacResidual.Read(bits, block, order))
        {
            return false;
        }

        FlacPrediction.AddLinear(block, coefficients, shift);
        return true;
    }

    private static bool ReadWarmUp(FlacBits bits, Span<long> block, int depth, int order)
    {
        if (order > block.Length)
        {
            return bits.Refuse("has a block that is shorter than its prediction");
        }

        ReadSamples(bits, block[..order], depth);
        return bits.Problem is null;
    }

    private static void ReadSamples(FlacBits bits, Span<long> samples, int depth)
    {
        foreach (ref var sample in samples)
        {
            sample = bits.ReadSigned(depth);
        }
    }
}
