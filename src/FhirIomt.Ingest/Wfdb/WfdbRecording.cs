using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using FhirIomt.Core;

namespace FhirIomt.Ingest.Wfdb;

/// <summary>
/// A record of WFDB as messages for the mapping <c>ecg</c>: stretches of ten seconds, each <c>{"Body":{"start":…,"end":…,"periodMs":…,"leads":[…],"signals":[…]}}</c> with the samples as
/// they were recorded; signals of other rates are messages of their own, told apart by <c>series</c>. The same record is always cut at the same places, so that sending it again changes
/// nothing.
/// </summary>
public sealed partial class WfdbRecording : IDisposable
{
    // A strip of an ECG has ten seconds. 50,000 samples are about 250 kB: fifteen leads of 1,000 Hz come in pieces of three seconds.
    private const int StretchSeconds = 10;
    internal const int MaxSamples = 50_000;

    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    // What WFDB calls a unit, where UCUM calls it something else.
    private static readonly Dictionary<string, string> Ucum = new(StringComparer.Ordinal)
    {
        ["mV"] = "mV",
        ["uV"] = "uV",
        ["V"] = "V",
        ["nV"] = "nV",
        ["mmHg"] = "mm[Hg]",
        ["%"] = "%",
        ["bpm"] = "/min",
        ["degC"] = "Cel",
        ["deg C"] = "Cel",
        ["NU"] = "1",
        ["nu"] = "1",
        ["L/min"] = "L/min",
        ["mL"] = "mL",
        ["Hz"] = "Hz",
        ["s"] = "s",
    };

    private readonly WfdbRecord _record;
    private readonly WfdbSource _source;
    private readonly DateTimeOffset _start;
    private readonly string? _device;
    private readonly int _frames;
    private readonly WfdbStretch _stretch;
    private readonly IGrouping<int, int>[] _series;
    private int _written;
    private bool _isWaiting;
    private long _first;

    /// <param name="open">Opens a file that a header names; may throw what opening a file throws.</param>
    /// <param name="start">When the first sample was taken.</param>
    /// <param name="device">Identifier of the recorder; null when the credential says it.</param>
    public WfdbRecording(WfdbRecord record, Func<string, Stream> open, DateTimeOffset start, string? device)
    {
        (_record, _start, _device) = (record, start.ToUniversalTime(), device);
        _frames = (int)Math.Max(1, Math.Min(Math.Floor(StretchSeconds * record.Header.Rate), MaxSamples / record.SamplesPerFrame));
        _stretch = new WfdbStretch(record, _frames);
        _source = new WfdbSource(record, open);
        _series = [.. Enumerable.Range(0, record.Signals.Count).GroupBy(signal => record.Signals[signal].PerFrame)];
        _written = _series.Length;
    }

    /// <summary>Reads all samples once: their number and their checksums must be those of the headers. Codes IOMT-0616 and IOMT-0617; none when all is well.</summary>
    public static IReadOnlyList<Issue> Verify(WfdbRecord record, Func<string, Stream> open) =>
        [.. record.Pieces.Select(piece => piece.Header).OfType<WfdbHeader>().Distinct(ReferenceEqualityComparer.Instance).Cast<WfdbHeader>().SelectMany(header => Verify(header, open))];

    private static IReadOnlyList<Issue> Verify(WfdbHeader header, Func<string, Stream> open)
    {
        using var frames = new WfdbFrames(header, open);
        var signals = header.Signals.Index().SelectMany(signal => Enumerable.Repeat(signal.Index, signal.Item.PerFrame)).ToArray();
        var sums = new long[header.Signals.Count];
        var frame = new int[signals.Length];
        long count = 0;
        while ((header.Frames is not { } all || count < all) && frames.Next(frame))
        {
            count++;
            for (var sample = 0; sample < frame.Length; sample++)
            {
                sums[signals[sample]] += frame[sample];
            }
        }

        if (frames.CheckEnd() is { } problem)
        {
            return [problem];
        }

        if (count == 0 || header.Frames > count)
        {
            return [WfdbIssues.Mismatch(string.Create(CultureInfo.InvariantCulture, $"{count} frames are there in {header.Name}, not {header.Frames ?? 1}"))];
        }

        return [.. header.Signals.Where((signal, index) => signal.Checksum is { } wanted && wanted != unchecked((ushort)sums[index])).Select(signal => WfdbIssues.Mismatch($"the checksum of '{signal.Name}' in {header.Name} is another"))];
    }

