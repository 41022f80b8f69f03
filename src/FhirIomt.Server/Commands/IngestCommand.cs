using System.Buffers;
using System.CommandLine;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Xml;
using FhirIomt.Ingest.HealthExport;

namespace FhirIomt.Server.Commands;

/// <summary>
/// <c>fhiriomt ingest FILE [--credential-stdin] [--mapping NAME] [--format FORMAT] [--server URL]</c>: a file of any size to a running server, read as a stream and sent in batches: the export.xml of
/// Apple Health, a record of WFDB, or NDJSON. Sending a file again is safe. Exit code 0: all taken; 1: some wait in quarantine or are refused; 2: the file or the server cannot be used.
/// </summary>
internal static class IngestCommand
{
    private const string Apple = "apple";
    private const string Wfdb = "wfdb";
    private const string Lines = "ndjson";

    // About 1 MB of Apple records: one group commit, and far below the limits of a request.
    private const int BatchSize = 2000;

    public static Command Build()
    {
        var file = new Argument<string>("FILE") { Description = "export.xml of Apple Health, .hea of WFDB, or NDJSON" };
        var mapping = new Option<string?>("--mapping") { Description = "Mapping; apple-health for XML, ecg for WFDB", HelpName = "NAME" };
        var credential = new SecretOption("--credential", "FHIRIOMT_CREDENTIAL", "Credential of the device or vendor", "SECRET");
        var server = new Option<string>("--server") { Description = "Address of the server", DefaultValueFactory = _ => "http://127.0.0.1:8080" };
        var format = new Option<string?>("--format") { Description = "apple, wfdb or ndjson; by the file's name otherwise" };
        format.AcceptOnlyFromAmong(Apple, Wfdb, Lines);
        var device = new Option<string?>("--device") { Description = "WFDB: identifier of the recorder, for a vendor's credential", HelpName = "ID" };
        var start = new Option<string?>("--start") { Description = "WFDB: when the record begins, with an offset", HelpName = "TIME" };
        var zone = new Option<string?>("--zone") { Description = "WFDB: of the header's own date and time, such as Europe/Berlin or +01:00", HelpName = "ZONE" };
        var command = new Command("ingest", "Send a file of any size to a running server") { file, mapping, server, format, device, start, zone };
        credential.AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            if (!credential.Read(parsed).TryGetValue(out var secret, out var issues))
            {
                StoreSession.Refuse(issues);
                return Task.FromResult(ResourceFile.Unusable);
            }

            var path = parsed.GetValue(file)!;
            var kind = parsed.GetValue(format) ?? Path.GetExtension(path).ToLowerInvariant() switch { ".xml" => Apple, ".hea" => Wfdb, _ => Lines };
            var target = new Target(parsed.GetValue(server)!.TrimEnd('/'), secret, parsed.GetValue(mapping) ?? kind switch { Apple => "apple-health", Wfdb => "ecg", _ => "" });
            return kind == Wfdb
                ? SendWfdbAsync(path, parsed.GetValue(device), parsed.GetValue(start), parsed.GetValue(zone), target, cancellationToken)
                : RunAsync(() => Batches(path, kind), target, cancellationToken);
        });
        return command;
    }

    private static async Task<int> SendWfdbAsync(string path, string? device, string? start, string? zone, Target target, CancellationToken cancellationToken)
    {
        DateTimeOffset? began = null;
        if (start is not null && (began = TimeOf(start)) is null)
        {
            return await FailAsync($"ingest: '{start}' is no time with an offset, such as 2026-03-14T08:00:00+01:00").ConfigureAwait(false);
        }

        if (zone is not null && WfdbFile.ZoneOf(zone) is null)
        {
            return await FailAsync($"ingest: '{zone}' is no zone such as Europe/Berlin or +01:00").ConfigureAwait(false);
        }

        try
        {
            if (!WfdbFile.Open(path).TryGetValue(out var record, out var issues))
            {
                return await FailAsync(string.Join('\n', issues.Select(issue => $"{path}: {issue.Code} {issue.Message} {issue.Fix}"))).ConfigureAwait(false);
            }

            return record.StartOf(began, zone is null ? null : WfdbFile.ZoneOf(zone)) is { } first
                ? await RunAsync(() => record.Batches(first, device), target, cancellationToken).ConfigureAwait(false)
                : await FailAsync("ingest: the record does not say when it begins: give --start with an offset, or --zone where its header has date and time").ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return await FailAsync(exception.Message).ConfigureAwait(false);
        }
    }

    // What names no offset is not taken for this machine's time.
    private static DateTimeOffset? TimeOf(string text) =>
        DateTimeOffset.TryParseExact(text, ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    private static async Task<int> FailAsync(string message)
    {
        await Console.Error.WriteLineAsync(message).ConfigureAwait(false);
        return ResourceFile.Unusable;
    }

    private static async Task<int> RunAsync(Func<IEnumerable<ReadOnlyMemory<byte>>> batches, Target target, CancellationToken cancellationToken)
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", target.Credential);
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        try
        {
            foreach (var batch in batches())
            {
                if (await SendAsync(http, target.Address, batch, counts, cancellationToken).ConfigureAwait(false) is { } refusal)
                {
                    return await FailAsync(refusal).ConfigureAwait(false);
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or XmlException or HttpRequestException)
        {
            return await FailAsync(exception.Message).ConfigureAwait(false);
        }

        Console.WriteLine(string.Join(", ", counts.Select(count => string.Create(CultureInfo.InvariantCulture, $"{count.Value} {count.Key}"))));
        return counts.Keys.Any(status => status is "quarantined" or "refused" or "partial") ? 1 : 0;
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Batches(string path, string kind)
    {
        using var stream = File.OpenRead(path);
        foreach (var batch in kind == Apple ? Records(stream) : LinesOf(stream))
        {
            yield return batch;
        }
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

    private static IEnumerable<ReadOnlyMemory<byte>> LinesOf(Stream stream)
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

    /// <summary>Where to, as whom, and how the messages are to be read.</summary>
    private sealed record Target(string Server, string Credential, string Mapping)
    {
        public Uri Address => new($"{Server}/devices/messages?mapping={Uri.EscapeDataString(Mapping)}");
    }
}
