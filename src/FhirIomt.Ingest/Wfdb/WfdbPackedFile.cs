namespace FhirIomt.Ingest.Wfdb;

/// <summary>A file in which every so many bytes hold so many samples.</summary>
internal sealed class WfdbPackedFile : WfdbSignalFile
{
    private readonly WfdbFormat _format;
    private readonly WfdbDifferences? _differences;
    private readonly BufferedStream _stream;
    private readonly byte[] _bytes;
    private readonly int[] _samples;
    private int _count;
    private int _next;

    /// <param name="signals">Those of the file.</param>
    public WfdbPackedFile(IReadOnlyList<WfdbSignal> signals, Stream stream)
    {
        _format = signals[0].Format;
        _differences = _format.IsDifference ? new WfdbDifferences(signals) : null;
        (_bytes, _samples) = (new byte[_format.Bytes], new int[_format.Samples]);
        _stream = new BufferedStream(stream, 64 * 1024);
        _stream.Position = signals[0].Offset;
    }

    public override bool TryRead(Span<int> frame)
    {
        foreach (ref var sample in frame)
        {
            if (_next == _count)
            {
                (_count, _next) = (_format.Decode(_bytes.AsSpan(0, _stream.ReadAtLeast(_bytes, _bytes.Length, throwOnEndOfStream: false)), _samples), 0);
                if (_count == 0)
                {
                    return false;
                }
            }

            sample = _samples[_next++];
        }

        Problem ??= _differences?.Sum(frame);
        return Problem is null;
    }

    public override void Dispose() => _stream.Dispose();
}
