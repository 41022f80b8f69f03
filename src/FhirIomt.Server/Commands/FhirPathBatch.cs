using System.Buffers;
using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.FhirPath;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Server.Commands;

/// <summary>Many expressions in one process: one line in, one line out, as they come.</summary>
internal sealed class FhirPathBatch(string folder, bool isStrict)
{
    // Batches mostly use one file or expression many times in a row; more are read again.
    private const int MaxKept = 64;

    private readonly Dictionary<string, FhirPathExpression> _expressions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, JsonTree> _files = new(StringComparer.Ordinal);
    private readonly ArrayBufferWriter<byte> _line = new();

    public static async Task<int> RunAsync(string file, bool isStrict, CancellationToken cancellationToken)
    {
        try
        {
            await using var input = file == "-" ? Console.OpenStandardInput() : File.OpenRead(file);
            await using var output = new BufferedStream(Console.OpenStandardOutput(), 64 * 1024);
            var batch = new FhirPathBatch(file == "-" ? Environment.CurrentDirectory : Path.GetDirectoryName(Path.GetFullPath(file))!, isStrict);
            await foreach (var line in NdjsonReader.ReadAsync(input, JsonLimits.Default, cancellationToken).ConfigureAwait(false))
            {
                await output.WriteAsync(await batch.AnswerAsync(line, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
                if (file == "-")
                {
                    // Somebody may be waiting for the answer before asking on.
                    await output.FlushAsync(cancellationToken).ConfigureAwait(false);
                }
            }

            return 0;
        }
        catch (Exception exception) when (ResourceFile.IsFileProblem(exception))
        {
            await Console.Error.WriteLineAsync($"{file}: {exception.Message}").ConfigureAwait(false);
            return ResourceFile.Unusable;
        }
    }

    private async Task<ReadOnlyMemory<byte>> AnswerAsync(NdjsonLine line, CancellationToken cancellationToken)
    {
        var request = line.Value.Succeeded ? line.Value.Require().Root : default;
        var outcome = line.Value.Succeeded ? await EvaluateAsync(request, cancellationToken).ConfigureAwait(false) : Outcome<IReadOnlyList<FhirPathItem>>.Refused(line.Value.Issues);
        _line.ResetWrittenCount();
        await using var writer = new Utf8JsonWriter(_line, JsonText.Options);
        writer.WriteStartObject();
        writer.WritePropertyName("id");
        if (request["id"u8] is { Exists: true } id)
        {
            id.WriteTo(writer);
        }
        else
        {
            writer.WriteNullValue();
        }

        if (outcome.TryGetValue(out var items, out var issues))
        {
            writer.WritePropertyName("result");
            FhirPathResult.Write(writer, items);
        }
        else
        {
            writer.WriteString("error", string.Join("; ", issues.Select(issue => $"{issue.Code} {issue.Message}")));
        }

        writer.WriteEndObject();
        await writer.FlushAsync(cancellationToken).ConfigureAwait(false);
        _line.Write("\n"u8);
        return _line.WrittenMemory;
    }

    private async Task<Outcome<IReadOnlyList<FhirPathItem>>> EvaluateAsync(ResourceNode request, CancellationToken cancellationToken)
    {
        if (request["expression"u8].AsString() is not { } text)
        {
            return Unusable("a line needs the member 'expression'.");
        }

        if (!Compile(text).TryGetValue(out var expression, out var issues))
        {
            return Outcome<IReadOnlyList<FhirPathItem>>.Refused(issues);
        }

        var resource = request["resource"u8];
        if (!resource.Exists && request["file"u8].AsString() is { } file)
        {
            if (!(await OpenAsync(file, cancellationToken).ConfigureAwait(false)).TryGetValue(out var tree, out issues))
            {
                return Outcome<IReadOnlyList<FhirPathItem>>.Refused(issues);
            }

            resource = tree.Root;
        }

        var focus = resource.IsObject ? FhirPathItem.Resource(resource, FhirDefinitions.R4) : default;
        if (isStrict && focus.Type is { } type && expression.Check(type) is { Count: > 0 } findings)
        {
            return Outcome<IReadOnlyList<FhirPathItem>>.Refused(findings);
        }

        return expression.TryEvaluate(focus, new FhirPathEnvironment { Resource = focus });
    }

    private Outcome<FhirPathExpression> Compile(string text)
    {
        if (_expressions.TryGetValue(text, out var known))
        {
            return known;
        }

        var outcome = FhirPathExpression.Compile(text, FhirDefinitions.R4);
        if (outcome.TryGetValue(out var expression, out _))
        {
            Keep(_expressions, text, expression);
        }

        return outcome;
    }

    private async Task<Outcome<JsonTree>> OpenAsync(string file, CancellationToken cancellationToken)
    {
        if (_files.TryGetValue(file, out var known))
        {
            return known;
        }

        try
        {
            var outcome = ResourceFile.Look(await ResourceFile.ReadAllAsync(Path.Combine(folder, file), cancellationToken).ConfigureAwait(false));
            if (outcome.TryGetValue(out var tree, out _))
            {
                Keep(_files, file, tree);
            }

            return outcome;
        }
        catch (Exception exception) when (ResourceFile.IsFileProblem(exception))
        {
            return Issue.Error(IssueKind.NotFound, "IOMT-0310", $"The file '{file}' cannot be read: {exception.Message}");
        }
    }

    private static void Keep<TValue>(Dictionary<string, TValue> kept, string key, TValue value)
    {
        if (kept.Count >= MaxKept)
        {
            kept.Clear();
        }

        kept[key] = value;
    }

    private static Issue Unusable(string what) => Issue.Error(IssueKind.Invalid, "IOMT-0311", $"A batch of expressions: {what}", fix: "Write {\"id\",\"expression\",\"resource\" or \"file\"}.");
}
