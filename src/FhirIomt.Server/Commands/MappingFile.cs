using FhirIomt.Core;
using FhirIomt.Fhir.Json;
using FhirIomt.Mapping.Linting;

namespace FhirIomt.Server.Commands;

/// <summary>
/// A mapping on the command line: one file of our own format, a device mapping with its FHIR mapping beside it, or one file with both,
/// <c>{"device":{…},"fhir":{…}}</c>. Remembers where each text stands, so that findings can name file, line and column.
/// </summary>
internal sealed class MappingFile
{
    private readonly Dictionary<MappingText, (string File, TextPosition Start)> _places = [];

    private MappingFile(ReadOnlyMemory<byte> device, ReadOnlyMemory<byte>? fhir)
    {
        (Device, Fhir) = (device, fhir);
    }

    public ReadOnlyMemory<byte> Device { get; }

    public ReadOnlyMemory<byte>? Fhir { get; }

    public JsonTree? Sample { get; private set; }

    /// <summary>Null after saying on standard error what cannot be read.</summary>
    public static async Task<MappingFile?> ReadAsync(string deviceFile, string? fhirFile, string? sampleFile, CancellationToken cancellationToken)
    {
        if (await ResourceFile.ReadAsync(deviceFile, cancellationToken).ConfigureAwait(false) is not { } device
            || (fhirFile is not null && await ResourceFile.ReadAsync(fhirFile, cancellationToken).ConfigureAwait(false) is null))
        {
            return null;
        }

        var fhir = fhirFile is null ? null : await ResourceFile.ReadAsync(fhirFile, cancellationToken).ConfigureAwait(false);
        var mapping = fhir is null ? OfOneFile(deviceFile, device) : new MappingFile(ResourceFile.WithoutMark(device), ResourceFile.WithoutMark(fhir));
        mapping._places.TryAdd(MappingText.Device, (deviceFile, new TextPosition(1, 1)));
        mapping._places.TryAdd(MappingText.Fhir, (fhirFile ?? deviceFile, new TextPosition(1, 1)));
        return sampleFile is null || await mapping.ReadSampleAsync(sampleFile, cancellationToken).ConfigureAwait(false) ? mapping : null;
    }

    /// <summary>The file, and the place in it, of a place in one of the texts.</summary>
    public (string File, TextPosition? At) Place(MappingText text, TextPosition? position)
    {
        var (file, start) = _places[text];
        return (file, position is not { } at ? null : at with { Line = at.Line + start.Line - 1, Column = at.Line == 1 ? at.Column + start.Column - 1 : at.Column });
    }

    private static MappingFile OfOneFile(string file, ReadOnlyMemory<byte> text)
    {
        text = ResourceFile.WithoutMark(text);
        if (!JsonTree.Parse(text).TryGetValue(out var tree, out _) || !tree.Root["device"u8].IsObject)
        {
            return new MappingFile(text, null);
        }

        var (device, fhir) = (tree.Root["device"u8], tree.Root["fhir"u8]);
        var mapping = new MappingFile(device.Raw, fhir.IsObject ? fhir.Raw : null);
        mapping._places[MappingText.Device] = (file, device.Position);
        mapping._places[MappingText.Fhir] = (file, fhir.Exists ? fhir.Position : device.Position);
        return mapping;
    }

    private async Task<bool> ReadSampleAsync(string file, CancellationToken cancellationToken)
    {
        if (await ResourceFile.ReadAsync(file, cancellationToken).ConfigureAwait(false) is not { } bytes)
        {
            return false;
        }

        if (!JsonTree.Parse(ResourceFile.WithoutMark(bytes)).TryGetValue(out var sample, out var issues))
        {
            ResourceFile.Warn(file, issues);
            return false;
        }

        Sample = MappingLinter.Envelope(sample.Utf8);

        // A body is put into an envelope of its own: its first line then begins behind {"Body":.
        var isWhole = sample.Root["Body"u8].Exists;
        _places[MappingText.Sample] = (file, new TextPosition(1, isWhole ? 1 : 1 - "{\"Body\":".Length));
        return true;
    }
}
