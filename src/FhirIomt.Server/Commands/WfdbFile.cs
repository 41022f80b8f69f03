using System.Buffers;
using System.Globalization;
using FhirIomt.Core;
using FhirIomt.Ingest.Wfdb;

namespace FhirIomt.Server.Commands;

/// <summary>A header of WFDB with the files of samples beside it, ready to be sent.</summary>
internal sealed class WfdbFile
{
    // Sixteen stretches of the widest recordings; far below the limit of a request.
    private const int BatchBytes = 4 * 1024 * 1024;

    // A header has a line for each signal.
    private const int MaxHeaderBytes = 1024 * 1024;

    private readonly WfdbRecord _record;
    private readonly string _folder;

    private WfdbFile(WfdbRecord record, string folder) => (_record, _folder) = (record, folder);

    /// <summary>Reads the header and those of its segments, and all samples once to see that they are the headers'.</summary>
    public static Outcome<WfdbFile> Open(string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (ReadHeader(path) is not { } text)
        {
            return Issue.Error(IssueKind.TooLong, "IOMT-0615", "The header is longer than any header is.", fix: "Name the .hea file, not the samples.");
        }

        // A segment's header that is too long is read as an empty one, which is refused.
        if (!WfdbHeader.Parse(text).TryGetValue(out var header, out var issues)
            || !WfdbRecord.Open(header, name => ReadHeader(Path.Combine(folder, name + ".hea")) ?? "").TryGetValue(out var record, out issues))
        {
            return Outcome<WfdbFile>.Refused(issues);
        }

        var file = new WfdbFile(record, folder);
        issues = WfdbRecording.Verify(record, file.OpenSamples);
        return issues.Count > 0 ? Outcome<WfdbFile>.Refused(issues) : file;
    }

    private static string? ReadHeader(string path) => new FileInfo(path).Length > MaxHeaderBytes ? null : File.ReadAllText(path);

    /// <summary>When the first sample was taken: as the caller says, else by the header's clock, whose zone the caller must know. Null when nobody knows.</summary>
    public DateTimeOffset? StartOf(DateTimeOffset? start, TimeZoneInfo? zone)
    {
        if (start is not null || zone is null || _record.Header is not { BaseDate: { } date, BaseTime: { } time })
        {
            return start;
        }

        var clock = date.ToDateTime(TimeOnly.MinValue).Add(time);
        return zone.IsInvalidTime(clock) || zone.IsAmbiguousTime(clock) ? null : new DateTimeOffset(clock, zone.GetUtcOffset(clock));
    }

    /// <summary>The messages as NDJSON, some at a time.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Batches(DateTimeOffset start, string? device)
    {
        using var recording = new WfdbRecording(_record, OpenSamples, start, device);
        var buffer = new ArrayBufferWriter<byte>();
        while (recording.Next(buffer))
        {
            buffer.Write("\n"u8);
            if (buffer.WrittenCount >= BatchBytes)
            {
                yield return buffer.WrittenMemory;
                buffer.ResetWrittenCount();
            }
        }

        if (buffer.WrittenCount > 0)
        {
            yield return buffer.WrittenMemory;
        }
    }

    /// <summary>An IANA name or an offset such as +01:00; null when it is neither.</summary>
    public static TimeZoneInfo? ZoneOf(string text) =>
        text.Length > 0 && text[0] is '+' or '-' && TimeSpan.TryParseExact(text[1..], @"hh\:mm", CultureInfo.InvariantCulture, out var offset) && offset <= TimeSpan.FromHours(14)
            ? TimeZoneInfo.CreateCustomTimeZone(text, text[0] == '-' ? -offset : offset, text, text)
            : TimeZoneInfo.TryFindSystemTimeZoneById(text, out var zone) ? zone : null;

    private FileStream OpenSamples(string name) => File.OpenRead(Path.Combine(_folder, name));
}
