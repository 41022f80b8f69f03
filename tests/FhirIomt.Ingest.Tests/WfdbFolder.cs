using System.Buffers;
using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Ingest.Wfdb;

namespace FhirIomt.Ingest.Tests;

/// <summary>Headers and files of samples that lie beside each other, in memory.</summary>
internal sealed class WfdbFolder
{
    private static readonly DateTimeOffset Start = new(2026, 3, 14, 8, 0, 0, TimeSpan.FromHours(1));

    public Dictionary<string, byte[]> Files { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, string> Headers { get; } = new(StringComparer.Ordinal);

    public static byte[] Words(params IEnumerable<int> samples) => [.. samples.SelectMany(sample => BitConverter.GetBytes((short)sample))];

    public Outcome<WfdbRecord> Open(string header) =>
        WfdbHeader.Parse(header).TryGetValue(out var parsed, out var issues) ? WfdbRecord.Open(parsed, name => Headers[name]) : Outcome<WfdbRecord>.Refused(issues);

    /// <summary>The codes of what is wrong with the samples.</summary>
    public IEnumerable<string> Verify(string header) => Issues(header).Select(issue => issue.Code);

    public IReadOnlyList<Issue> Issues(string header) => WfdbRecording.Verify(Open(header).Require(), name => new MemoryStream(Files[name]));

    /// <summary>The samples of a signal in all messages of a record.</summary>
    public string Samples(string header, string signal)
    {
        using var recording = new WfdbRecording(Open(header).Require(), name => new MemoryStream(Files[name]), Start, device: null);
        var found = new List<string>();
        var buffer = new ArrayBufferWriter<byte>();
        while (recording.Next(buffer))
        {
            using var message = JsonDocument.Parse(buffer.WrittenMemory);
            var body = message.RootElement.GetProperty("Body");
            found.AddRange(new[] { "leads", "signals" }.SelectMany(list => body.TryGetProperty(list, out var some) ? [.. some.EnumerateArray()] : Array.Empty<JsonElement>())
                .Where(one => one.GetProperty("name").GetString() == signal).Select(one => one.GetProperty("data").GetString()!));
            buffer.ResetWrittenCount();
        }

        return string.Join(' ', found);
    }
}
