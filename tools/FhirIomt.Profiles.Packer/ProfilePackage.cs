using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Encodings.Web;
using System.Text.Json;
using FhirIomt.Core;
using FhirIomt.Fhir.Definitions;
using FhirIomt.Fhir.Json;
using FhirIomt.Fhir.Snapshots;

namespace FhirIomt.Profiles.Packer;

/// <summary>
/// A folder of definitions as a FHIR package (HL7 FHIR NPM package specification): <c>package/</c> holds package.json, the index and the definitions,
/// <c>package/example/</c> the valid examples. Snapshots are added, because few tools make their own. Packed again, it has the same bytes.
/// </summary>
internal sealed class ProfilePackage
{
    private const string ManifestName = "package.json";
    private const UnixFileMode ReadableByAll = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private static readonly JsonWriterOptions Indented = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private ProfilePackage(byte[] manifest, IReadOnlyList<PackedFile> definitions, IReadOnlyList<PackedFile> examples)
    {
        Manifest = manifest;
        Definitions = definitions;
        Examples = examples;
    }

    public byte[] Manifest { get; }

    public IReadOnlyList<PackedFile> Definitions { get; }

    public IReadOnlyList<PackedFile> Examples { get; }

    /// <summary>Reads package.json, the definitions beside it, and examples/valid. Codes: those of JSON, and IOMT-0200 to IOMT-0209 where a snapshot cannot be made.</summary>
    public static Outcome<ProfilePackage> Read(string folder)
    {
        if (!Files(folder).TryGetValue(out var definitions, out var issues) || !Files(Path.Combine(folder, "examples", "valid")).TryGetValue(out var examples, out issues))
        {
            return Outcome<ProfilePackage>.Refused(issues);
        }

        var library = DefinitionLibrary.R4.With(definitions.Select(file => file.Resource));
        for (var index = 0; index < definitions.Count; index++)
        {
            if (!WithSnapshot(definitions[index], library).TryGetValue(out var complete, out issues))
            {
                return Outcome<ProfilePackage>.Refused(issues);
            }

            definitions[index] = complete;
        }

        return new ProfilePackage(File.ReadAllBytes(Path.Combine(folder, ManifestName)), definitions, examples);
    }

    /// <summary>Writes the .tgz.</summary>
    public void Write(Stream output)
    {
        using var packed = new GZipStream(output, CompressionLevel.SmallestSize, leaveOpen: true);
        using var tar = new TarWriter(packed, TarEntryFormat.Ustar);
        Add(tar, "package/" + ManifestName, Manifest);
        Add(tar, "package/.index.json", Index());
        foreach (var file in Definitions)
        {
            Add(tar, "package/" + file.Name, Text(file.Resource.Root.WriteTo));
        }

        foreach (var file in Examples)
        {
            Add(tar, "package/example/" + file.Name, file.Resource.Utf8);
        }
    }

    private static Outcome<List<PackedFile>> Files(string folder)
    {
        var files = new List<PackedFile>();
        foreach (var path in Directory.EnumerateFiles(folder, "*.json").Where(path => Path.GetFileName(path) != ManifestName).Order(StringComparer.Ordinal))
        {
            if (!JsonTree.Parse(File.ReadAllBytes(path)).TryGetValue(out var tree, out var issues))
            {
                return Outcome<List<PackedFile>>.Refused(issues);
            }

            files.Add(new PackedFile(Path.GetFileName(path), tree));
        }

        return files;
    }

    private static Outcome<PackedFile> WithSnapshot(PackedFile file, IDefinitionSource library) =>
        !file.Resource.Root["resourceType"u8].TextEquals("StructureDefinition"u8) ? file
        : SnapshotGenerator.Generate(file.Resource, library).TryGetValue(out var complete, out var issues) ? file with { Resource = complete }
        : Outcome<PackedFile>.Refused(issues);

    // No time, no owner: what is packed depends on the definitions alone.
    private static void Add(TarWriter tar, string name, ReadOnlyMemory<byte> content) =>
        tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { ModificationTime = DateTimeOffset.UnixEpoch, Mode = ReadableByAll, DataStream = new MemoryStream(content.ToArray(), writable: false) });

    // The members that package tools look definitions up by.
    private byte[] Index() => Text(writer =>
    {
        writer.WriteStartObject();
        writer.WriteNumber("index-version", 2);
        writer.WriteStartArray("files");
        foreach (var file in Definitions)
        {
            writer.WriteStartObject();
            writer.WriteString("filename", file.Name);
            foreach (var member in (string[])["resourceType", "id", "url", "version", "kind", "type"])
            {
                if (file.Text(member) is { } text)
                {
                    writer.WriteString(member, text);
                }
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    });

    private static byte[] Text(Action<Utf8JsonWriter> write)
    {
        using var text = new MemoryStream();
        using (var writer = new Utf8JsonWriter(text, Indented))
        {
            write(writer);
        }

        return text.ToArray();
    }
}

/// <summary>One resource and the name of its file.</summary>
internal sealed record PackedFile(string Name, JsonTree Resource)
{
    /// <summary>A text at the top of the resource; null when it has none.</summary>
    public string? Text(string member) => Resource.Root[System.Text.Encoding.UTF8.GetBytes(member)].AsString();
}
