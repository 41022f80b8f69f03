using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using FhirIomt.Core;

namespace FhirIomt.Server.Commands;

/// <summary>What <c>validate</c> says of each file: for people, or one JSON line each for programs.</summary>
internal abstract class ValidationReport : IAsyncDisposable
{
    public static ValidationReport Text(TextWriter output, TextWriter errors) => new TextReport(output, errors);

    public static ValidationReport Json(Stream output) => new JsonReport(output);

    public abstract Task AddAsync(string name, ReadOnlyMemory<byte> text, IReadOnlyList<Issue> issues);

    /// <summary>Called after each file.</summary>
    public virtual void Progress(int done, int files)
    {
    }

    public virtual Task EndAsync(int valid, int invalid, int unusable) => Task.CompletedTask;

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class JsonReport(Stream output) : ValidationReport
    {
        private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

        private readonly BufferedStream _output = new(output);

        public override Task AddAsync(string name, ReadOnlyMemory<byte> text, IReadOnlyList<Issue> issues)
        {
            using (var writer = new Utf8JsonWriter(_output, Options))
            {
                writer.WriteStartObject();
                writer.WriteString("file", name);
                writer.WriteBoolean("valid", !issues.Any(issue => issue.Refuses));
                writer.WriteStartArray("issues");
                foreach (var issue in issues)
                {
                    Write(writer, issue);
                }

                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            _output.WriteByte((byte)'\n');
            return Task.CompletedTask;
        }

        public override async ValueTask DisposeAsync()
        {
            await _output.FlushAsync().ConfigureAwait(false);
            await _output.DisposeAsync().ConfigureAwait(false);
            await base.DisposeAsync().ConfigureAwait(false);
        }

        private static void Write(Utf8JsonWriter writer, Issue issue)
        {
            writer.WriteStartObject();
            writer.WriteString("severity", Severity(issue));
            writer.WriteString("code", issue.Code);
            writer.WriteString("expression", issue.Expression);
            if (issue.Position is { } position)
            {
                writer.WriteNumber("line", position.Line);
                writer.WriteNumber("column", position.Column);
            }
            else
            {
                writer.WriteNull("line");
                writer.WriteNull("column");
            }

            writer.WriteString("message", issue.Message);
            writer.WriteString("fix", issue.Fix);
            writer.WriteEndObject();
        }
    }

    /// <summary>Colours only on a terminal, and not when NO_COLOR says so.</summary>
    private sealed class TextReport(TextWriter output, TextWriter errors) : ValidationReport
    {
        // Below this the files scroll by fast enough.
        private const int ProgressFrom = 200;

        // A line longer than a screen is shown around the fault.
        private const int MaxShown = 110;

        private readonly bool _hasColour = !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("NO_COLOR") is not { Length: > 0 };
        private readonly bool _showsProgress = !Console.IsErrorRedirected;

        public override async Task AddAsync(string name, ReadOnlyMemory<byte> text, IReadOnlyList<Issue> issues)
        {
            var isValid = !issues.Any(issue => issue.Refuses);
            await output.WriteLineAsync($"{(isValid ? Paint("valid  ", 32) : Paint("invalid", 31))} {name}").ConfigureAwait(false);
            foreach (var issue in issues)
            {
                await WriteAsync(text, issue).ConfigureAwait(false);
            }
        }

        public override void Progress(int done, int files)
        {
            if (_showsProgress && files >= ProgressFrom && done % 50 == 0)
            {
                errors.Write($"\r{done} of {files} files ");
            }
        }

        public override Task EndAsync(int valid, int invalid, int unusable) =>
            output.WriteLineAsync($"{valid} valid, {invalid} invalid{(unusable > 0 ? $", {unusable} not read" : "")}");

        private async Task WriteAsync(ReadOnlyMemory<byte> text, Issue issue)
        {
            var place = issue.Position is { } position ? $"{position.Line}:{position.Column} " : "";
            var colour = issue.Refuses ? 31 : issue.Severity == IssueSeverity.Warning ? 33 : 36;
            await output.WriteLineAsync($"  {place}{Paint(Severity(issue), colour)} {issue.Code} {issue.Expression}").ConfigureAwait(false);
            await output.WriteLineAsync($"      {issue.Message}{(issue.Fix is { } fix ? $" {fix}" : "")}").ConfigureAwait(false);
            if (issue.Position is { } at && LineOf(text, at.Line) is { Length: > 0 } line)
            {
                await output.WriteLineAsync(Shown(line, at.Column)).ConfigureAwait(false);
            }
        }

        private string Shown(ReadOnlyMemory<byte> line, int column)
        {
            var from = Math.Clamp(column - 1 - (MaxShown / 2), 0, Math.Max(0, line.Length - MaxShown));
            var before = Encoding.UTF8.GetString(line.Span[from..Math.Min(line.Length, Math.Max(from, column - 1))]).Replace('\t', ' ');
            var after = Encoding.UTF8.GetString(line.Span[Math.Min(line.Length, Math.Max(from, column - 1))..Math.Min(line.Length, from + MaxShown)]).Replace('\t', ' ');
            return $"      {Paint("| ", 90)}{before}{after}\n      {Paint("| ", 90)}{new string(' ', before.Length)}{Paint("^", 31)}";
        }

        private static ReadOnlyMemory<byte> LineOf(ReadOnlyMemory<byte> text, int number)
        {
            for (; number > 1 && text.Span.IndexOf((byte)'\n') is >= 0 and var end; number--)
            {
                text = text[(end + 1)..];
            }

            return text.Span.IndexOfAny((byte)'\r', (byte)'\n') is >= 0 and var length ? text[..length] : text;
        }

        private string Paint(string text, int colour) => _hasColour ? $"\u001b[{colour}m{text}\u001b[0m" : text;
    }

    private static string Severity(Issue issue) => issue.Severity.ToString().ToLowerInvariant();
}
