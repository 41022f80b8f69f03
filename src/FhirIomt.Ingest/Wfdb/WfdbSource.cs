namespace FhirIomt.Ingest.Wfdb;

/// <summary>The frames of a whole record, one segment behind the other. One segment's files are open at a time.</summary>
internal sealed class WfdbSource : IDisposable
{
    private readonly WfdbRecord _record;
    private readonly Func<string, Stream> _open;
    private readonly int[] _starts;
    private readonly int[] _frame;
    private WfdbDeskewedFrames? _frames;
    private int[] _own = [];
    private long _left;

    public WfdbSource(WfdbRecord record, Func<string, Stream> open)
    {
        (_record, _open) = (record, open);
        _frame = new int[record.SamplesPerFrame];
        _starts = new int[record.Signals.Count];
        for (var signal = 1; signal < _starts.Length; signal++)
        {
            _starts[signal] = _starts[signal - 1] + record.Signals[signal - 1].PerFrame;
        }

        Signals = new WfdbSignal?[record.Signals.Count];
    }

    /// <summary>Counts the segments and gaps that were entered.</summary>
    public int Piece { get; private set; }

    /// <summary>For each of the record's signals what its samples mean now; null where it is not recorded.</summary>
    public WfdbSignal?[] Signals { get; }

    /// <summary>The samples of one signal in the frame.</summary>
    public ReadOnlySpan<int> SamplesOf(int signal) => _frame.AsSpan(_starts[signal], _record.Signals[signal].PerFrame);

    /// <summary>Goes to the next frame; false at the end.</summary>
    public bool Next()
    {
        if (!Enter())
        {
            return false;
        }

        _left--;
        if (_frames is null)
        {
            return true;
        }

        if (!_frames.Next(_own))
        {
            return false;
        }

        var (places, at) = (_record.Pieces[Piece - 1].Places, 0);
        foreach (var place in places)
        {
            var count = _record.Signals[place].PerFrame;
            _own.AsSpan(at, count).CopyTo(_frame.AsSpan(_starts[place]));
            at += count;
        }

        return true;
    }

    /// <summary>Passes over as many whole multiples of so many frames as the gap has that comes next, and answers how many frames these are.</summary>
    public long SkipGap(int frames)
    {
        if (!Enter() || _frames is not null)
        {
            return 0;
        }

        var whole = _left / frames * frames;
        _left -= whole;
        return whole;
    }

    public void Dispose() => _frames?.Dispose();

    // Into the next piece, where this one is over.
    private bool Enter()
    {
        while (_left == 0)
        {
            if (Piece == _record.Pieces.Count)
            {
                return false;
            }

            var piece = _record.Pieces[Piece++];
            _frames?.Dispose();
            _frames = piece.Header is { } header ? new WfdbDeskewedFrames(header, _open) : null;
            _left = piece.Frames ?? long.MaxValue;
            _own = new int[piece.Header?.SamplesPerFrame ?? 0];
            Array.Clear(Signals);
            foreach (var (index, place) in piece.Places.Index())
            {
                Signals[place] = piece.Header!.Signals[index];
            }
        }

        return true;
    }
}
