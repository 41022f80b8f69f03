using System.Globalization;
using FhirIomt.Core;
using FhirIomt.Ingest.Wfdb.Flac;

namespace FhirIomt.Ingest.Wfdb;

/// <summary>A file that is a stream of FLAC: its channels are the signals, which all have as many samples in a frame.</summary>
internal sealed class WfdbFlacFile : WfdbSignalFile
{
    private readonly IReadOnlyList<WfdbSignal> _signals;
    private readonly FlacDecoder _decoder;
    private long _skip;
    private int _next;
    private bool _isOpen;

    /// <param name="signals">Those of the file.</param>
    public WfdbFlacFile(IReadOnlyList<WfdbSignal> signals, Stream stream)
    {
        (_signals, _skip) = (signals, signals[0].Offset);
        _decoder = new FlacDecoder(stream);
    }

    public override bool TryRead(Span<int> frame)
    {
        if (Problem is not null || (!_isOpen && !TryOpen()))
        {
            return false;
        }

        var perFrame = _signals[0].PerFrame;
        for (var done = 0; done < perFrame;)
        {
            if (_next == _decoder.BlockSize && !TryReadBlock())
            {
                return false;
            }

            var count = Math.Min(perFrame - done, _decoder.BlockSize - _next);
            for (var channel = 0; channel < _signals.Count; channel++)
            {
                var samples = _decoder.ChannelOf(channel).Slice(_next, count);
                for (var at = 0; at < count; at++)
                {
                    frame[(channel * perFrame) + done + at] = (int)samples[at];
                }
            }

            done += count;
            _next += count;
        }

        return true;
    }

    public override Issue? CheckEnd()
    {
        if (Problem is null && _isOpen && _next == _decoder.BlockSize)
        {
            TryReadBlock();
        }

        return Problem;
    }

    public override void Dispose() => _decoder.Dispose();

    private bool TryOpen()
    {
        _isOpen = _decoder.TryOpen();
        if (!_isOpen)
        {
            Problem = IssueOf(_decoder.Problem!);
            return false;
        }

        var info = _decoder.Info!;
        Problem = info.Channels != _signals.Count ? Mismatch($"has {info.Channels} channels, and the header {_signals.Count} signals")
            : info.Bits > _signals[0].Format.FlacBits ? Mismatch($"has samples of {info.Bits} bits, and the header format {_signals[0].Format.Code}")
            : null;
        return Problem is null;
    }

    // To the next sample of the record.
    private bool TryReadBlock()
    {
        do
        {
            if (!_decoder.TryReadBlock())
            {
                _next = 0;
                Problem = _decoder.Problem is { } problem ? IssueOf(problem) : null;
                return false;
            }

            _next = (int)Math.Min(_skip, _decoder.BlockSize);
            _skip -= _next;
        }
        while (_next == _decoder.BlockSize);

        return true;
    }

    private Issue IssueOf(FlacProblem problem) => problem.IsUnknown ? WfdbIssues.NotSupported($"'{_signals[0].File}' {problem.What}, which") : Mismatch(problem.What);

    private Issue Mismatch(string what) => WfdbIssues.Mismatch(string.Create(CultureInfo.InvariantCulture, $"'{_signals[0].File}' {what}"));
}
