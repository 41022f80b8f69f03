using System.Globalization;
using FhirIomt.Core;

namespace FhirIomt.Ingest.Wfdb;

/// <summary>A line of a header that says which record is the next part of this one.</summary>
/// <param name="Name">The record, whose header lies beside this one; null for a gap in which nothing was recorded.</param>
public sealed record WfdbSegment(string? Name, long Frames)
{
    internal static Outcome<WfdbSegment> Parse(string line, int number)
    {
        var fields = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length < 2 || !long.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out var frames) || frames > int.MaxValue)
        {
            return WfdbIssues.BadHeader(number, "a segment needs the name of its record and the number of its samples");
        }

        return fields[0].AsSpan().IndexOfAny("/\\.") >= 0
            ? WfdbIssues.NotSupported($"A segment '{fields[0]}', which is no record beside the header,")
            : new WfdbSegment(fields[0] == "~" ? null : fields[0], frames);
    }
}
