using System.Buffers;
using System.CommandLine;
using System.Text.Json;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.FhirPath;
using FhirIomt.Fhir.Json;

namespace FhirIomt.Server.Commands;

/// <summary>
/// <c>fhiriomt fhirpath EXPR FILE [--strict]</c> and <c>fhiriomt fhirpath --batch FILE|- [--strict]</c>. Exit code 0: evaluated; 1: the expression or the resource is refused;
/// 2: file or arguments. In a batch every line has its own answer, and the exit code says only whether the batch could be read.
/// </summary>
internal static class FhirPathCommand
{
    public static Command Build()
    {
        var expression = new Argument<string?>("EXPR") { Description = "A FHIRPath expression", Arity = ArgumentArity.ZeroOrOne };
        var file = new Argument<string?>("FILE") { Description = "A resource in JSON or XML; - for standard input", Arity = ArgumentArity.ZeroOrOne };
        var strict = new Option<bool>("--strict") { Description = "Refuse names that the resource's type does not have; without it they select nothing" };
        var batch = new Option<string>("--batch") { Description = "NDJSON of {id, expression, resource or file}; - for standard input", HelpName = "FILE" };
        var command = new Command("fhirpath", "Evaluate FHIRPath on a resource") { expression, file, batch, strict };
        command.SetAction((parsed, cancellationToken) => (parsed.GetValue(expression), parsed.GetValue(file), parsed.GetValue(batch)) switch
        {
            ({ } text, { } resource, null) => EvaluateAsync(text, resource, parsed.GetValue(strict), cancellationToken),
            (null, null, { } lines) => FhirPathBatch.RunAsync(lines, parsed.GetValue(strict), cancellationToken),
            _ => ExplainAsync(),
        });
        return command;
    }

    private static async Task<int> ExplainAsync()
    {
        await Console.Error.WriteLineAsync("fhirpath: give an expression and a file, or --batch with a file").ConfigureAwait(false);
        return ResourceFile.Unusable;
    }

    private static async Task<int> EvaluateAsync(string text, string file, bool isStrict, CancellationToken cancellationToken)
    {
        if (!FhirPathExpression.Compile(text, FhirDefinitions.R4).TryGetValue(out var expression, out var issues))
        {
            return ResourceFile.Refuse("expression", issues);
        }

        if (await ResourceFile.ReadAsync(file, cancellationToken).ConfigureAwait(false) is not { } bytes)
        {
            return ResourceFile.Unusable;
        }

        if (!ResourceFile.Look(bytes).TryGetValue(out var tree, out issues))
        {
            return ResourceFile.Refuse(file, issues);
        }

        // What is wrong with the file is said, and the answer given all the same.
        ResourceFile.Refuse(file, issues);

        var focus = FhirPathItem.Resource(tree, FhirDefinitions.R4);
        if (isStrict && expression.Check(focus.Type!) is { Count: > 0 } findings)
        {
            return ResourceFile.Refuse("expression", findings);
        }

        if (!expression.TryEvaluate(focus, new FhirPathEnvironment { Resource = focus }).TryGetValue(out var items, out issues))
        {
            return ResourceFile.Refuse(file, issues);
        }

        var output = new ArrayBufferWriter<byte>();
        await using (var writer = new Utf8JsonWriter(output, JsonText.Options))
        {
            FhirPathResult.Write(writer, items);
        }

        await using var standardOutput = Console.OpenStandardOutput();
        await standardOutput.WriteAsync(output.WrittenMemory, cancellationToken).ConfigureAwait(false);
        await standardOutput.WriteAsync("\n"u8.ToArray(), cancellationToken).ConfigureAwait(false);
        return 0;
    }
}
