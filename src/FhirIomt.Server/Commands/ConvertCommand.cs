using System.CommandLine;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Xml;

namespace FhirIomt.Server.Commands;

/// <summary><c>fhiriomt convert FILE|- --to xml|json [--pretty]</c>. Exit code 0: converted; 1: the resource cannot be read or written; 2: file or arguments.</summary>
internal static class ConvertCommand
{
    public static Command Build()
    {
        var file = new Argument<string>("FILE") { Description = "A resource in JSON or XML; - for standard input" };
        var to = new Option<string>("--to") { Description = "xml or json", HelpName = "FORMAT" };
        var pretty = new Option<bool>("--pretty") { Description = "Indent" };
        var command = new Command("convert", "Convert a resource between JSON and XML") { file, to, pretty };
        command.SetAction((parsed, cancellationToken) => ConvertAsync(parsed.GetValue(file)!, parsed.GetValue(to), parsed.GetValue(pretty), cancellationToken));
        return command;
    }

    private static async Task<int> ConvertAsync(string file, string? format, bool pretty, CancellationToken cancellationToken)
    {
        if (format is not ("xml" or "json"))
        {
            await Console.Error.WriteLineAsync("convert: say --to xml or --to json").ConfigureAwait(false);
            return ResourceFile.Unusable;
        }

        if (await ResourceFile.ReadAsync(file, cancellationToken).ConfigureAwait(false) is not { } bytes)
        {
            return ResourceFile.Unusable;
        }

        if (!ResourceFile.Parse(bytes).TryGetValue(out var tree, out var issues) || !Write(tree, format, pretty).TryGetValue(out var text, out issues))
        {
            return ResourceFile.Refuse(file, issues);
        }

        await using var output = Console.OpenStandardOutput();
        await output.WriteAsync(text, cancellationToken).ConfigureAwait(false);
        await output.WriteAsync("\n"u8.ToArray(), cancellationToken).ConfigureAwait(false);
        return 0;
    }

    private static Outcome<ReadOnlyMemory<byte>> Write(JsonTree tree, string format, bool pretty) =>
        format == "xml" ? FhirXmlWriter.Write(tree.Root, FhirDefinitions.R4, pretty)
        : (ReadOnlyMemory<byte>)(pretty ? JsonTextWriter.Indented(tree.Root) : JsonTextWriter.Minified(tree.Root));
}