    /// <summary>Writes the next message; false at the end. What was not recorded in a stretch at all is not in it, and nothing tells of a stretch in which nothing was.</summary>
    public bool Next(IBufferWriter<byte> output)
    {
        while (true)
        {
            while (_written < _series.Length)
            {
                var series = _series[_written++];
                if (series.Any(signal => _stretch.SignalOf(signal) is not null))
                {
                    WriteStretch(output, series);
                    return true;
                }
            }

            if (!Fill())
            {
                return false;
            }

            _written = 0;
        }
    }

    public void Dispose() => _source.Dispose();

    // A frame that does not go with those before waits for the next stretch.
    private bool Fill()
    {
        _first += _stretch.Count;
        _stretch.Clear();
        if (!_isWaiting)
        {
            _first += _source.SkipGap(_frames);
        }

        while (!_stretch.IsFull && (_isWaiting || _source.Next()))
        {
            _isWaiting = !_stretch.TryAdd(_source);
            if (_isWaiting)
            {
                break;
            }
        }

        return _stretch.Count > 0;
    }

    /// <summary>To so many digits, which is more than any converter has: 1/7247 never ends.</summary>
    public static decimal Rounded(decimal value)
    {
        const int Digits = 15;
        var places = Digits - 1;
        for (var size = Math.Abs(value); size is > 0 and < 1 && places < 28; size *= 10)
        {
            places++;
        }

        for (var size = Math.Abs(value); size >= 10 && places > 0; size /= 10)
        {
            places--;
        }

        var rounded = decimal.Round(value, places);

        // 0.0050000 says no more than 0.005.
        return rounded / 1.0000000000000000000000000000m;
    }

    private void WriteStretch(IBufferWriter<byte> output, IGrouping<int, int> series)
    {
        using var json = new Utf8JsonWriter(output, Relaxed);
        json.WriteStartObject();
        json.WriteStartObject("Body"u8);
        if (_device is not null)
        {
            json.WriteString("deviceId"u8, _device);
        }

        json.WriteString("start"u8, TimeOf(_first));
        json.WriteString("end"u8, TimeOf(_first + _stretch.Count));
        var rate = _record.Header.Rate * series.Key;
        json.WriteNumber("periodMs"u8, Rounded(1000 / rate));
        if (_series.Length > 1)
        {
            json.WriteString("series"u8, string.Create(CultureInfo.InvariantCulture, $"{rate / 1.0000000000000000000000000000m} Hz"));
        }

        json.WriteString("note"u8, "Record " + _record.Header.Name);
        WriteSignals(json, "leads", series, isLead: true);
        WriteSignals(json, "signals", series, isLead: false);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteSignals(Utf8JsonWriter json, string name, IEnumerable<int> series, bool isLead)
    {
        var chosen = series.Select(index => (Index: index, Signal: _stretch.SignalOf(index))).Where(one => one.Signal is { } signal && LeadName().IsMatch(signal.Name) == isLead).ToList();
        if (chosen.Count == 0)
        {
            return;
        }

        json.WriteStartArray(name);
        foreach (var (index, signal) in chosen)
        {
            WriteSignal(json, signal!, _stretch.DataOf(index));
        }

        json.WriteEndArray();
    }

    private static void WriteSignal(Utf8JsonWriter json, WfdbSignal signal, string data)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, signal.Name);
        var known = Ucum.GetValueOrDefault(signal.Unit);
        json.WriteString(known is null ? "unitText"u8 : "unit"u8, known ?? signal.Unit);
        json.WriteNumber("factor"u8, Rounded(1 / signal.Gain));
        json.WriteNumber("origin"u8, Rounded(signal.ValueOf(0)));
        if (signal.Resolution is { } bits)
        {
            var half = 1L << (bits - 1);
            var (one, other) = (Rounded(signal.ValueOf(signal.Zero - half)), Rounded(signal.ValueOf(signal.Zero + half - 1)));
            json.WriteNumber("lowerLimit"u8, Math.Min(one, other));
            json.WriteNumber("upperLimit"u8, Math.Max(one, other));
        }

        json.WriteString("data"u8, data);
        json.WriteEndObject();
    }

    private string TimeOf(long frame) => _start.AddTicks((long)decimal.Round((decimal)frame * TimeSpan.TicksPerSecond / _record.Header.Rate)).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);

    // I, aVR, V1; modified leads such as MLII and MCL1; V and ECG of monitors; Frank's leads.
    [GeneratedRegex("^(I{1,3}|aV[RLF]|V[1-9XYZ]?|ML(I{1,3}|[1-6])|M?CL[1-6]|CM[2-5]|(ECG|EKG)([0-9]*|[ _].*))$", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex LeadName();
}
