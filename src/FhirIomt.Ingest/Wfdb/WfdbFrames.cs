namespace FhirIomt.Ingest.Wfdb;

/// <summary>Reads the samples of an ordinary record frame by frame: one sample of each signal, or as many as the signal has in a frame. Signals of one file lie in it by turns.</summary>
public sealed class WfdbFrames : IDisposable
{
    private readonly List<SignalFile> _files = [];

    /// <param name="open">Opens a file that the header names.</param>
    public WfdbFrames(WfdbHeader header, Func<string, Stream> open)
    {
        foreach (var signal in header.Signals)
        {
            // Neighbours of one file are a group; a file that comes again later would be another group, which WFDB does not know.
            if (_files.Count > 0 && _files[^1].Name == signal.File)
            {
                _files[^1].Samples += signal.PerFrame;
                continue;
            }

            _files.Add(new SignalFile(signal, open));
        }
    }

    /// <summary>The samples of each signal, in the header's order; false when there is no whole frame any more.</summary>
    public bool Next(Span<int> frame)
    {
        var at = 0;
        foreach (var file in _files)
        {
            for (var sample = 0; sample < file.Samples; sample++)
            {
                if (!file.TryRead(out frame[at++]))
                {
                    return false;
                }
            }
        }

        return true;
    }

    public void Dispose()
    {
        foreach (var file in _files)
        {
            file.Dispose();
        }
    }

    private sealed class SignalFile : IDisposable
    {
        private readonly WfdbFormat _format;
        private readonly BufferedStream _stream;
        private readonly byte[] _bytes;
        private readonly int[] _samples;
        private int _count;
        private int _next;

        public SignalFile(WfdbSignal first, Func<string, Stream> open)
        {
            (Name, _format, Samples) = (first.File, first.Format, first.PerFrame);
            (_bytes, _samples) = (new byte[first.Format.Bytes], new int[first.Format.Samples]);
            _stream = new BufferedStream(open(first.File), 64 * 1024);
            _stream.Position = first.Offset;
        }

        public string Name { get; }

        /// <summary>In a frame.</summary>
        public int Samples { get; set; }

        public bool TryRead(out int sample)
        {
            sample = 0;
            if (_next == _count)
            {
                (_count, _next) = (_format.Decode(_bytes.AsSpan(0, _stream.ReadAtLeast(_bytes, _bytes.Length, throwOnEndOfStream: false)), _samples), 0);
                if (_count == 0)
                {
                    return false;
                }
            }

            sample = _samples[_next++];
            return true;
        }

        public void Dispose() => _stream.Dispose();
    }
}
