namespace FhirIomt.Ingest.Wfdb.Flac;

/// <summary>Two channels out of one and their difference, or out of mean and difference (RFC 9639, section 4.2).</summary>
internal static class FlacChannels
{
    public static void Restore(Span<long> first, Span<long> second, FlacStereo stereo)
    {
        switch (stereo)
        {
            case FlacStereo.LeftAndSide:
                for (var at = 0; at < first.Length; at++)
                {
                    second[at] = first[at] - second[at];
                }

                break;
            case FlacStereo.SideAndRight:
                for (var at = 0; at < first.Length; at++)
                {
                    first[at] += second[at];
                }

                break;
            case FlacStereo.MidAndSide:
                for (var at = 0; at < first.Length; at++)
                {
                    // Sum and difference are both even or both odd: the bit that the mean lost is that of the difference.
                    var (sum, side) = ((first[at] << 1) | (second[at] & 1), second[at]);
                    (first[at], second[at]) = ((sum + side) >> 1, (sum - side) >> 1);
                }

                break;
        }
    }
}
