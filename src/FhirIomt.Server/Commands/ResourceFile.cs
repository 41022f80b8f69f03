using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Xml;

namespace FhirIomt.Server.Commands;

/// <summary>A resource named on the command line: a file in JSON or XML, or <c>-</c> for standard input.</summary>
internal static class ResourceFile
{
    /// <summary>Exit code of a command that could not begin: the file is not there, or an argument makes no sense.</summary>
    public const int Unusable = 2;

    private static ReadOnlySpan<byte> ByteOrderMark => "\uFEFF"u8;

    /// <summary>The bytes; null after saying why on standard error.</summary>
    public static async Task<byte[]?> ReadAsync(string file, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadAllAsync(file, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsFileProblem(exception))
        {
            await Console.Error.WriteLineAsync($"{file}: {exception.Message}").ConfigureAwait(false);
            return null;
        }
    }

    public static bool IsFileProblem(Exception exception) => exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException;

    /// <summary>One more byte than allowed, if there are that many: the reader then says what the limit is.</summary>
    public static async Task<byte[]> ReadAllAsync(string file, CancellationToken cancellationToken)
    {
        await using var stream = file == "-" ? Console.OpenStandardInput() : File.OpenRead(file);
        using var bytes = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (bytes.Length <= JsonLimits.Default.MaxBytes && await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and var count)
        {
            bytes.Write(buffer, 0, count);
        }

        return bytes.ToArray();
    }

    /// <summary>XML when it begins with a bracket, else JSON. Editors put a byte-order mark before a file, and so do some published packages.</summary>
    public static Outcome<JsonTree> Parse(ReadOnlyMemory<byte> bytes)
    {
        bytes = WithoutMark(bytes);
        return IsXml(bytes.Span) ? FhirXml.Parse(bytes, FhirDefinitions.R4) : JsonTree.Parse(bytes);
    }

    /// <summary>As <see cref="Parse"/>, for looking at a resource: XML with faults, such as elements in another order, is read as far as it goes.</summary>
    public static Outcome<JsonTree> Look(ReadOnlyMemory<byte> bytes)
    {
        bytes = WithoutMark(bytes);
        if (!IsXml(bytes.Span))
        {
            return JsonTree.Parse(bytes);
        }

        var reading = FhirXml.Read(bytes, FhirDefinitions.R4);
        return reading.Tree is { } tree ? Outcome<JsonTree>.Success(tree, reading.Issues) : Outcome<JsonTree>.Refused(reading.Issues);
    }

    public static ReadOnlyMemory<byte> WithoutMark(ReadOnlyMemory<byte> bytes) => bytes.Span.StartsWith(ByteOrderMark) ? bytes[ByteOrderMark.Length..] : bytes;

    public static bool IsXml(ReadOnlySpan<byte> bytes) => bytes.TrimStart(" \t\r\n"u8).StartsWith((byte)'<');

    /// <summary>As <see cref="Warn"/>, and answers the exit code.</summary>
    public static int Refuse(string file, IReadOnlyList<Issue> issues)
    {
        Warn(file, issues);
        return 1;
    }

    /// <summary>Prints issues as compilers do, <c>file:line:column</c>.</summary>
    public static void Warn(string file, IReadOnlyList<Issue> issues)
    {
        foreach (var issue in issues)
        {
            var place = issue.Position is { } position ? $"{file}:{position.Line}:{position.Column}" : file;
            var path = issue.Expression is { Length: > 0 } expression ? $" {expression}:" : "";
            Console.Error.WriteLine($"{place}: {issue.Severity.ToString().ToLowerInvariant()} {issue.Code}:{path} {issue.Message}{(issue.Fix is null ? "" : $" {issue.Fix}")}");
        }
    }
}
