using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using FhirIomt.Core;

namespace FhirIomt.Ingest.Wfdb;

/// <summary>
/// A record of WFDB as messages for the mapping <c>ecg</c>: stretches of ten seconds, each <c>{"Body":{"start":…,"end":…,"periodMs":…,"leads":[…],"signals":[…]}}</c> with the samples as
/// they were recorded. The same record is always cut at the same places, so that sending it again changes nothing.
/// </summary>
public sealed partial class WfdbRecording : IDisposable
{
    // A strip of an ECG has ten seconds. 50,000 samples are about 250 kB: fifteen leads of 1,000 Hz come in pieces of three seconds.
    private const int StretchSeconds = 10;
    private const int MaxSamples = 50_000;

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

    private readonly WfdbHeader _header;
    private readonly WfdbFrames _frames;
    private readonly DateTimeOffset _start;
    private readonly string? _device;
    private readonly Stretch _stretch;
    private readonly int[] _frame;
    private long _first;

    /// <param name="open">Opens a file that the header names; may throw what opening a file throws.</param>
    /// <param name="start">When the first sample was taken.</param>
    /// <param name="device">Identifier of the recorder; null when the credential says it.</param>
    public WfdbRecording(WfdbHeader header, Func<string, Stream> open, DateTimeOffset start, string? device)
    {
        (_header, _start, _device) = (header, start.ToUniversalTime(), device);
        _stretch = new Stretch(header, (int)Math.Max(1, Math.Min(Math.Floor(StretchSeconds * header.Rate), MaxSamples / header.Signals.Count)));
        _frame = new int[header.Signals.Count];
        _frames = new WfdbFrames(header, open);
    }

    /// <summary>Reads all samples once: their number and their checksums must be those of the header. Code IOMT-0617; none when all is well.</summary>
    public static IReadOnlyList<Issue> Verify(WfdbHeader header, Func<string, Stream> open)
    {
        using var frames = new WfdbFrames(header, open);
        var sums = new long[header.Signals.Count];
        var frame = new int[sums.Length];
        long count = 0;
        while ((header.Frames is not { } all || count < all) && frames.Next(frame))
        {
            count++;
            for (var signal = 0; signal < frame.Length; signal++)
            {
                sums[signal] += frame[signal];
            }
        }

        if (count == 0 || header.Frames > count)
        {
            return [WfdbIssues.Mismatch(string.Create(CultureInfo.InvariantCulture, $"{count} samples of each signal are there, not {header.Frames ?? 1}"))];
        }

        return [.. header.Signals.Where((signal, index) => signal.Checksum is { } wanted && wanted != unchecked((ushort)sums[index])).Select(signal => WfdbIssues.Mismatch($"the checksum of '{signal.Name}' is another"))];
    }

    /// <summary>Writes the next message; false at the end.</summary>
    public bool Next(IBufferWriter<byte> output)
    {
        _stretch.Clear();
        while (!_stretch.IsFull && (_header.Frames is not { } all || _first + _stretch.Count < all) && _frames.Next(_frame))
        {
            _stretch.Add(_frame);
        }

        if (_stretch.Count == 0)
        {
            return false;
        }

        WriteStretch(output);
        _first += _stretch.Count;
        return true;
    }

    public void Dispose() => _frames.Dispose();

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

    private void WriteStretch(IBufferWriter<byte> output)
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
        json.WriteNumber("periodMs"u8, Rounded(1000 / _header.Rate));
        json.WriteString("note"u8, "Record " + _header.Name);
        WriteSignals(json, "leads", isLead: true);
        WriteSignals(json, "signals", isLead: false);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteSignals(Utf8JsonWriter json, string name, bool isLead)
    {
        var chosen = _header.Signals.Index().Where(signal => LeadName().IsMatch(signal.Item.Name) == isLead).ToList();
        if (chosen.Count == 0)
        {
            return;
        }

        json.WriteStartArray(name);
        foreach (var (index, signal) in chosen)
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

            json.WriteString("data"u8, _stretch.DataOf(index));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private string TimeOf(long frame) => _start.AddTicks((long)decimal.Round(frame * TimeSpan.TicksPerSecond / _header.Rate)).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);

    // I, aVR, V1; modified leads such as MLII and MCL1; V and ECG of monitors; Frank's leads.
    [GeneratedRegex("^(I{1,3}|aV[RLF]|V[1-9XYZ]?|ML(I{1,3}|[1-6])|M?CL[1-6]|CM[2-5]|(ECG|EKG)([0-9]*|[ _].*))$", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex LeadName();

    /// <summary>The samples of one message, as texts.</summary>
    private sealed class Stretch(WfdbHeader header, int frames)
    {
        // Four digits and a space.
        private readonly StringBuilder[] _data = [.. header.Signals.Select(_ => new StringBuilder(frames * 5))];

        public int Count { get; private set; }

        public bool IsFull => Count == frames;

        public void Clear()
        {
            Count = 0;
            foreach (var data in _data)
            {
                data.Clear();
            }
        }

        public void Add(ReadOnlySpan<int> frame)
        {
            for (var signal = 0; signal < frame.Length; signal++)
            {
                var data = _data[signal];
                if (Count > 0)
                {
                    data.Append(' ');
                }

                _ = frame[signal] == header.Signals[signal].Format.Missing ? data.Append('E') : data.Append(CultureInfo.InvariantCulture, $"{frame[signal]}");
            }

            Count++;
        }

        public string DataOf(int signal) => _data[signal].ToString();
    }
}
