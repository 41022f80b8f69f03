using System.Globalization;
using FhirIomt.Core;

namespace FhirIomt.Ingest.Wfdb;

/// <summary>A record with the headers of its segments, checked to fit together: what is read, piece by piece.</summary>
public sealed class WfdbRecord
{
    private WfdbRecord(WfdbHeader header, IReadOnlyList<WfdbSignal> signals, IReadOnlyList<WfdbPiece> pieces)
    {
        (Header, Signals, Pieces) = (header, signals, pieces);
        SamplesPerFrame = signals.Sum(signal => signal.PerFrame);
    }

    public WfdbHeader Header { get; }

    /// <summary>All that stand in any segment, each as it is where it comes first.</summary>
    public IReadOnlyList<WfdbSignal> Signals { get; }

    public int SamplesPerFrame { get; }

    internal IReadOnlyList<WfdbPiece> Pieces { get; }

    /// <summary>Codes IOMT-0615 and IOMT-0616.</summary>
    /// <param name="headerOf">The text of a segment's header, by its record's name; may throw what reading a file throws.</param>
    public static Outcome<WfdbRecord> Open(WfdbHeader header, Func<string, string> headerOf)
    {
        if (header.Segments.Count == 0)
        {
            return new WfdbRecord(header, header.Signals, [new WfdbPiece(header, header.Frames, [.. Enumerable.Range(0, header.Signals.Count)])]);
        }

        var builder = new Builder(header, headerOf);
        foreach (var (number, segment) in header.Segments.Index())
        {
            if (builder.Add(segment, isFirst: number == 0) is { } issues)
            {
                return Outcome<WfdbRecord>.Refused(issues);
            }
        }

        var record = new WfdbRecord(header, builder.Signals, builder.Pieces);
        return record.SamplesPerFrame == 0 ? WfdbIssues.BadHeader(1, "no segment has samples")
            : record.SamplesPerFrame > WfdbRecording.MaxSamples ? WfdbIssues.NotSupported($"A frame of more than {WfdbRecording.MaxSamples} samples")
            : record;
    }

    // A record of varying layout begins with a layout, and a signal is known by its name; in one of fixed layout by its place.
    private sealed class Builder(WfdbHeader record, Func<string, string> headerOf)
    {
        private readonly Dictionary<string, WfdbHeader> _headers = new(StringComparer.Ordinal);
        private readonly Dictionary<(string Name, int Occurrence), int> _places = [];
        private HashSet<string>? _layout;
        private int _fixedCount;

        public List<WfdbSignal> Signals { get; } = [];

        public List<WfdbPiece> Pieces { get; } = [];

        public IReadOnlyList<Issue>? Add(WfdbSegment segment, bool isFirst)
        {
            if (segment.Name is null || segment.Frames == 0)
            {
                return segment.Name is not null && isFirst ? ReadLayout(segment.Name) : AddGap(segment.Frames);
            }

            if (!_headers.TryGetValue(segment.Name, out var header))
            {
                if (!WfdbHeader.Parse(headerOf(segment.Name)).TryGetValue(out header, out var issues))
                {
                    return [.. issues.Select(issue => issue with { Message = $"{segment.Name}: {issue.Message}" })];
                }

                _headers[segment.Name] = header = header.Frames is null ? header with { Frames = segment.Frames } : header;
            }

            return WhyNot(segment, header) is { } problem ? [WfdbIssues.BadHeader(1, $"segment {segment.Name} {problem}")] : AddPiece(segment.Name, header);
        }

        private IReadOnlyList<Issue>? ReadLayout(string name)
        {
            if (!WfdbHeader.Parse(headerOf(name), isLayout: true).TryGetValue(out var layout, out var issues))
            {
                return [.. issues.Select(issue => issue with { Message = $"{name}: {issue.Message}" })];
            }

            _layout = [.. layout.Signals.Select(signal => signal.Name)];
            return null;
        }

        private IReadOnlyList<Issue>? AddGap(long frames)
        {
            if (frames > 0)
            {
                Pieces.Add(new WfdbPiece(null, frames, []));
            }

            return null;
        }

        private string? WhyNot(WfdbSegment segment, WfdbHeader header) =>
            header.Segments.Count > 0 ? "consists of segments itself"
            : header.Rate != record.Rate ? string.Create(CultureInfo.InvariantCulture, $"has {header.Rate} Hz, and the record {record.Rate}")
            : header.Frames != segment.Frames ? string.Create(CultureInfo.InvariantCulture, $"has {header.Frames} samples by its own header, not {segment.Frames}")
            : _layout is not null ? header.Signals.FirstOrDefault(signal => !_layout.Contains(signal.Name)) is { } stranger ? $"has a signal '{stranger.Name}' that the layout does not know" : null
            : _fixedCount > 0 && _fixedCount != header.Signals.Count ? "has another number of signals, and there is no layout" : null;

        private IReadOnlyList<Issue>? AddPiece(string name, WfdbHeader header)
        {
            _fixedCount = header.Signals.Count;
            var met = new Dictionary<string, int>(StringComparer.Ordinal);
            var places = new int[header.Signals.Count];
            foreach (var (index, signal) in header.Signals.Index())
            {
                var occurrence = met[signal.Name] = met.GetValueOrDefault(signal.Name) + 1;
                var key = _layout is null ? ("", index) : (signal.Name, occurrence);
                if (!_places.TryGetValue(key, out places[index]))
                {
                    _places[key] = places[index] = Signals.Count;
                    Signals.Add(signal);
                }

                if (Signals[places[index]].PerFrame != signal.PerFrame)
                {
                    return [WfdbIssues.BadHeader(1, $"segment {name} has '{signal.Name}' at another rate than the segments before")];
                }
            }

            Pieces.Add(new WfdbPiece(header, header.Frames, places));
            return null;
        }
    }
}

/// <summary>A part of a record that is read at once.</summary>
/// <param name="Header">Null for a gap.</param>
/// <param name="Frames">Null: to the end of the file.</param>
/// <param name="Places">For each signal of the header its place among the record's.</param>
internal sealed record WfdbPiece(WfdbHeader? Header, long? Frames, int[] Places);
