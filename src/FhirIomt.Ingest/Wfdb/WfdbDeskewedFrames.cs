namespace FhirIomt.Ingest.Wfdb;

/// <summary>
/// The frames of an ordinary record with samples of one time in each: those of a signal with skew are taken from so many frames later. They stay as many; at the end, where the record has no
/// later ones, such a signal's are missing.
/// </summary>
internal sealed class WfdbDeskewedFrames : IDisposable
{
    private readonly WfdbSignal[] _signals;
    private readonly long? _count;
    private readonly WfdbFrames _frames;
    private readonly int _skew;
    private readonly int _width;
    private readonly int[] _kept;
    private long _read;
    private long _next;
    private bool _isOver;

    /// <param name="open">Opens a file that the header names.</param>
    public WfdbDeskewedFrames(WfdbHeader header, Func<string, Stream> open)
    {
        (_signals, _count, _skew, _width) = ([.. header.Signals], header.Frames, header.MaxSkew, header.SamplesPerFrame);
        _kept = _skew == 0 ? [] : new int[(_skew + 1) * _width];
        _frames = new WfdbFrames(header, open);
    }

    /// <summary>The samples of each signal, in the header's order; false when there is no whole frame any more.</summary>
    public bool Next(Span<int> frame)
    {
        if (_skew == 0)
        {
            return _frames.Next(frame);
        }

        ReadAhead();
        if (_next == _read)
        {
            return false;
        }

        var at = 0;
        foreach (var signal in _signals)
        {
            var samples = frame.Slice(at, signal.PerFrame);
            var from = _next + signal.Skew;
            if (from < _read)
            {
                Kept(from).Slice(at, signal.PerFrame).CopyTo(samples);
            }
            else
            {
                samples.Fill(signal.Format.Missing);
            }

            at += signal.PerFrame;
        }

        _next++;
        return true;
    }

    public void Dispose() => _frames.Dispose();

    // What a file has beyond the header's number belongs to no signal: it may be what fills up the last byte.
    private void ReadAhead()
    {
        while (!_isOver && _read <= _next + _skew)
        {
            _isOver = _read == _count || !_frames.Next(Kept(_read));
            _read += _isOver ? 0 : 1;
        }
    }

    private Span<int> Kept(long frame) => _kept.AsSpan((int)(frame % (_skew + 1)) * _width, _width);
}
