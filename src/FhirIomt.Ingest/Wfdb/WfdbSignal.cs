using System.Globalization;
using FhirIomt.Core;

namespace FhirIomt.Ingest.Wfdb;

/// <summary>One signal of a record: where its samples are, and what a sample means: (sample − <paramref name="Baseline"/>) / <paramref name="Gain"/>, in <paramref name="Unit"/>.</summary>
/// <param name="PerFrame">Its samples in each frame: more than one for a signal that was recorded faster than the record's rate says.</param>
/// <param name="Skew">Frames by which its samples stand late in the file.</param>
/// <param name="Offset">Bytes before the first sample of the file; in a compressed file samples of each signal.</param>
/// <param name="Resolution">Bits of the converter; null when the header does not say.</param>
/// <param name="Zero">The sample in the middle of what the converter can tell.</param>
/// <param name="Initial">What the first difference is added to, where the file holds differences.</param>
/// <param name="Checksum">The low 16 bits of the sum of all samples, those before the record's beginning by <paramref name="Skew"/> included.</param>
public sealed record WfdbSignal(
    string File, WfdbFormat Format, int PerFrame, int Skew, long Offset, decimal Gain, int Baseline, string Unit, int? Resolution, int Zero, int Initial, ushort? Checksum, string Name)
{
    // What WFDB assumes for a signal that nobody has calibrated.
    private const decimal UncalibratedGain = 200;

    // Sound beside a temperature, say: 48,000 Hz in frames of one second.
    private const int MaxPerFrame = 50_000;

    /// <summary>Whether samples of both mean the same.</summary>
    public bool MeansSameAs(WfdbSignal other) =>
        (Gain, Baseline, Unit, Resolution, Zero) == (other.Gain, other.Baseline, other.Unit, other.Resolution, other.Zero);

    /// <summary>Why it cannot be described behind the one before; null when it can.</summary>
    internal string? WhyNotBehind(WfdbSignal before) =>
        File != before.File ? null
        : Format != before.Format ? $"'{File}' has signals of two formats"
        : Format.IsFlac && PerFrame != before.PerFrame ? $"'{File}' is compressed, and its signals have different numbers of samples in a frame"
        : null;

    /// <summary>Codes IOMT-0615 and IOMT-0616.</summary>
    /// <param name="index">Which signal it is, from 0: names one that has no name.</param>
    /// <param name="isLayout">It stands in a layout, which has no samples and so no file.</param>
    public static Outcome<WfdbSignal> Parse(string line, int number, int index, bool isLayout = false)
    {
        var fields = line.Split((char[]?)null, 9, StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length < 2)
        {
            return WfdbIssues.BadHeader(number, "a signal needs a file and a format");
        }

        if ((fields[0] is "~" or "-" && !isLayout) || fields[0].AsSpan().IndexOfAny("/\\") >= 0)
        {
            return WfdbIssues.NotSupported($"A signal in the file '{fields[0]}', which is no file beside the header,");
        }

        if (!ReadFormat(fields[1], number, isLayout).TryGetValue(out var place, out var issues) || !ReadScale(fields.ElementAtOrDefault(2), number).TryGetValue(out var scale, out issues))
        {
            return Outcome<WfdbSignal>.Refused(issues);
        }

        // Resolution, zero, initial value, checksum, block size
        var numbers = new int[5];
        for (var field = 3; field < Math.Min(fields.Length, 8); field++)
        {
            if (!int.TryParse(fields[field], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out numbers[field - 3]))
            {
                return WfdbIssues.BadHeader(number, $"'{fields[field]}' is no number");
            }
        }

        if (numbers[0] is < 0 or > 32)
        {
            return WfdbIssues.BadHeader(number, "a converter has up to 32 bits");
        }

        return new WfdbSignal(
            fields[0], place.Format, place.PerFrame, place.Skew, place.Offset, scale.Gain, scale.Baseline ?? numbers[1], scale.Unit, numbers[0] > 0 ? numbers[0] : null, numbers[1],
            fields.Length > 5 ? numbers[2] : numbers[1], fields.Length > 6 ? unchecked((ushort)numbers[3]) : null, fields.Length > 8 ? fields[8] : $"signal {index + 1}");
    }

    /// <summary>What a sample means, in its unit.</summary>
    public decimal ValueOf(long sample) => (sample - Baseline) / Gain;

    // 212, 16+24, 212x4:8+24: a format, samples in a frame, skew, what stands before the first.
    private static Outcome<Place> ReadFormat(string text, int number, bool isLayout)
    {
        var parts = text.Split('+');
        var late = parts[0].Split(':');
        var kind = late[0].Split('x');
        var perFrame = 1;
        if (!int.TryParse(kind[0], NumberStyles.None, CultureInfo.InvariantCulture, out var code) || kind.Length > 2
            || (kind.Length == 2 && (!int.TryParse(kind[1], NumberStyles.None, CultureInfo.InvariantCulture, out perFrame) || perFrame is 0 or > MaxPerFrame)))
        {
            return WfdbIssues.BadHeader(number, $"'{late[0]}' is no format");
        }

        if ((isLayout ? WfdbFormat.None : WfdbFormat.Find(code)) is not { } format)
        {
            return WfdbIssues.NotSupported($"Format {code}");
        }

        var skew = 0;
        if (late.Length > 2 || (late.Length == 2 && !int.TryParse(late[1], NumberStyles.None, CultureInfo.InvariantCulture, out skew)))
        {
            return WfdbIssues.BadHeader(number, $"'{parts[0]}' is no format with skew");
        }

        long offset = 0;
        if (parts.Length > 2 || (parts.Length == 2 && !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out offset)))
        {
            return WfdbIssues.BadHeader(number, $"'{text}' is no format with an offset");
        }

        return new Place(format, perFrame, FramesOf(skew, perFrame), offset);
    }

    // The header counts samples of the signal; WFDB's library shifts whole frames, the nearest number of them.
    private static int FramesOf(int skew, int perFrame) => (int)((skew + (perFrame / 2L)) / perFrame);

    // 200(1024)/mV
    private static Outcome<Scale> ReadScale(string? text, int number)
    {
        if (text is null)
        {
            return new Scale(UncalibratedGain, null, "mV");
        }

        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var unit = slash < 0 ? "mV" : text[(slash + 1)..];
        var rest = slash < 0 ? text : text[..slash];
        int? baseline = null;
        if (rest.IndexOf('(', StringComparison.Ordinal) is >= 0 and var open)
        {
            if (!rest.EndsWith(')') || !int.TryParse(rest.AsSpan(open + 1, rest.Length - open - 2), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
            {
                return WfdbIssues.BadHeader(number, $"'{text}' is no gain with a baseline");
            }

            baseline = value;
            rest = rest[..open];
        }

        // A number beyond what a device can have overflows nothing: it is no gain.
        if (!decimal.TryParse(rest, NumberStyles.Float, CultureInfo.InvariantCulture, out var gain) || Math.Abs(gain) is > 1e12m or (> 0 and < 1e-12m))
        {
            return WfdbIssues.BadHeader(number, $"'{rest}' is no gain");
        }

        return new Scale(gain == 0 ? UncalibratedGain : gain, baseline, unit);
    }

    private readonly record struct Place(WfdbFormat Format, int PerFrame, int Skew, long Offset);

    private readonly record struct Scale(decimal Gain, int? Baseline, string Unit);
}
