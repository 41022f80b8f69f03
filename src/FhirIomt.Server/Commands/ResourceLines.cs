using System.Runtime.CompilerServices;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Xml;

namespace FhirIomt.Server.Commands;

/// <summary>A resource as read: with what is wrong in its text, and as much of it as could be read nevertheless.</summary>
/// <param name="Text">The bytes that positions refer to.</param>
internal readonly record struct ReadResource(JsonTree? Tree, IReadOnlyList<Issue> Issues, ReadOnlyMemory<byte> Text);

/// <summary>The resources of a file: one of JSON or XML, one for each line of NDJSON.</summary>
internal static class ResourceLines
{
    /// <param name="file">A path, or <c>-</c>.</param>
    /// <returns>The name to report each by: the file, with the line for NDJSON.</returns>
    public static async IAsyncEnumerable<(string Name, ReadResource Value)> ReadAsync(string file, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (file.EndsWith(".ndjson", StringComparison.OrdinalIgnoreCase))
        {
            await using var stream = File.OpenRead(file);
            await foreach (var line in NdjsonReader.ReadAsync(stream, JsonLimits.Default, cancellationToken).ConfigureAwait(false))
            {
                yield return ($"{file}:{line.Number}", Of(line.Value, default));
            }
        }
        else
        {
            yield return (file, Parse(await ResourceFile.ReadAllAsync(file, cancellationToken).ConfigureAwait(false)));
        }
    }

    public static ReadResource Parse(ReadOnlyMemory<byte> bytes)
    {
        bytes = ResourceFile.WithoutMark(bytes);
        if (!ResourceFile.IsXml(bytes.Span))
        {
            return Of(JsonTree.Parse(bytes), bytes);
        }

        var reading = FhirXml.Read(bytes, FhirDefinitions.R4);
        return new ReadResource(reading.Tree, reading.Issues, bytes);
    }

    private static ReadResource Of(Outcome<JsonTree> outcome, ReadOnlyMemory<byte> text) =>
        outcome.TryGetValue(out var tree, out var issues) ? new ReadResource(tree, [], tree.Utf8) : new ReadResource(null, issues, text);
}
