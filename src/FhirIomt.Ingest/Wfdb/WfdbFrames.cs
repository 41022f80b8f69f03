using FhirIomt.Core;

namespace FhirIomt.Ingest.Wfdb;

/// <summary>
/// Reads the samples of an ordinary record frame by frame, as the files have them, skew and all: one sample of each signal, or as many as the signal has in a frame.
/// </summary>
public sealed class WfdbFrames : IDisposable
{
    private readonly List<(WfdbSignalFile File, int Samples)> _files = [];

    /// <param name="open">Opens a file that the header names.</param>
    public WfdbFrames(WfdbHeader header, Func<string, Stream> open)
    {
        // Neighbours of one file are a group; a file that comes again later would be another group, which WFDB does not know.
        for (var (from, to) = (0, 1); from < header.Signals.Count; (from, to) = (to, to + 1))
        {
            while (to < header.Signals.Count && header.Signals[to].File == header.Signals[from].File)
            {
                to++;
            }

            var group = header.Signals.Skip(from).Take(to - from).ToArray();
            var stream = open(group[0].File);
            _files.Add((group[0].Format.IsFlac ? new WfdbFlacFile(group, stream) : new WfdbPackedFile(group, stream), group.Sum(signal => signal.PerFrame)));
        }
    }

    /// <summary>Why the files cannot be read any further; null when they can, or are at their end. Codes IOMT-0616 and IOMT-0617.</summary>
    public Issue? Problem { get; private set; }

    /// <summary>The samples of each signal, in the header's order; false when there is no whole frame any more.</summary>
    public bool Next(Span<int> frame)
    {
        var at = 0;
        foreach (var (file, samples) in _files)
        {
            if (!file.TryRead(frame.Slice(at, samples)))
            {
                Problem ??= file.Problem;
                return false;
            }

            at += samples;
        }

        return true;
    }

    /// <summary>To be asked behind the last frame: why a file that ends there is not the one that was written; null when all is well, or the file goes on.</summary>
    public Issue? CheckEnd() => Problem ??= _files.Select(one => one.File.CheckEnd()).FirstOrDefault(issue => issue is not null);

    public void Dispose()
    {
        foreach (var (file, _) in _files)
        {
            file.Dispose();
        }
    }
}
