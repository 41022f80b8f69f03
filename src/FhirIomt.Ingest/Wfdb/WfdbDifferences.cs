using FhirIomt.Core;

namespace FhirIomt.Ingest.Wfdb;

/// <summary>The samples of a file that holds the difference of each from the one before it in the same signal (PhysioNet, signal(5), format 8).</summary>
internal sealed class WfdbDifferences(IReadOnlyList<WfdbSignal> signals)
{
    private readonly int[] _last = [.. signals.Select(signal => signal.Initial)];

    /// <summary>Makes samples of the differences of a frame; answers why that cannot be.</summary>
    public Issue? Sum(Span<int> frame)
    {
        var at = 0;
        for (var signal = 0; signal < _last.Length; signal++)
        {
            long sample = _last[signal];
            foreach (ref var difference in frame.Slice(at, signals[signal].PerFrame))
            {
                sample += difference;
                if (sample is <= int.MinValue or > int.MaxValue)
                {
                    return WfdbIssues.Mismatch($"the differences of '{signals[signal].Name}' lead beyond 32 bits");
                }

                difference = (int)sample;
            }

            _last[signal] = (int)sample;
            at += signals[signal].PerFrame;
        }

        return null;
    }
}
