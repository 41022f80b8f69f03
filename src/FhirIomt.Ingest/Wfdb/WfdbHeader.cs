using System.Globalization;
using FhirIomt.Core;

namespace FhirIomt.Ingest.Wfdb;

/// <summary>
/// The header of a record of WFDB (PhysioNet, header(5)): which signals there are, at which rate, in which files; or of which segments it consists.
/// </summary>
/// <param name="Rate">Frames in a second: samples of each signal, but for those that have several in a frame.</param>
/// <param name="Frames">How many; null when the header does not say.</param>
/// <param name="BaseTime">Of day, as the recorder's clock had it, without a zone; null when not told.</param>
/// <param name="Signals">None where there are segments: each has its own header.</param>
/// <param name="Segments">None in an ordinary record.</param>
public sealed record WfdbHeader(
    string Name, decimal Rate, long? Frames, TimeSpan? BaseTime, DateOnly? BaseDate, IReadOnlyList<WfdbSignal> Signals, IReadOnlyList<WfdbSegment> Segments)
{
    // A day in pieces of ten seconds.
    private const int MaxSegments = 10_000;

    // The rate of a record that names none.
    private const decimal DefaultRate = 250;

    // As many as the widest recordings of brain and heart have.
    private const int MaxSignals = 512;

    // Sixteen megabytes: 15 leads of 1,000 Hz may be four minutes apart, where tracks of a tape are milliseconds.
    private const int MaxSkewedSamples = 4_000_000;

    public int SamplesPerFrame => Signals.Sum(signal => signal.PerFrame);

    /// <summary>Frames by which the latest signal stands late.</summary>
    internal int MaxSkew => Signals.Max(signal => signal.Skew);

    /// <summary>Codes IOMT-0615 and IOMT-0616.</summary>
    /// <param name="isLayout">It is the first segment of a record of varying layout: it names signals and has none of their samples.</param>
    public static Outcome<WfdbHeader> Parse(string text, bool isLayout = false)
    {
        var lines = text.Split('\n').Select((line, index) => (Text: line.Trim(), Number: index + 1)).Where(line => line.Text.Length > 0 && line.Text[0] != '#').ToList();
        if (lines.Count == 0)
        {
            return WfdbIssues.BadHeader(1, "it has no record line");
        }

        if (!ReadRecord(lines[0].Text, lines[0].Number).TryGetValue(out var record, out var issues))
        {
            return Outcome<WfdbHeader>.Refused(issues);
        }

        if (record.Segments > 0)
        {
            return WithSegments(record, lines[1..]);
        }

        if (lines.Count - 1 < record.Count)
        {
            return WfdbIssues.BadHeader(lines[^1].Number, $"{record.Count} signals are announced and {lines.Count - 1} are described");
        }

        var signals = new List<WfdbSignal>(record.Count);
        foreach (var line in lines.Skip(1).Take(record.Count))
        {
            if (!WfdbSignal.Parse(line.Text, line.Number, signals.Count, isLayout).TryGetValue(out var signal, out issues))
            {
                return Outcome<WfdbHeader>.Refused(issues);
            }

            if (!isLayout && signals.Count > 0 && signal.WhyNotBehind(signals[^1]) is { } problem)
            {
                return WfdbIssues.BadHeader(line.Number, problem);
            }

            signals.Add(signal);
        }

        var header = record.Header with { Signals = signals };
        return header.SamplesPerFrame > WfdbRecording.MaxSamples ? WfdbIssues.NotSupported($"A frame of more than {WfdbRecording.MaxSamples} samples")
            : (long)header.MaxSkew * header.SamplesPerFrame > MaxSkewedSamples ? WfdbIssues.NotSupported($"A skew of {header.MaxSkew} frames of {header.SamplesPerFrame} samples, over {MaxSkewedSamples} together,")
            : header;
    }

    private static Outcome<RecordLine> ReadRecord(string line, int number)
    {
        var fields = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        var name = fields[0].Split('/', 2);
        var segments = 0;
        if (name.Length > 1 && (!int.TryParse(name[1], NumberStyles.None, CultureInfo.InvariantCulture, out segments) || segments is 0 or > MaxSegments))
        {
            return WfdbIssues.BadHeader(number, $"the number of segments must be from 1 to {MaxSegments}");
        }

        if (fields.Length < 2 || !int.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count is 0 or > MaxSignals)
        {
            return WfdbIssues.BadHeader(number, $"the number of signals must be from 1 to {MaxSignals}");
        }

        // The counter's frequency and first value, after the slash, say nothing about the samples.
        var rate = DefaultRate;
        if (fields.Length > 2 && (!decimal.TryParse(fields[2].Split('/')[0], NumberStyles.Float, CultureInfo.InvariantCulture, out rate) || rate is < 0.01m or > 10_000_000m))
        {
            return WfdbIssues.BadHeader(number, "the sampling frequency is no frequency");
        }

        long frames = 0;
        if (fields.Length > 3 && !long.TryParse(fields[3], NumberStyles.None, CultureInfo.InvariantCulture, out frames))
        {
            return WfdbIssues.BadHeader(number, "the number of samples is no number");
        }

        TimeSpan? time = fields.Length > 4 && TimeOf(fields[4]) is { } of ? of : null;
        DateOnly? date = fields.Length > 5 && DateOnly.TryParseExact(fields[5], "d/M/yyyy", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null;
        if ((fields.Length > 4 && time is null) || (fields.Length > 5 && date is null))
        {
            return WfdbIssues.BadHeader(number, "base time or base date cannot be read");
        }

        return new RecordLine(count, segments, new WfdbHeader(name[0], rate, frames > 0 ? frames : null, time, date, [], []));
    }

    private static Outcome<WfdbHeader> WithSegments(RecordLine record, List<(string Text, int Number)> lines)
    {
        if (lines.Count < record.Segments)
        {
            return WfdbIssues.BadHeader(lines.Count == 0 ? 1 : lines[^1].Number, $"{record.Segments} segments are announced and {lines.Count} are named");
        }

        var segments = new List<WfdbSegment>(record.Segments);
        foreach (var (text, number) in lines.Take(record.Segments))
        {
            if (!WfdbSegment.Parse(text, number).TryGetValue(out var segment, out var issues))
            {
                return Outcome<WfdbHeader>.Refused(issues);
            }

            segments.Add(segment);
        }

        var sum = segments.Sum(segment => segment.Frames);
        return record.Header.Frames is { } told && told != sum
            ? WfdbIssues.BadHeader(1, string.Create(CultureInfo.InvariantCulture, $"the segments have {sum} samples together, not {told}"))
            : record.Header with { Frames = sum, Segments = segments };
    }

    // HH:MM:SS.fff, or less of it from the front: 19:46:25.757, 46:25, 25
    private static TimeSpan? TimeOf(string text)
    {
        decimal seconds = 0;
        foreach (var part in text.Split(':'))
        {
            if (!decimal.TryParse(part, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) || value > 86_400)
            {
                return null;
            }

            seconds = (seconds * 60) + value;
        }

        return seconds < 86_400 ? TimeSpan.FromTicks((long)(seconds * TimeSpan.TicksPerSecond)) : null;
    }

    private readonly record struct RecordLine(int Count, int Segments, WfdbHeader Header);
}
