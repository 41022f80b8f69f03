using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace FhirIomt.Core;

/// <summary>
/// Writes a small JSON text with a writer and a buffer that its thread keeps, and answers a copy of exactly its size. A line of the audit took 4.5 kB of memory with a
/// writer and a growing buffer of its own, where it has 300 bytes.
/// </summary>
public static class JsonBytes
{
    /// <summary>Nothing is escaped that JSON does not ask for; that the calls make a text is the caller's affair.</summary>
    public static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    // A thread keeps no more than this: the receipts of a large batch are rare.
    private const int MaxKept = 256 * 1024;

    [ThreadStatic]
    private static (ArrayBufferWriter<byte> Buffer, Utf8JsonWriter Writer)? _kept;

    /// <param name="state">Handed to <paramref name="write"/>, so that it can be static.</param>
    public static byte[] Of<TState>(TState state, Action<Utf8JsonWriter, TState> write)
    {
        ArgumentNullException.ThrowIfNull(write);

        // Taken while it is used: what writes may come here again for a part of its own. One that a failure left half written does not come back.
        var (buffer, writer) = _kept ?? New();
        _kept = null;
        write(writer, state);
        writer.Flush();
        var bytes = buffer.WrittenSpan.ToArray();
        if (buffer.Capacity <= MaxKept)
        {
            buffer.ResetWrittenCount();
            writer.Reset();
            _kept = (buffer, writer);
        }

        return bytes;
    }

    public static byte[] Of(Action<Utf8JsonWriter> write) => Of(write, static (writer, write) => write(writer));

    private static (ArrayBufferWriter<byte> Buffer, Utf8JsonWriter Writer) New()
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        return (buffer, new Utf8JsonWriter(buffer, Options));
    }
}
