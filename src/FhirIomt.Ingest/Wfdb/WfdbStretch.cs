using System.Globalization;
using System.Text;

namespace FhirIomt.Ingest.Wfdb;

/// <summary>The samples of a stretch of a record, as texts.</summary>
internal sealed class WfdbStretch(WfdbRecord record, int frames)
{
    // Four digits and a space.
    private readonly StringBuilder[] _data = [.. record.Signals.Select(signal => new StringBuilder(frames * signal.PerFrame * 5))];

    private readonly WfdbSignal?[] _signals = new WfdbSignal?[record.Signals.Count];
    private int _piece;

    /// <summary>Frames in it.</summary>
    public int Count { get; private set; }

    public bool IsFull => Count == frames;

    public void Clear()
    {
        (Count, _piece) = (0, 0);
        Array.Clear(_signals);
        foreach (var data in _data)
        {
            data.Clear();
        }
    }

    /// <summary>What the samples of a signal mean; null where it was not recorded at all.</summary>
    public WfdbSignal? SignalOf(int signal) => _signals[signal];

    public string DataOf(int signal) => _data[signal].ToString();

    /// <summary>Takes the source's frame; false where a signal's samples mean something else than those before, so that they cannot stand in one row with them.</summary>
    public bool TryAdd(WfdbSource source)
    {
        if (_piece != source.Piece && !TryEnter(source))
        {
            return false;
        }

        for (var signal = 0; signal < _data.Length; signal++)
        {
            Append(_data[signal], source.SamplesOf(signal), source.Signals[signal]);
        }

        Count++;
        return true;
    }

    private bool TryEnter(WfdbSource source)
    {
        for (var signal = 0; signal < _signals.Length; signal++)
        {
            if (_signals[signal] is { } before && source.Signals[signal] is { } now && !before.MeansSameAs(now))
            {
                return false;
            }
        }

        for (var signal = 0; signal < _signals.Length; signal++)
        {
            _signals[signal] ??= source.Signals[signal];
        }

        _piece = source.Piece;
        return true;
    }

    private static void Append(StringBuilder data, ReadOnlySpan<int> samples, WfdbSignal? signal)
    {
        foreach (var sample in samples)
        {
            if (data.Length > 0)
            {
                data.Append(' ');
            }

            _ = signal is null || sample == signal.Format.Missing ? data.Append('E') : data.Append(CultureInfo.InvariantCulture, $"{sample}");
        }
    }
}
