using System.Buffers;
using System.CommandLine;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Xml;
using FhirIomt.Ingest.HealthExport;

namespace FhirIomt.Server.Commands;

/// <summary>
/// <c>fhiriomt ingest FILE --credential SECRET [--mapping NAME] [--server URL]</c>: a file of any size to a running server, read as a stream and sent in batches: the export.xml of
/// Apple Health, or NDJSON. Sending a file again is safe. Exit code 0: all taken; 1: some wait in quarantine or are refused; 2: the file or the server cannot be used.
/// </summary>
internal static class IngestCommand
{
    // About 1 MB of Apple records: one group commit, and far below the limits of a request.
    private const int BatchSize = 2000;

    public static Command Build()
    {
        var file = new Argument<string>("FILE") { Description = "export.xml of Apple Health, or NDJSON" };
        var mapping = new Option<string?>("--mapping") { Description = "Mapping; apple-health for XML", HelpName = "NAME" };
        var credential = new Option<string>("--credential") { Description = "Credential of the device or vendor", Required = true, HelpName = "SECRET" };
        var server = new Option<string>("--server") { Description = "Address of the server", DefaultValueFactory = _ => "http://127.0.0.1:8080" };
        var command = new Command("ingest", "Send a file of any size to a running server") { file, mapping, credential, server };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(file)!, parsed.GetValue(mapping), parsed.GetValue(credential)!, parsed.GetValue(server)!.TrimEnd('/'), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string file, string? mapping, string credential, string server, CancellationToken cancellationToken)
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", credential);
        var isXml = file.EndsWith(".xml", StringComparison.OrdinalIgnoreCase);
        var target = new Uri($"{server}/devices/messages?mapping={Uri.EscapeDataString(mapping ?? (isXml ? "apple-health" : ""))}");
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        try
        {
            using var stream = File.OpenRead(file);
            foreach (var batch in isXml ? Records(stream) : Lines(stream))
            {
                if (await SendAsync(http, target, batch, counts, cancellationToken).ConfigureAwait(false) is { } refusal)
                {
                    await Console.Error.WriteLineAsync(refusal).ConfigureAwait(false);
                    return ResourceFile.Unusable;
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or XmlException or HttpRequestException)
        {
            await Console.Error.WriteLineAsync(exception.Message).ConfigureAwait(false);
            return ResourceFile.Unusable;
        }

        Console.WriteLine(string.Join(", ", counts.Select(count => string.Create(CultureInfo.InvariantCulture, $"{count.Value} {count.Key}"))));
        return counts.Keys.Any(status => status is "quarantined" or "refused" or "partial") ? 1 : 0;
    }

    private static async Task<string?> SendAsync(HttpClient http, Uri target, ReadOnlyMemory<byte> batch, SortedDictionary<string, int> counts, CancellationToken cancellationToken)
    {
        using var content = new ReadOnlyMemoryContent(batch);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        using var answer = await http.PostAsync(target, content, cancellationToken).ConfigureAwait(false);
        var text = await answer.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
        if (!answer.IsSuccessStatusCode)
        {
            return $"The server answered {(int)answer.StatusCode}: {System.Text.Encoding.UTF8.GetString(text)}";
        }

        using var receipt = JsonDocument.Parse(text);
        foreach (var message in receipt.RootElement.GetProperty("messages").EnumerateArray())
        {
            var status = message.GetProperty("status").GetString()!;
            counts[status] = counts.GetValueOrDefault(status) + 1;
        }

        return null;
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Records(Stream stream)
    {
        using var reader = new HealthExportReader(stream);
        var buffer = new ArrayBufferWriter<byte>();
        var count = 0;
        while (reader.Next(buffer))
        {
            buffer.Write("\n"u8);
            if (++count % BatchSize == 0)
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

    private static IEnumerable<ReadOnlyMemory<byte>> Lines(Stream stream)
    {
        using var reader = new StreamReader(stream);
        var buffer = new ArrayBufferWriter<byte>();
        var count = 0;
        while (reader.ReadLine() is { } line)
        {
            buffer.Write(System.Text.Encoding.UTF8.GetBytes(line));
            buffer.Write("\n"u8);
            if (++count % BatchSize == 0)
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
}
