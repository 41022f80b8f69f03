using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;

namespace FhirIomt.Mapping.Running;

/// <summary>Puts prepared JSON and the few varying texts of a resource into a buffer.</summary>
internal readonly ref struct ResourceOutput(IBufferWriter<byte> output)
{
    public void Raw(ReadOnlySpan<byte> json) => output.Write(json);

    /// <summary>A text inside quotes that are already there, escaped where JSON needs it.</summary>
    public void Text(string text)
    {
        Span<byte> utf8 = text.Length <= 128 ? stackalloc byte[384] : new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        utf8 = utf8[..Encoding.UTF8.GetBytes(text, utf8)];
        if (JavaScriptEncoder.UnsafeRelaxedJsonEscaping.FindFirstCharacterToEncodeUtf8(utf8) < 0)
        {
            output.Write(utf8);
            return;
        }

        var target = output.GetSpan(utf8.Length * 6);
        JavaScriptEncoder.UnsafeRelaxedJsonEscaping.EncodeUtf8(utf8, target, out _, out var written);
        output.Advance(written);
    }

    /// <summary>A time in UTC in a round-trip form: the connector writes seven decimals.</summary>
    public void Time(DateTimeOffset time, string format)
    {
        var target = output.GetSpan(40);
        time.UtcDateTime.TryFormat(target, out var written, format, CultureInfo.InvariantCulture);
        output.Advance(written);
    }
}
