namespace FhirIomt.Ingest.Wfdb.Flac;

/// <summary>Adds to each residual what the samples before it foretell (RFC 9639, sections 9.2.5 and 9.2.6).</summary>
internal static class FlacPrediction
{
    /// <param name="block">As many samples as the order says, and residuals behind them; samples afterwards.</param>
    public static void AddFixed(Span<long> block, int order)
    {
        switch (order)
        {
            case 1:
                for (var at = 1; at < block.Length; at++)
                {
                    block[at] += block[at - 1];
                }

                break;
            case 2:
                for (var at = 2; at < block.Length; at++)
                {
                    block[at] += (2 * block[at - 1]) - block[at - 2];
                }

                break;
            case 3:
                for (var at = 3; at < block.Length; at++)
                {
                    block[at] += (3 * (block[at - 1] - block[at - 2])) + block[at - 3];
                }

                break;
            case 4:
                for (var at = 4; at < block.Length; at++)
                {
                    block[at] += (4 * (block[at - 1] + block[at - 3])) - (6 * block[at - 2]) - block[at - 4];
                }

                break;
        }
    }

    /// <param name="block">As many samples as there are coefficients, and residuals behind them; samples afterwards.</param>
    /// <param name="coefficients">That of the sample just before last.</param>
    /// <param name="shift">Bits that the coefficients have behind the point.</param>
    public static void AddLinear(Span<long> block, ReadOnlySpan<long> coefficients, int shift)
    {
        for (var at = coefficients.Length; at < block.Length; at++)
        {
            // 33 bits of a sample, 15 of a coefficient and 5 of their number: far from 64.
            long sum = 0;
            var before = block.Slice(at - coefficients.Length, coefficients.Length);
            for (var index = 0; index < before.Length; index++)
            {
                sum += coefficients[index] * before[index];
            }

            block[at] += sum >> shift;
        }
    }
}
